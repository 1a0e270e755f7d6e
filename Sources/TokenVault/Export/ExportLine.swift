internal import JSONText
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// Makes the lines of an export; for one thread.
struct ExportLine: ~Copyable {
  private let form: ExportForm
  private var cipher: XAES256GCM?
  private var random: SystemRandom

  /// - Parameter key: for forms that are sealed.
  /// - Throws: `no-key` without one; `crypto-failure`.
  init(_ form: ExportForm, _ key: ExportKey?) throws(VaultError) {
    let random = try crypto { () throws(CryptoError) in try SystemRandom() }
    let cipher = try Self.cipher(form, key)
    self.form = form
    self.random = random
    self.cipher = cipher
  }

  private static func cipher(_ form: ExportForm, _ key: ExportKey?) throws(VaultError) -> XAES256GCM? {
    guard form.isSealed else { return nil }
    guard let key else { throw VaultError(.noKey, "an export that is sealed needs a key of its own") }
    return try key.cipher()
  }

  /// The line of an entry, without its end.
  ///
  /// - Parameter time: now, in microseconds since 1970.
  /// - Throws: `invalid-name` for a name that the form can't hold; `crypto-failure`.
  mutating func line(_ id: TokenID, _ entry: StoredEntry, at time: Int64) throws(VaultError) -> SecretBytes {
    switch form {
    case .jsonl: return try clear(id, entry, at: time)
    case .sealed:
      let text = try sealed(entry, for: id).serialized()
      let members = Self.members(of: id) + [("sealed", .string(String(decoding: text, as: UTF8.self)))]
      return try SecretBytes(Array(JSONValue.object(members).text.utf8).span)
    case .dynamodb: return try item(id, entry)
    }
  }

  private func clear(_ id: TokenID, _ entry: StoredEntry, at time: Int64) throws(VaultError) -> SecretBytes {
    var members = Self.members(of: id)
    if let expiry = entry.value.expiry {
      members.append(("ttl", .string("\(max((expiry - time) / 1000, 1))ms")))
    }
    let head = Array((JSONValue.object(members).text.dropLast() + #","token":"#).utf8)
    let token = try entry.token()
    let length = head.count + token.withJSON { $0.count } + 1
    var line = try crypto { () throws(CryptoError) in try SecretBytes(capacity: length) }
    line.append(head.span)
    token.withJSON { (json) in
      line.append { (output) in
        // White space between the tokens of JSON may be line ends; inside of strings there are none.
        for index in json.indices {
          output.append(json[index] == 0x0A || json[index] == 0x0D ? 0x20 : json[index])
        }
      }
    }
    line.append([UInt8(ascii: "}")].span)
    return line
  }

  /// Seals the entry's value, with the time of its record, which does not go along.
  private mutating func sealed(_ entry: StoredEntry, for id: TokenID) throws(VaultError) -> SealedText {
    let token = try entry.token()
    var value = entry.value
    value.updated = value.updated ?? entry.time
    let length = token.withJSON { $0.count }
    // Of the largest tokens there is no room for it.
    if value.encodedLength + length > VaultLimits.value { value = entry.value }
    var stored = try crypto { () throws(CryptoError) in try SecretBytes(capacity: value.encodedLength + length) }
    try token.withJSON { (json) throws(VaultError) in
      let bytes = try value.encoded(with: json)
      stored.append(bytes.span)
    }
    let salt: FixedBytes<12> = try random.part()
    let iv: FixedBytes<12> = try random.part()
    guard var cipher = cipher.take() else { throw VaultError(.noKey, "an export that is sealed needs a key") }
    let sealed: SealedText
    do throws(FormatError) {
      sealed = try SealedText(sealing: stored.span, for: id.recordName.span, with: &cipher, salt: salt, iv: iv)
    } catch {
      throw VaultError(error)
    }
    self.cipher = consume cipher
    return sealed
  }

  private mutating func item(_ id: TokenID, _ entry: StoredEntry) throws(VaultError) -> SecretBytes {
    guard let name = String(validating: id.recordName, as: UTF8.self) else {
      throw VaultError(.invalidName, "the user id or provider is not UTF-8, which a key of type S must be")
    }
    let sealed = try sealed(entry, for: id)
    let data = sealed.salt.span.array + sealed.authTag + sealed.ciphertext
    let updated = entry.value.updated ?? entry.time
    var members: [(String, JSONValue)] = [
      ("user_id", .object([("S", .string(name))])), ("encrypted_data", Self.binary(data.span)),
      ("iv", Self.binary(sealed.iv.span)), ("created_at", Self.number(entry.value.linked ?? updated)),
      ("updated_at", Self.number(updated)),
    ]
    // Never earlier than the entry itself is over.
    if let expiry = entry.value.expiry { members.append(("ttl", Self.number(expiry, roundedUp: true))) }
    return try SecretBytes(Array(JSONValue.object(members).text.utf8).span)
  }

  private static func binary(_ bytes: Span<UInt8>) -> JSONValue {
    .object([("B", .string(String(decoding: TextEncoding.base64.encode(bytes), as: UTF8.self)))])
  }

  private static func number(_ time: Int64, roundedUp: Bool = false) -> JSONValue {
    let seconds = (time - (((time % 1_000_000) + 1_000_000) % 1_000_000)) / 1_000_000
    let isWhole = time % 1_000_000 == 0
    return .object([("N", .string("\(seconds + (roundedUp && !isWhole ? 1 : 0))"))])
  }

  /// Whose the line is, as ``TokenLine`` reads it.
  private static func members(of id: TokenID) -> [(String, JSONValue)] {
    var members = [member("user_id", id.user)]
    if !id.provider.isEmpty { members.append(member("provider", id.provider)) }
    return members
  }

  private static func member(_ name: String, _ bytes: [UInt8]) -> (String, JSONValue) {
    // U+FFFD stands for what could not be read, so that a name with it is not taken from a text.
    guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains("\u{FFFD}") else {
      return (name + "_hex", .string(bytes.span.hex))
    }
    return (name, .string(text))
  }
}

extension SystemRandom {
  fileprivate mutating func part() throws(VaultError) -> FixedBytes<12> {
    do throws(CryptoError) {
      return try bytes()
    } catch {
      throw VaultError(error)
    }
  }
}
