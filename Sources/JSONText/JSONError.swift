/// Why a text is not JSON, and where.
///
/// It holds nothing of the text, which may be a secret: sentences are literals of this module.
package struct JSONError: Error, CustomStringConvertible {
  /// The line, from 1. A line feed ends one.
  package let line: Int
  /// The byte in the line, from 1.
  package let column: Int
  private let literal: StaticString

  init(line: Int, column: Int, _ sentence: StaticString) {
    self.line = line
    self.column = column
    literal = sentence
  }

  /// What is wrong there, for a person.
  package var sentence: String { literal.description }

  /// Place and sentence.
  package var description: String { "line \(line), column \(column): \(sentence)" }
}
