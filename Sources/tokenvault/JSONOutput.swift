// What commands write is JSON more often than not: one import serves all of their files.
@_exported public import JSONText

/// The words of the commands for what they write.
extension JSONValue {
  static func text(_ text: String) -> Self { .string(text) }

  static func boolean(_ value: Bool) -> Self { .bool(value) }

  static func list(_ values: [JSONValue]) -> Self { .array(values) }
}
