internal import VaultCrypto
public import VaultEngine
internal import VaultFormat

/// How another program sealed its records, and how it wrote them down: a profile, and everything that differs within it.
///
/// Written as the profile's name and what is not as usual: `cbc-raw`, `gcm-scrypt,n=16384,secret=hex`,
/// `gcm-pbkdf2,hash=sha512,parts=iv:salt:tag:data,text=hex`, `cbc-pbkdf2,salt=prefix`.
public struct LegacyForm: Equatable, Sendable, CustomStringConvertible {
  /// Where the salt of a record in columns is, unless its row has a member `salt`.
  enum Salt: Equatable, Sendable {
    /// Nowhere else.
    case member
    /// The same for all rows.
    case given([UInt8])
    /// The first 16 bytes of the sealed data.
    case prefix
  }

  var profile: LegacyProfile
  var text = LegacyText.common
  var salt = Salt.member

  init(_ profile: LegacyProfile, text: LegacyText? = nil, salt: Salt = .member) {
    self.profile = profile
    self.text = text ?? (profile == .gcmRaw ? .withoutSalt : .common)
    self.salt = salt
  }

  /// Everything that can stand behind the name, one a line and indented: for messages.
  public static let parameters = """
      hash=sha256|sha512      of PBKDF2 [sha256]
      iterations=N            of PBKDF2 [100000]
      n=N, r=N, p=N           of scrypt [16384, 8, 1]
      secret=utf8|hex|base64  how the secret's text becomes bytes [utf8]
      parts=salt:iv:tag:data  the order of the parts of a text; without salt in gcm-raw
      text=base64|hex         how the parts are written [base64]
      salt=DIGITS|prefix      of rows in columns without a member salt: hexadecimal or base64,
                              or the first 16 bytes of encrypted_data
    """

  /// Reads a form as people write it.
  ///
  /// - Throws: `usage`.
  public init(parsing text: String) throws(VaultError) {
    let words = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    guard let profile = Self.usual(words[0]) else {
      throw VaultError(
        .usage, "there is no such profile", remedy: "there are \(LegacyProfile.names.joined(separator: ", "))")
    }
    self.init(profile)
    for word in words.dropFirst() {
      guard let equals = word.firstIndex(of: "="),
        set(String(word[..<equals]), String(word[word.index(after: equals)...]))
      else {
        throw VaultError(
          .usage, "the profile \(profile.name) has no such parameter, or it does not take that value",
          remedy: "behind the name, each behind a comma:\n" + Self.parameters)
      }
    }
  }

  /// The profile of a name with the family's usual parameters.
  private static func usual(_ name: String) -> LegacyProfile? {
    let pbkdf2 = LegacyProfile.PBKDF2(.sha256, iterations: 100_000, secret: .utf8)
    return [
      .cbcRaw, .cbcPBKDF2(pbkdf2), .gcmRaw, .gcmScrypt(.init(logN: 14, r: 8, p: 1, secret: .utf8)),
      .gcmPBKDF2(pbkdf2),
    ].first { $0.name == name }
  }

  /// - Returns: whether there is such a parameter and it takes the value.
  private mutating func set(_ name: String, _ value: String) -> Bool {
    switch (name, profile) {
    case ("parts", _) where profile.isAuthenticated:
      guard let order = LegacyText.order(value) else { return false }
      text.order = order
      return !profile.derivesKey || order.contains(.salt)
    case ("text", _) where profile.isAuthenticated:
      guard let encoding = TextEncoding(name: value), encoding != .utf8 else { return false }
      text.encoding = encoding
      return true
    case ("salt", .cbcPBKDF2):
      if value == "prefix" {
        salt = .prefix
        return true
      }
      guard let bytes = BinaryText.bytes(value), (8...64).contains(bytes.count) else { return false }
      salt = .given(bytes)
      return true
    case (_, .cbcPBKDF2(var parameters)):
      guard Self.set(name, value, &parameters) else { return false }
      profile = .cbcPBKDF2(parameters)
      return true
    case (_, .gcmPBKDF2(var parameters)):
      guard Self.set(name, value, &parameters) else { return false }
      profile = .gcmPBKDF2(parameters)
      return true
    case (_, .gcmScrypt(var parameters)):
      guard Self.set(name, value, &parameters) else { return false }
      profile = .gcmScrypt(parameters)
      return true
    default: return false
    }
  }

  private static func set(_ name: String, _ value: String, _ parameters: inout LegacyProfile.PBKDF2) -> Bool {
    switch name {
    case "hash" where value == "sha256": parameters.hash = .sha256
    case "hash" where value == "sha512": parameters.hash = .sha512
    case "iterations":
      guard let number = UInt32(value), (1...10_000_000).contains(number) else { return false }
      parameters.iterations = number
    case "secret":
      guard let encoding = TextEncoding(name: value) else { return false }
      parameters.secret = encoding
    default: return false
    }
    return true
  }

  private static func set(_ name: String, _ value: String, _ parameters: inout LegacyProfile.Scrypt) -> Bool {
    switch name {
    case "n":
      guard let number = UInt32(value), number > 1, number & (number - 1) == 0 else { return false }
      parameters.logN = UInt8(number.trailingZeroBitCount)
    case "r", "p":
      guard let number = UInt8(value), (1...64).contains(number) else { return false }
      if name == "r" { parameters.r = number } else { parameters.p = number }
    case "secret":
      guard let encoding = TextEncoding(name: value) else { return false }
      parameters.secret = encoding
    default: return false
    }
    return true
  }

  /// The form as ``init(parsing:)`` reads it, with every parameter.
  public var description: String {
    var words = [profile.name]
    switch profile {
    case .cbcRaw, .gcmRaw: break
    case .cbcPBKDF2(let parameters), .gcmPBKDF2(let parameters):
      words += [
        "hash=" + (parameters.hash == .sha256 ? "sha256" : "sha512"), "iterations=\(parameters.iterations)",
        "secret=" + parameters.secret.name,
      ]
    case .gcmScrypt(let parameters):
      words += [
        "n=\(UInt64(1) << UInt64(min(parameters.logN, 63)))", "r=\(parameters.r)", "p=\(parameters.p)",
        "secret=" + parameters.secret.name,
      ]
    }
    if profile.isAuthenticated {
      words += ["parts=" + text.order.map(\.name).joined(separator: ":"), "text=" + text.encoding.name]
    }
    switch salt {
    case .member: break
    case .prefix: words.append("salt=prefix")
    case .given(let bytes): words.append("salt=" + bytes.span.hex)
    }
    return words.joined(separator: ",")
  }

  // MARK: Records

  /// The record that a text stands for, be the whole in base64 once more or not.
  func record(text string: String) throws(FormatError) -> LegacyRecord {
    let bytes = Array(string.utf8)
    guard !bytes.contains(UInt8(ascii: ":")) else { return try text.parse(bytes.span, profile) }
    guard let inner = try TextEncoding.base64.decode(bytes.span) else { throw Self.noText }
    let array = inner.span.array
    guard array.contains(UInt8(ascii: ":")) else { throw Self.noText }
    return try text.parse(array.span, profile)
  }

  private static var noText: FormatError {
    FormatError(.legacyMalformed, "the sealed text has no colons in it, and is not such a text in base64 either")
  }

  /// The record that the columns of a row stand for.
  func record(data: [UInt8], iv: [UInt8], salt member: [UInt8]?) throws(FormatError) -> LegacyRecord {
    guard profile.derivesKey else {
      return try LegacyRecord(profile, salt: [], iv: iv, authTag: [], ciphertext: data)
    }
    switch (member, salt) {
    case (let member?, _), (nil, .given(let member)):
      return try LegacyRecord(profile, salt: member, iv: iv, authTag: [], ciphertext: data)
    case (nil, .prefix):
      return try LegacyRecord(
        profile, salt: Array(data.prefix(16)), iv: iv, authTag: [], ciphertext: Array(data.dropFirst(16)))
    case (nil, .member):
      throw FormatError(.legacyMalformed, "the row has no salt, and none was given with the profile (salt=...)")
    }
  }
}

extension LegacyText {
  /// `iv:authTag:ciphertext` in base64.
  static let withoutSalt = LegacyText(order: [.iv, .authTag, .ciphertext], encoding: .base64)

  /// The order that words joined by colons name; `nil` unless iv, tag and data are in it, each part once.
  static func order(_ text: String) -> [Part]? {
    var order: [Part] = []
    for word in text.split(separator: ":", omittingEmptySubsequences: false) {
      guard let part = Part.all.first(where: { $0.name == word }), !order.contains(part) else { return nil }
      order.append(part)
    }
    return Set([Part.iv, .authTag, .ciphertext]).isSubset(of: order) ? order : nil
  }

  /// Every order of some parts.
  static func orders(of parts: [Part]) -> [[Part]] {
    guard parts.count > 1 else { return [parts] }
    return parts.indices.flatMap { (index) in
      var rest = parts
      let first = rest.remove(at: index)
      return orders(of: rest).map { [first] + $0 }
    }
  }
}

extension LegacyText.Part {
  static let all: [Self] = [.salt, .iv, .authTag, .ciphertext]

  var name: String {
    switch self {
    case .salt: "salt"
    case .iv: "iv"
    case .authTag: "tag"
    case .ciphertext: "data"
    }
  }
}

extension TextEncoding {
  static let all: [Self] = [.utf8, .hex, .base64]

  init?(name: String) {
    guard let encoding = Self.all.first(where: { $0.name == name }) else { return nil }
    self = encoding
  }

  var name: String {
    switch self {
    case .utf8: "utf8"
    case .hex: "hex"
    case .base64: "base64"
    }
  }
}
