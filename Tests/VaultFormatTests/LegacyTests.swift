import Testing
import VaultCrypto
import VaultFormat

/// Records that Python's `cryptography` 48 sealed, all of one plaintext:
///
///     def B(a, n): return bytes((a + i) % 256 for i in range(n))
///     gcm: e = Cipher(AES(key), modes.GCM(iv)).encryptor(); c = e.update(text) + e.finalize(); e.tag, c
///     cbc: the same with modes.CBC(iv), of padding.PKCS7(128).padder()'s output
///     iv = B(0x10, 16), or its first 12 bytes; a raw key = B(0, 32); salts begin with 0x40, 0x50, 0x60
///     PBKDF2HMAC(SHA256(), 32, B(0x40, 16), 1000).derive(b"correct horse")
///     Scrypt(B(0x50, 32), 32, 16384, 8, 1).derive(B(0x30, 32)), the secret written in hexadecimal
///     PBKDF2HMAC(SHA512(), 32, B(0x60, 64), 1000).derive(B(0x30, 32)), the secret written in base64
///
/// joined as `base64(salt):base64(iv):base64(tag):base64(ciphertext)`.
struct LegacySample: CustomStringConvertible {
  let description: String
  let profile: LegacyProfile
  let secret: [UInt8]
  let text: String

  static let plaintext = Array(#"{"access_token":"a1","refresh_token":"r2"}"#.utf8)

  private static func bytes(from first: UInt8, count: UInt8) -> [UInt8] { (0..<count).map { first + $0 } }

  static let all = [
    LegacySample(
      description: "cbc-raw", profile: .cbcRaw, secret: bytes(from: 0, count: 32),
      text: ":EBESExQVFhcYGRobHB0eHw==::ZE2zgQDtWeKitgkd9iuuiWu5yT2v9lmPkJOQpAplpzNHg2HTw9Sg96vQr49cJAGR"),
    LegacySample(
      description: "cbc-pbkdf2", profile: .cbcPBKDF2(.init(.sha256, iterations: 1000, secret: .utf8)),
      secret: Array("correct horse".utf8),
      text: "QEFCQ0RFRkdISUpLTE1OTw==:EBESExQVFhcYGRobHB0eHw==::"
        + "C4EWC26y65LTLDnqUwlppY0GTQu1vMeOCgdEyoZVoJAb/eOy7YGd0i3LNZvzdjrt"),
    LegacySample(
      description: "gcm-raw", profile: .gcmRaw, secret: bytes(from: 0, count: 32),
      text:
        ":EBESExQVFhcYGRobHB0eHw==:pBfdA+jlSUGxxVwSIlh+uw==:8XhbA4QUSNw0f/EC0s4zO5LkUPocLneobHLZyDCo+TkGS+239r543pn7"
    ),
    LegacySample(
      description: "gcm-raw, short iv", profile: .gcmRaw, secret: bytes(from: 0, count: 32),
      text: ":EBESExQVFhcYGRob:51CzIUAoGCa28R3JGkeFpQ==:Btz5dSqsScCVAWd2ahdLafUxfyw34CXUgYuHFDYLILQ7jDkhz4Qc3VxL"),
    LegacySample(
      description: "gcm-scrypt", profile: .gcmScrypt(.init(logN: 14, r: 8, p: 1, secret: .hex)),
      secret: Array("303132333435363738393A3b3c3d3e3f404142434445464748494a4b4c4d4e4f".utf8),
      text: "UFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm8=:EBESExQVFhcYGRobHB0eHw==:ECpiatSLZUtlUN/ZT3lXeQ==:"
        + "G+uEZKAW5Jk1SnqUkVWNxmZnAtZg41nDVNRRO//Jrjd0Ayf+grfS3tv3"),
    LegacySample(
      description: "gcm-pbkdf2", profile: .gcmPBKDF2(.init(.sha512, iterations: 1000, secret: .base64)),
      secret: Array("MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk8=".utf8),
      text: "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2enw==:"
        + "EBESExQVFhcYGRobHB0eHw==:5Zl8gHo+gG/iv7SncFN5JQ==:5Cv54ZqY3+CtEMCnHqi01QYJ/r/5InaCJhLhFe7ShniSMb9F6a6l1BrN"),
  ]

  var record: LegacyRecord {
    get throws {
      let bytes = Array(text.utf8)
      return try LegacyText.common.parse(bytes.span, profile)
    }
  }
}

@Suite struct LegacyRecordTests {
  private func open(_ record: LegacyRecord, _ secret: [UInt8]) throws -> [UInt8] {
    let secret = try secret.secret()
    let plaintext = try record.open(with: secret)
    return plaintext.span.array
  }

  private func code(_ record: LegacyRecord, _ secret: [UInt8]) -> FormatError.Code? {
    VaultFormatTests.code { _ = try open(record, secret) }
  }

  @Test(arguments: LegacySample.all) func recordsOfTheOldSystemsOpen(sample: LegacySample) throws {
    // Defends: what another library sealed opens here, under the right secret alone.
    let record = try sample.record
    #expect(try open(record, sample.secret) == LegacySample.plaintext)
    let sealed = try sample.secret.secret()
    let again = try LegacyRecord.seal(
      LegacySample.plaintext.span, sample.profile, with: sealed, salt: record.salt, iv: record.iv)
    #expect(again == record, "and sealing gives the same bytes")
    var wrong = sample.secret
    wrong[5] ^= 1
    #expect(code(record, wrong) == .legacyUnopened)
  }

  @Test(arguments: LegacySample.all) func theBinaryFormIsOne(sample: LegacySample) throws {
    // Defends: round trip; every truncation, flipped bit and surplus byte is malformed or means itself.
    let record = try sample.record
    let canonical = Canonical(
      codes: [.legacyMalformed], parse: { try LegacyRecord(parsing: $0) }, serialize: { $0.serialized() })
    let bytes = record.serialized()
    #expect(try LegacyRecord(parsing: bytes.span) == record)
    #expect(bytes[0] == (sample.profile.isAuthenticated ? 0x82 : 0x81))
    canonical.attack(bytes)
  }

  @Test func partsHaveTheirLengths() throws {
    // Defends: salt none or 8 to 64 bytes (never none where a key is derived), iv 16 or in GCM 12, tag 16 or none.
    func code(_ profile: LegacyProfile, _ salt: Int, _ iv: Int, _ tag: Int, _ text: Int) -> FormatError.Code? {
      let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }
      return VaultFormatTests.code {
        _ = try LegacyRecord(profile, salt: zeros(salt), iv: zeros(iv), authTag: zeros(tag), ciphertext: zeros(text))
      }
    }
    let derived = LegacySample.all[5].profile
    for salt in [0, 8, 64] { #expect(code(.gcmRaw, salt, 12, 16, 0) == nil) }
    for salt in [1, 7, 65] { #expect(code(.gcmRaw, salt, 12, 16, 0) == .legacyMalformed) }
    #expect(code(derived, 0, 12, 16, 5) == .legacyMalformed && code(derived, 8, 16, 16, 5) == nil)
    for iv in [0, 1, 8, 11, 13, 15, 17, 32] { #expect(code(.gcmRaw, 0, iv, 16, 5) == .legacyMalformed) }
    for tag in [0, 1, 4, 8, 12, 15, 17] { #expect(code(.gcmRaw, 0, 12, tag, 5) == .legacyMalformed) }
    #expect(code(.cbcRaw, 0, 12, 0, 16) == .legacyMalformed && code(.cbcRaw, 0, 16, 16, 16) == .legacyMalformed)
    #expect(code(.cbcRaw, 0, 16, 0, 0) == .legacyMalformed && code(.cbcRaw, 0, 16, 0, 16) == nil)
    #expect(code(.cbcRaw, 0, 16, 0, (1 << 24) + 1) == .legacyMalformed)
  }

  @Test(arguments: LegacySample.all) func profilesHaveTheirNames(sample: LegacySample) throws {
    // Defends: the name by which somebody chooses a profile is that of the profile.
    #expect(sample.description.hasPrefix(sample.profile.name))
    #expect(LegacyProfile.names.filter { $0 == sample.profile.name }.count == 1)
  }

  @Test(arguments: [0, 1, 12, 13, 15, 17, 64]) func sealingTakesTheLengthsOfTheProfile(length: Int) throws {
    // Defends: a salt or an iv of another length is malformed when it is sealed with, too, and never seals anything.
    let secret = try [UInt8](repeating: 3, count: 32).secret()
    for profile in [LegacyProfile.cbcRaw, .gcmRaw] {
      let isRight = profile == .gcmRaw && length == 12
      let found = VaultFormatTests.code {
        _ = try LegacyRecord.seal(
          LegacySample.plaintext.span, profile, with: secret, salt: [], iv: [UInt8](repeating: 4, count: length))
      }
      #expect(found == (isRight ? nil : .legacyMalformed), "\(profile.name)")
    }
    let iv = [UInt8](repeating: 4, count: 16)
    let salt = [UInt8](repeating: 5, count: 7)
    #expect(
      VaultFormatTests.code {
        _ = try LegacyRecord.seal(LegacySample.plaintext.span, .cbcRaw, with: secret, salt: salt, iv: iv)
      } == .legacyMalformed)
  }

  @Test(arguments: LegacySample.all) func everyFlippedBitOfASealedPartCounts(sample: LegacySample) throws {
    // Defends: GCM refuses any change; CBC, which can't, still never traps and has one error.
    if case .gcmScrypt = sample.profile { return }
    let record = try sample.record
    let parts = [record.iv, record.authTag, record.ciphertext]
    for (index, part) in parts.enumerated() {
      for bit in 0..<part.count * 8 {
        var changed = parts
        changed[index] = part.flipping(bit: bit)
        let record = try LegacyRecord(
          sample.profile, salt: record.salt, iv: changed[0], authTag: changed[1], ciphertext: changed[2])
        let found = code(record, sample.secret)
        #expect(
          found == .legacyUnopened || found == nil && !sample.profile.isAuthenticated, "part \(index), bit \(bit)")
      }
    }
  }

  @Test func everyPaddingFailureIsTheSame() throws {
    // Defends: no difference by which a padding oracle could work: code and sentence are one, for each wrong padding,
    // for half a block, and for the wrong key.
    let key = [UInt8](repeating: 3, count: 32)
    let iv = [UInt8](repeating: 4, count: 16)
    var sentences: Set<String> = []
    func attempt(_ ciphertext: [UInt8], _ key: [UInt8]) throws -> Bool {
      let record = try LegacyRecord(.cbcRaw, salt: [], iv: iv, authTag: [], ciphertext: ciphertext)
      do {
        _ = try open(record, key)
        return true
      } catch let error as FormatError {
        #expect(error.code == .legacyUnopened)
        sentences.insert("\(error)")
        return false
      }
    }
    for last in 0...255 {
      for wrong in [nil, 0, 14] as [Int?] {
        // Blocks that would be well padded, and with one byte of the padding wrong.
        var block = [UInt8](repeating: 0x55, count: 32)
        for index in 0..<min(last, 32) { block[31 - index] = UInt8(last) }
        block[31] = UInt8(last)
        if let wrong { block[16 + wrong] ^= 0x11 }
        let isRight = (1...16).contains(last) && (wrong.map { $0 < 16 - last } ?? true)
        let ciphertext = try AES256CBC.seal(block.span, key: key.span, iv: iv.span, padding: .none)
        #expect(try attempt(ciphertext, key) == isRight, "last byte \(last), wrong \(String(describing: wrong))")
      }
    }
    for count in [1, 15, 17, 31] { #expect(try !attempt([UInt8](repeating: 1, count: count), key)) }
    let sealed = try AES256CBC.seal(LegacySample.plaintext.span, key: key.span, iv: iv.span)
    #expect(try !attempt(sealed, [UInt8](repeating: 9, count: 32)))
    #expect(sentences.count == 1)
  }

  @Test func costsKeepToTheirBounds() throws {
    // Defends: parameters that came with a record can't choose how long opening it takes.
    let secret = Array("30".utf8)
    func code(_ profile: LegacyProfile) throws -> FormatError.Code? {
      let record = try LegacyRecord(
        profile, salt: [UInt8](repeating: 1, count: 16), iv: [UInt8](repeating: 2, count: 16),
        authTag: profile.isAuthenticated ? [UInt8](repeating: 3, count: 16) : [],
        ciphertext: [UInt8](repeating: 4, count: 16))
      return self.code(record, secret)
    }
    for iterations: UInt32 in [0, 10_000_001, 1 << 31, .max] {
      #expect(try code(.cbcPBKDF2(.init(.sha256, iterations: iterations, secret: .hex))) == .limitExceeded)
      #expect(try code(.gcmPBKDF2(.init(.sha512, iterations: iterations, secret: .hex))) == .limitExceeded)
    }
    let costs: [(UInt8, UInt8, UInt8)] = [
      (0, 8, 1), (21, 8, 1), (63, 8, 1), (64, 8, 1), (255, 8, 1), (14, 0, 1), (14, 65, 1), (14, 8, 0), (14, 8, 65),
      (20, 8, 8), (20, 64, 64), (16, 1, 1), (20, 9, 1), (20, 32, 1), (18, 64, 1),
    ]
    for (logN, r, p) in costs {
      let profile = LegacyProfile.gcmScrypt(.init(logN: logN, r: r, p: p, secret: .hex))
      #expect(try code(profile) == .limitExceeded, "\(logN) \(r) \(p)")
    }
  }

  @Test func secretsHaveTheirForm() throws {
    // Defends: a raw key has 32 bytes, a written secret is in its encoding: else the record does not open, and nothing traps.
    let raw = try LegacySample.all[0].record
    for count in [0, 31, 33, 64] { #expect(code(raw, [UInt8](repeating: 1, count: count)) == .legacyUnopened) }
    let hex = try LegacySample.all[4].record
    for secret in ["3", "3g", "zz"] { #expect(code(hex, Array(secret.utf8)) == .legacyUnopened) }
    let base64 = try LegacySample.all[5].record
    for secret in ["MDE", "MDE=x", "MD!=", "=", "\n"] { #expect(code(base64, Array(secret.utf8)) == .legacyUnopened) }
    let empty = try LegacySample.all[1].record
    #expect(code(empty, []) == .legacyUnopened, "an empty secret is a wrong one")
    #expect(code(base64, []) == .legacyUnopened)
    #expect(code(hex, []) == .legacyUnopened)
  }
}
