internal import JSONText

/// What happened to a vault as a whole, as it is kept in an event record (FORMAT.md, "Entries").
public enum VaultEvent: String, Sendable {
  /// The state of a backup was brought back.
  case restored

  /// The name of every such event: reserved, so that no user's is the same.
  static let name: [UInt8] = [0] + Array("vault".utf8)

  /// Name and value of the event's record.
  ///
  /// - Parameters:
  ///   - actor: who did it; `nil` when nobody said.
  ///   - reason: why; `nil` when nobody said.
  public func record(actor: String?, reason: String?) -> (name: [UInt8], value: [UInt8]) {
    var members: [(String, JSONValue)] = [("event", .string(rawValue))]
    if let actor { members.append(("actor", .string(actor))) }
    if let reason { members.append(("reason", .string(reason))) }
    return (Self.name, Array(JSONValue.object(members).text.utf8))
  }
}
