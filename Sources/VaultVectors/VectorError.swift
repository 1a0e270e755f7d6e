/// Why a file of test vectors, or a path given to the verifier, can't be used at all.
///
/// Two errors are equal when their codes are. A file with such an error counts as unreadable, never as passed.
package struct VectorError: Error, Equatable, CustomStringConvertible {
  /// The kind of error. More may be added.
  package struct Code: Hashable, Sendable {
    private enum Value { case unreadable, syntax, value, count, unrecognised }
    private let value: Value

    /// The file system did not give the bytes.
    package static let unreadable = Code(value: .unreadable)
    /// The text is not JSON, or not lines of the NIST form; a truncated file is mostly this.
    package static let syntax = Code(value: .syntax)
    /// A value is missing, has the wrong type or length, or is not hexadecimal.
    package static let value = Code(value: .value)
    /// The file does not hold the number of cases that it says.
    package static let count = Code(value: .count)
    /// The content is of no kind that the verifier knows.
    package static let unrecognised = Code(value: .unrecognised)
  }

  /// The kind of error.
  package let code: Code
  /// `line 12`, or a JSON path such as `$.testGroups[0].tests[3].key`; nil when the whole file is meant.
  package let location: String?
  /// What is wrong there, for a person.
  package let sentence: String

  /// Location and sentence.
  package var description: String { location.map { "\($0): \(sentence)" } ?? sentence }

  /// Compares the codes alone.
  package static func == (left: Self, right: Self) -> Bool { left.code == right.code }

  static func unreadable(_ sentence: String) -> Self { Self(code: .unreadable, location: nil, sentence: sentence) }

  static func unrecognised(_ sentence: String) -> Self { Self(code: .unrecognised, location: nil, sentence: sentence) }

  static func syntax(line: Int, _ sentence: String) -> Self {
    Self(code: .syntax, location: "line \(line)", sentence: sentence)
  }

  static func value(line: Int, _ sentence: String) -> Self {
    Self(code: .value, location: "line \(line)", sentence: sentence)
  }

  static func value(path: String, _ sentence: String) -> Self {
    Self(code: .value, location: path, sentence: sentence)
  }

  static func count(path: String, _ sentence: String) -> Self {
    Self(code: .count, location: path, sentence: sentence)
  }
}
