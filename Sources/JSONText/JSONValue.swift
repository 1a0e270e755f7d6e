/// A JSON text (RFC 8259), read whole or to be written.
package enum JSONValue: Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// As written: nothing is lost to a floating-point type.
  case number(String)
  /// The characters, without quotation marks and escapes.
  case string(String)
  /// In the order of the text.
  case array([JSONValue])
  /// Members in the order of the text.
  case object([(String, JSONValue)])
  /// Text that is JSON already. For output alone: the parser never gives it.
  case verbatim(String)

  /// A string; `null` when there is none.
  package init(_ text: String?) { self = text.map { .string($0) } ?? .null }

  /// A whole number.
  package static func integer(_ number: Int64) -> Self { .number("\(number)") }

  /// A whole number of 0 or more.
  package static func unsigned(_ number: UInt64) -> Self { .number("\(number)") }

  /// The type's name in messages.
  package var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    case .verbatim: "a JSON text"
    }
  }
}
