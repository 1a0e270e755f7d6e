/// A JSON value to be written, its members in the order given.
indirect enum JSONValue {
  case text(String)
  case integer(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case null
  case list([JSONValue])
  case object([(String, JSONValue)])
  /// Text that is JSON already.
  case verbatim(String)

  /// `null` when there is no text.
  init(_ text: String?) { self = text.map { .text($0) } ?? .null }

  /// The value on one line, in UTF-8, without characters that a terminal would obey.
  var text: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .integer(let number): "\(number)"
    case .unsigned(let number): "\(number)"
    case .boolean(let value): value ? "true" : "false"
    case .null: "null"
    case .list(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.0) + ":" + $0.1.text }.joined(separator: ",") + "}"
    case .verbatim(let text): text
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      default:
        if TerminalText.isObeyed(scalar) { quoted += escaped(scalar) } else { quoted.unicodeScalars.append(scalar) }
      }
    }
    return quoted + "\""
  }

  /// All that a terminal obeys lies in the basic plane, so one escape is enough.
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
