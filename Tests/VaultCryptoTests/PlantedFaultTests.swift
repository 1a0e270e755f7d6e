import Testing

@testable import VaultVectors

/// An implementation that is wrong in one place, and a file that must show it.
private struct Fault: Sendable, CustomTestStringConvertible {
  let name: String
  let file: @Sendable () throws -> VectorFile
  /// How many cases must fail.
  let red: Int
  let plant: @Sendable (inout Primitives) -> Void

  init(
    _ name: String, in file: String, red: Int, plant: @escaping @Sendable (inout Primitives) -> Void
  ) {
    self.init(name, in: { try Published.load(file) }, red: red, plant: plant)
  }

  init(
    _ name: String, in file: @escaping @Sendable () throws -> VectorFile, red: Int,
    plant: @escaping @Sendable (inout Primitives) -> Void
  ) {
    self.name = name
    self.file = file
    self.red = red
    self.plant = plant
  }

  var testDescription: String { name }
}

@Suite("Planted faults")
struct PlantedFaultTests {
  private static let wycheproof = "wycheproof/aes_gcm_test.json"
  private static let right = Primitives.vaultCrypto

  // Defends the verifier: a fault in the implementation turns it red, in as many cases as it touches.
  @Test(arguments: aeadFaults + blockFaults + derivationFaults)
  private func aFaultIsSeen(_ fault: Fault) throws {
    var primitives = Self.right
    fault.plant(&primitives)
    let report = VectorRun.verify(try fault.file(), primitives: primitives)
    #expect(report.failures.count == fault.red)
  }

  // Defends the tests above: the slow GCM without its fault is right, so it is the fault that is seen.
  @Test func theSlowGCMIsRight() throws {
    var primitives = Self.right
    primitives.gcm = Self.slowGCM(countsOver128Bits: false)
    let report = VectorRun.verify(try Published.load(Self.wycheproof), primitives: primitives)
    #expect(report.counts == .init(passed: 104, notApplicable: 212))
  }

  // Defends the tests above: the sample file of padded CBC is right, and green without a fault.
  @Test func thePaddedSampleIsRight() throws {
    let report = VectorRun.verify(try SampleFiles.paddedCBC())
    #expect(report.counts == .init(passed: 11))
  }

  private static let aeadFaults = [
    Fault("tags are compared over 12 bytes", in: wycheproof, red: 7) {
      $0.gcm.open = { (sealed, key, iv, aad) throws(PrimitiveError) in
        let plaintext = try right.gcm.seal(sealed.ciphertext, key, iv, aad).ciphertext
        let whole = try right.gcm.seal(plaintext, key, iv, aad)
        guard whole.tag.prefix(12) == sealed.tag.prefix(12) else { throw .doesNotOpen }
        return plaintext
      }
    },
    Fault("plaintext is right, but failure does not come", in: wycheproof, red: 27, plant: releaseUnverified),
    Fault("lines with FAIL open", in: "nist/gcmDecrypt256.rsp", red: 2586, plant: releaseUnverified),
    Fault("AAD is ignored", in: wycheproof, red: 18) {
      $0.gcm.seal = { (message, key, iv, _) throws(PrimitiveError) in try right.gcm.seal(message, key, iv, []) }
      $0.gcm.open = { (sealed, key, iv, _) throws(PrimitiveError) in try right.gcm.open(sealed, key, iv, []) }
    },
    Fault("AAD is ignored in opening alone", in: "nist/gcmDecrypt256.rsp", red: 2132) {
      $0.gcm.open = { (sealed, key, iv, _) throws(PrimitiveError) in try right.gcm.open(sealed, key, iv, []) }
    },
    Fault("the counter wraps over 128 bits", in: wycheproof, red: 6) {
      $0.gcm = slowGCM(countsOver128Bits: true)
    },
    Fault("an empty IV is taken as zeros", in: wycheproof, red: 2) {
      $0.gcm.seal = { (message, key, iv, aad) throws(PrimitiveError) in
        try right.gcm.seal(message, key, iv.isEmpty ? [0] : iv, aad)
      }
    },
    Fault("the tag is wrong in its last byte", in: wycheproof, red: 75) {
      $0.gcm.seal = { (message, key, iv, aad) throws(PrimitiveError) in
        var sealed = try right.gcm.seal(message, key, iv, aad)
        sealed.tag[15] ^= 1
        return sealed
      }
    },
    Fault("everything is refused", in: wycheproof, red: 75) {
      $0.gcm.seal = { (_, _, _, _) throws(PrimitiveError) in throw .refusesParameter("no") }
      $0.gcm.open = { (_, _, _, _) throws(PrimitiveError) in throw .refusesParameter("no") }
    },
    Fault("breaks down where it must refuse", in: wycheproof, red: 29) {
      $0.gcm.open = { (sealed, key, iv, aad) throws(PrimitiveError) in
        do throws(PrimitiveError) {
          return try right.gcm.open(sealed, key, iv, aad)
        } catch {
          throw .broke("out of order")
        }
      }
    },
    Fault("XAES has its halves of the nonce swapped", in: "xaes-256-gcm.json", red: 3) {
      let swapped: @Sendable ([UInt8]) -> [UInt8] = { Array($0[12...] + $0[..<12]) }
      $0.xaes.seal = { (message, key, iv, aad) throws(PrimitiveError) in
        try right.xaes.seal(message, key, swapped(iv), aad)
      }
      $0.xaes.open = { (sealed, key, iv, aad) throws(PrimitiveError) in
        try right.xaes.open(sealed, key, swapped(iv), aad)
      }
    },
    Fault("XAES is wrong for one length of AAD", in: "xaes-256-gcm.json", red: 1) {
      $0.xaes.seal = { (message, key, iv, aad) throws(PrimitiveError) in
        try right.xaes.seal(message, key, iv, aad.count == 255 ? [] : aad)
      }
      $0.xaes.open = { (sealed, key, iv, aad) throws(PrimitiveError) in
        try right.xaes.open(sealed, key, iv, aad.count == 255 ? [] : aad)
      }
    },
  ]

  private static let blockFaults = [
    Fault("padding over 16 is taken", in: SampleFiles.paddedCBC, red: 4) {
      $0.paddedCBC.open = lenientOpening { (plaintext, last) in
        last > 16 || plaintext.suffix(Int(last)).allSatisfy { $0 == last } && last > 0
      }
    },
    Fault("padding bytes are not compared", in: SampleFiles.paddedCBC, red: 3) {
      $0.paddedCBC.open = lenientOpening { (_, last) in (1...16).contains(last) }
    },
    Fault("padding of zero bytes is taken", in: SampleFiles.paddedCBC, red: 1) {
      $0.paddedCBC.open = lenientOpening { (plaintext, last) in
        last <= 16 && plaintext.suffix(Int(last)).allSatisfy { $0 == last }
      }
    },
    Fault("CBC ignores its IV", in: "nist/CBCMMT256.rsp", red: 20) {
      $0.plainCBC.seal = { (message, key, _) throws(PrimitiveError) in
        try right.plainCBC.seal(message, key, [UInt8](repeating: 0, count: 16))
      }
    },
    Fault("CBC is wrong once in 1024 blocks", in: "nist/CBCMCT256.rsp", red: 63) {
      $0.plainCBC.seal = { (message, key, iv) throws(PrimitiveError) in
        let wrong = message.first == 0x5A && (message.last ?? 0) & 3 == 0
        return try right.plainCBC.seal(wrong ? iv : message, key, iv)
      }
    },
  ]

  private static let derivationFaults = [
    Fault("HKDF has no largest length", in: "wycheproof/hkdf_sha256_test.json", red: 3) {
      $0.hkdf.derive = { (keyMaterial, salt, info, count) throws(PrimitiveError) in
        try right.hkdf.derive(keyMaterial, salt, info, min(count, 8160))
      }
    },
    Fault("HKDF ignores its salt", in: "rfc/rfc-5869-HKDF-SHA256.txt", red: 2) {
      $0.hkdf.derive = { (keyMaterial, _, info, count) throws(PrimitiveError) in
        try right.hkdf.derive(keyMaterial, [], info, count)
      }
    },
    Fault("scrypt takes parameters that it must refuse", in: "rfc/scrypt-golang.txt", red: 5) {
      $0.scrypt.derive = { (password, salt, cost, count) throws(PrimitiveError) in
        do throws(PrimitiveError) {
          return try right.scrypt.derive(password, salt, cost, count)
        } catch {
          return [UInt8](repeating: 0, count: count)
        }
      }
    },
    Fault("PBKDF2 does one iteration too many", in: { try SampleFiles.load(SampleFiles.pbkdf2) }, red: 1) {
      $0.pbkdf2.derive = { (hash, password, salt, iterations, count) throws(PrimitiveError) in
        try right.pbkdf2.derive(hash, password, salt, iterations + 1, count)
      }
    },
    Fault("HMAC ignores its message", in: { try SampleFiles.load(SampleFiles.mac) }, red: 2) {
      $0.hmac = { (key, _) throws(PrimitiveError) in try right.hmac(key, []) }
    },
  ]

  private static let releaseUnverified: @Sendable (inout Primitives) -> Void = {
    $0.gcm.open = { (sealed, key, iv, aad) throws(PrimitiveError) in
      try right.gcm.seal(sealed.ciphertext, key, iv, aad).ciphertext
    }
  }

  private static func slowGCM(countsOver128Bits: Bool) -> Primitives.AEAD {
    var gcm = right.gcm
    let cipher = { @Sendable (key: [UInt8]) in
      SlowGCM(cipher: right.plainCBC, key: key, countsOver128Bits: countsOver128Bits)
    }
    gcm.seal = { (message, key, iv, aad) throws(PrimitiveError) in
      if iv.isEmpty { throw .refusesParameter("an empty IV") }
      return try cipher(key).seal(message, iv: iv, aad: aad)
    }
    gcm.open = { (sealed, key, iv, aad) throws(PrimitiveError) in
      if iv.isEmpty { throw .refusesParameter("an empty IV") }
      let plaintext = try cipher(key).seal(sealed.ciphertext, iv: iv, aad: aad).ciphertext
      guard try cipher(key).seal(plaintext, iv: iv, aad: aad) == sealed else { throw .doesNotOpen }
      return plaintext
    }
    return gcm
  }

  /// Opens without padding and judges the padding itself: the whole plaintext, and its last byte.
  private static func lenientOpening(
    _ accepts: @escaping @Sendable ([UInt8], UInt8) -> Bool
  ) -> @Sendable ([UInt8], [UInt8], [UInt8]) throws(PrimitiveError) -> [UInt8] {
    { (ciphertext, key, iv) throws(PrimitiveError) in
      let plaintext = try right.plainCBC.open(ciphertext, key, iv)
      guard let last = plaintext.last, accepts(plaintext, last) else { throw .doesNotOpen }
      return Array(plaintext.dropLast(Int(last)))
    }
  }
}
