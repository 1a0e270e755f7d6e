internal import JSONText
internal import VaultEngine
internal import VaultFormat

/// The members of a line's object, each asked for as what it should be. A member that is null counts as missing.
struct RowMembers {
  let members: [(String, JSONValue)]

  /// - Throws: `not-json`.
  init(parsing line: Span<UInt8>) throws(LineFault) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: line)
    } catch {
      throw LineFault("not-json", error.sentence, column: error.column)
    }
    guard case .object(let members) = value else {
      throw LineFault("not-json", "it is \(value.typeName), no object")
    }
    self.members = members
  }

  subscript(name: String) -> JSONValue? {
    guard let value = members.first(where: { $0.0 == name })?.1 else { return nil }
    if case .null = value { return nil }
    return value
  }

  /// The text of a member; `nil` when it is missing.
  func text(_ name: String) throws(LineFault) -> String? {
    guard let value = self[name] else { return nil }
    guard case .string(let text) = value else { throw LineFault("bad-member", "the member \(name) is not a string") }
    return text
  }

  /// The text of a member that may be a whole number too, as database keys often are.
  func key(_ name: String) throws(LineFault) -> String? {
    guard let value = self[name] else { return nil }
    if case .string(let text) = value {
      // Half of a surrogate pair becomes this too: two names would be taken for one.
      guard !text.unicodeScalars.contains("\u{FFFD}") else {
        throw LineFault("bad-member", "the member \(name) holds U+FFFD, which stands for what could not be read")
      }
      return text
    }
    guard let number = value.wholeNumber else {
      throw LineFault("bad-member", "the member \(name) is neither a string nor a whole number")
    }
    return "\(number)"
  }

  /// What a member that must be there holds.
  static func needed<Value>(_ name: String, _ value: Value?) throws(LineFault) -> Value {
    guard let value else { throw LineFault("missing-member", "there is no \(name)") }
    return value
  }

  /// Whose the line is, in the form of ``TokenLine``, and the names of the members that tell.
  func name(provider: String) throws(LineFault) -> (id: TokenID, members: Set<String>) {
    var own: Set<String> = ["user_id", "provider"]
    func bytes(_ name: String) throws(LineFault) -> [UInt8]? {
      let isThere = members.contains { $0.0 == name }
      if isThere || !members.contains(where: { $0.0 == name + "_hex" }) {
        guard case .string? = self[name] else {
          guard isThere else { return nil }
          throw LineFault("bad-member", "the member \(name) is not a string")
        }
        return try key(name).map { Array($0.utf8) }
      }
      own.insert(name + "_hex")
      guard let bytes = try text(name + "_hex").flatMap({ BinaryText.hexadecimal($0.utf8) }) else {
        throw LineFault("bad-member", "the member \(name)_hex is not written in hexadecimal")
      }
      return bytes
    }
    let user = try Self.needed("user_id", bytes("user_id"))
    return (try Self.id(user, provider: bytes("provider") ?? Array(provider.utf8)), own)
  }

  /// An id.
  static func id(_ user: [UInt8], provider: [UInt8]) throws(LineFault) -> TokenID {
    do {
      return try TokenID(user: user, provider: provider)
    } catch {
      throw LineFault(error)
    }
  }

  /// The bytes of a member in hexadecimal or base64; `nil` when it is missing.
  func bytes(_ name: String) throws(LineFault) -> [UInt8]? {
    guard let text = try text(name) else { return nil }
    guard let bytes = BinaryText.bytes(text) else {
      throw LineFault("bad-member", "the member \(name) is written neither in hexadecimal nor in base64")
    }
    return bytes
  }

  /// The time of a member, in microseconds since 1970; `nil` when it is missing.
  func time(_ name: String) throws(LineFault) -> Int64? {
    guard let value = self[name] else { return nil }
    switch ImportTime(value) {
    case .time(let time): return time
    case .never, .outOfRange:
      throw LineFault("time-out-of-range", "the time \(name) is not within the years 1 to 9999")
    case .unknown:
      throw LineFault("bad-time", "the member \(name) is not a time: seconds since 1970, or 2024-01-31 12:34:56+00")
    }
  }
}
