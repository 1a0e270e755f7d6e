package import VaultCrypto

/// How a family of legacy records was sealed (FORMAT.md, "Legacy records").
package enum LegacyProfile: Equatable, Sendable {
  /// AES-256-CBC, PKCS #7, a raw key of 32 bytes.
  case cbcRaw
  /// The same under a key from PBKDF2.
  case cbcPBKDF2(PBKDF2)
  /// AES-256-GCM, a raw key of 32 bytes.
  case gcmRaw
  /// The same under a key from scrypt.
  case gcmScrypt(Scrypt)
  /// The same under a key from PBKDF2.
  case gcmPBKDF2(PBKDF2)

  /// Parameters of PBKDF2 and of the secret that it is given.
  package struct PBKDF2: Equatable, Sendable {
    package var hash: KeyDerivation.PBKDF2Hash
    package var iterations: UInt32
    package var secret: TextEncoding

    package init(_ hash: KeyDerivation.PBKDF2Hash, iterations: UInt32, secret: TextEncoding) {
      self.hash = hash
      self.iterations = iterations
      self.secret = secret
    }
  }

  /// Parameters of scrypt, N = 2^`logN`, and of the secret that it is given.
  package struct Scrypt: Equatable, Sendable {
    package var logN: UInt8
    package var r: UInt8
    package var p: UInt8
    package var secret: TextEncoding

    package init(logN: UInt8, r: UInt8, p: UInt8, secret: TextEncoding) {
      self.logN = logN
      self.r = r
      self.p = p
      self.secret = secret
    }
  }

  /// The number in a record's binary form.
  package var id: UInt8 {
    switch self {
    case .cbcRaw: 1
    case .cbcPBKDF2: 2
    case .gcmRaw: 3
    case .gcmScrypt: 4
    case .gcmPBKDF2: 5
    }
  }

  /// The name in FORMAT.md, by which people choose a profile.
  package var name: String { Self.names[Int(id) - 1] }

  /// The names of all profiles, in the order of their numbers.
  package static let names = ["cbc-raw", "cbc-pbkdf2", "gcm-raw", "gcm-scrypt", "gcm-pbkdf2"]

  /// Bytes of memory that scrypt may take for one record.
  private static let memoryLimit = 1 << 30

  /// 0x81, AES-256-CBC, or 0x82, AES-256-GCM.
  package var suite: UInt8 {
    switch self {
    case .cbcRaw, .cbcPBKDF2: 0x81
    case .gcmRaw, .gcmScrypt, .gcmPBKDF2: 0x82
    }
  }

  /// Whether records carry a tag.
  package var isAuthenticated: Bool { suite == 0x82 }

  /// Whether the key is derived, so that records carry a salt.
  package var derivesKey: Bool { self != .cbcRaw && self != .gcmRaw }

  /// The 32-byte key that the secret gives for a record with this salt. It can't become a key of a vault: it stays inside.
  ///
  /// - Parameter secret: a raw key of 32 bytes, or the secret text.
  /// - Throws: `legacy-unopened` when the secret is not of the form that the profile asks for; `limit-exceeded` for costs
  ///   over the bounds.
  func key(from secret: borrowing SecretBytes, salt: Span<UInt8>) throws(FormatError) -> SecretBytes {
    switch self {
    case .cbcRaw, .gcmRaw:
      guard secret.count == 32 else {
        throw FormatError(.legacyUnopened, "the legacy key has \(secret.count) bytes instead of 32")
      }
      return try Self.bounded { () throws(CryptoError) in try secret.copy() }
    case .cbcPBKDF2(let parameters), .gcmPBKDF2(let parameters):
      let bytes = try Self.decode(secret, parameters.secret)
      return try Self.bounded { () throws(CryptoError) in
        try KeyDerivation.pbkdf2(
          parameters.hash, passphrase: bytes.span, salt: salt, iterations: Int(parameters.iterations), count: 32)
      }
    case .gcmScrypt(let parameters):
      // RFC 7914, section 2; OpenSSL fails beyond it, which would not read as the record's fault.
      guard Int(parameters.logN) < 16 * Int(parameters.r) else {
        throw FormatError(
          .limitExceeded,
          "scrypt with r = \(parameters.r) takes N under 2^\(16 * Int(parameters.r)), not 2^\(parameters.logN)")
      }
      let memory = 128 * Int(parameters.r) << Int(min(parameters.logN, 40))
      guard memory <= Self.memoryLimit else {
        throw FormatError(
          .limitExceeded,
          "scrypt with N = 2^\(parameters.logN), r = \(parameters.r) takes \(memory >> 20) MiB; 1024 MiB is the limit")
      }
      let bytes = try Self.decode(secret, parameters.secret)
      return try Self.bounded { () throws(CryptoError) in
        try KeyDerivation.scrypt(
          passphrase: bytes.span, salt: salt, n: parameters.logN < 64 ? 1 << UInt64(parameters.logN) : 0,
          r: UInt32(parameters.r), p: UInt32(parameters.p), count: 32)
      }
    }
  }

  private static func decode(
    _ secret: borrowing SecretBytes, _ encoding: TextEncoding
  ) throws(FormatError) -> SecretBytes {
    if let decoded = try encoding.decode(secret.span) { return decoded }
    throw FormatError(.legacyUnopened, "the legacy secret is not a text of the encoding that the profile names")
  }

  private static func bounded(_ derive: () throws(CryptoError) -> SecretBytes) throws(FormatError) -> SecretBytes {
    do {
      return try derive()
    } catch {
      throw FormatError(error.code == .invalidParameter ? .limitExceeded : .cryptoFailure, error.sentence)
    }
  }

  // MARK: Binary form

  init(id: UInt8, parsing reader: inout ByteReader) throws(FormatError) {
    switch id {
    case 1: self = .cbcRaw
    case 2: self = .cbcPBKDF2(try PBKDF2(parsing: &reader))
    case 3: self = .gcmRaw
    case 4: self = .gcmScrypt(try Scrypt(parsing: &reader))
    case 5: self = .gcmPBKDF2(try PBKDF2(parsing: &reader))
    default: throw reader.error("its profile \(id) is unknown")
    }
  }

  func serializeParameters(into output: inout OutputSpan<UInt8>) {
    switch self {
    case .cbcRaw, .gcmRaw: break
    case .cbcPBKDF2(let parameters), .gcmPBKDF2(let parameters):
      output.append(parameters.hash == .sha256 ? 1 : 2)
      output.append(parameters.secret.rawValue)
      output.append(bigEndian: UInt16(0))
      output.append(bigEndian: parameters.iterations)
    case .gcmScrypt(let parameters):
      output.append(parameters.logN)
      output.append(parameters.r)
      output.append(parameters.p)
      output.append(parameters.secret.rawValue)
    }
  }

  /// Bytes of the parameters in binary form.
  var parametersLength: Int {
    switch self {
    case .cbcRaw, .gcmRaw: 0
    case .cbcPBKDF2, .gcmPBKDF2: 8
    case .gcmScrypt: 4
    }
  }
}

extension LegacyProfile.PBKDF2 {
  init(parsing reader: inout ByteReader) throws(FormatError) {
    switch try reader.u8() {
    case 1: hash = .sha256
    case 2: hash = .sha512
    case let other: throw reader.error("its hash \(other) is unknown")
    }
    secret = try TextEncoding(parsing: &reader)
    try reader.zeros(2)
    iterations = try reader.u32()
  }
}

extension LegacyProfile.Scrypt {
  init(parsing reader: inout ByteReader) throws(FormatError) {
    logN = try reader.u8()
    r = try reader.u8()
    p = try reader.u8()
    secret = try TextEncoding(parsing: &reader)
  }
}

extension TextEncoding {
  fileprivate init(parsing reader: inout ByteReader) throws(FormatError) {
    let byte = try reader.u8()
    guard let encoding = TextEncoding(rawValue: byte) else { throw reader.error("its encoding \(byte) is unknown") }
    self = encoding
  }
}
