/// What a cryptographic call refused or failed to do.
///
/// Two errors are equal when their codes are. The sentence holds lengths and parameters, never key material or data.
package struct CryptoError: Error, Equatable, CustomStringConvertible {
  /// The kind of failure. More may be added.
  package struct Code: Hashable, Sendable {
    private enum Value { case invalidParameter, cannotOpen, libraryFailure }
    private let value: Value

    /// A length or a parameter is not one that the algorithm takes; OpenSSL was not called.
    package static let invalidParameter = Code(value: .invalidParameter)
    /// The tag, or in CBC the padding, does not fit: the wrong key, or other bytes than were sealed. The two can't be
    /// told apart here, and every failure of a CBC record is this one.
    package static let cannotOpen = Code(value: .cannotOpen)
    /// OpenSSL failed where it should not: no memory, or a build without the algorithm.
    package static let libraryFailure = Code(value: .libraryFailure)
  }

  package let code: Code
  /// One sentence for a person.
  package let sentence: String

  package var description: String { sentence }

  package static func == (left: Self, right: Self) -> Bool { left.code == right.code }

  static func invalid(_ what: StaticString, found: Int, allowed: StaticString) -> Self {
    Self(code: .invalidParameter, sentence: "\(what) is \(found); it must be \(allowed)")
  }

  static var cannotOpen: Self { Self(code: .cannotOpen, sentence: "the sealed data does not open with this key") }

  static func libraryFailure(_ call: StaticString) -> Self {
    Self(code: .libraryFailure, sentence: "OpenSSL failed in \(call)")
  }
}
