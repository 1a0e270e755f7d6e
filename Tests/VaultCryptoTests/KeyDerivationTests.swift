import Testing
import VaultCrypto

@Suite("Key derivation")
struct KeyDerivationTests {
  private static let salt = pattern(16)
  private static let secret = pattern(20)

  // Defends the bounds of HKDF's output.
  @Test(arguments: [-1, 0, 8161, Int.max])
  func hkdfRefusesLengths(_ count: Int) {
    let code = errorCode { () throws(CryptoError) in
      _ = try KeyDerivation.hkdfSHA256(
        keyMaterial: Self.secret.span, salt: Self.salt.span, info: [UInt8]().span, count: count)
    }
    #expect(code == .invalidParameter)
  }

  // Defends RFC 5869, section 2.2: no salt is the same as 32 zeros, and the info keeps keys apart.
  @Test func hkdfKeepsToTheRFC() throws {
    let derive = { (salt: [UInt8], info: [UInt8]) throws(CryptoError) -> [UInt8] in
      let key = try KeyDerivation.hkdfSHA256(
        keyMaterial: Self.secret.span, salt: salt.span, info: info.span, count: 42)
      return Array(key.span)
    }
    #expect(try derive([], []) == derive([UInt8](repeating: 0, count: 32), []))
    #expect(try derive(Self.salt, [1]) != derive(Self.salt, [2]))
  }

  // Defends the empty inputs, which C takes for none given; no key material is a key all the same (RFC 5869, section 2.2).
  @Test func nothingIsAnInput() throws {
    let (none, salt) = ([UInt8](), Self.salt)
    let key = try KeyDerivation.hkdfSHA256(keyMaterial: none.span, salt: salt.span, info: none.span, count: 32)
    let (scrypt, pbkdf2) = (
      errorCode { () throws(CryptoError) in
        _ = try KeyDerivation.scrypt(passphrase: none.span, salt: none.span, n: 2, r: 1, p: 1, count: 32)
      },
      errorCode { () throws(CryptoError) in
        _ = try KeyDerivation.pbkdf2(.sha512, passphrase: none.span, salt: none.span, iterations: 1, count: 32)
      }
    )
    let derived = Array(key.span).hexText
    #expect(derived == "4cf20883b16a560f6c830f594384260f0357dc076b8e607ae4f7404fc80a9b18")
    #expect(scrypt == nil)
    #expect(pbkdf2 == nil)
  }

  /// Costs of scrypt.
  struct Cost: Sendable {
    var n: UInt64 = 16
    var r: UInt32 = 1
    var p: UInt32 = 1
    var count = 32
  }

  // Defends against a hostile file that chooses the time and the memory of its reader.
  @Test(arguments: [
    Cost(n: 0), Cost(n: 1), Cost(n: 7), Cost(n: 1 << 21), Cost(n: .max), Cost(r: 0), Cost(r: 65), Cost(r: .max),
    Cost(p: 0), Cost(p: 65), Cost(p: .max), Cost(n: 1 << 20, r: 8, p: 5), Cost(count: 0), Cost(count: -1),
    Cost(count: 1025),
  ])
  func scryptRefusesCosts(_ cost: Cost) {
    let code = errorCode { () throws(CryptoError) in
      _ = try KeyDerivation.scrypt(
        passphrase: Self.secret.span, salt: Self.salt.span, n: cost.n, r: cost.r, p: cost.p, count: cost.count)
    }
    #expect(code == .invalidParameter)
  }

  // Defends the same for PBKDF2.
  @Test(arguments: [(0, 32), (-1, 32), (10_000_001, 32), (1, 0), (1, -1), (1, 1025)])
  func pbkdf2RefusesCosts(_ iterations: Int, _ count: Int) {
    let code = errorCode { () throws(CryptoError) in
      _ = try KeyDerivation.pbkdf2(
        .sha256, passphrase: Self.secret.span, salt: Self.salt.span, iterations: iterations, count: count)
    }
    #expect(code == .invalidParameter)
  }

  // Defends SHA-512 under PBKDF2, for which no file is kept: one iteration is one HMAC, so the length runs on evenly.
  @Test func pbkdf2WithSHA512IsAnother() throws {
    let derive = { (hash: KeyDerivation.PBKDF2Hash, count: Int) throws(CryptoError) -> [UInt8] in
      let key = try KeyDerivation.pbkdf2(
        hash, passphrase: Array("password".utf8).span, salt: Array("salt".utf8).span, iterations: 1, count: count)
      return Array(key.span)
    }
    let known = """
      867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252\
      c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce
      """
    #expect(try derive(.sha512, 64) == hex(known))
    #expect(try derive(.sha512, 32) == Array(hex(known).prefix(32)))
    #expect(try derive(.sha256, 32) != Array(hex(known).prefix(32)))
  }
}
