import Testing
import VaultCrypto

@Suite("AES-256-GCM and XAES-256-GCM")
struct AuthenticatedCipherTests {
  private static let key = pattern(32)
  private static let iv = pattern(12, seed: 3)
  private static let aad = pattern(9, seed: 5)
  private static let message = pattern(40, seed: 11)

  private func seal(_ message: [UInt8]) throws -> (tag: [UInt8], ciphertext: [UInt8]) {
    let sealed = try AES256GCM.seal(
      message.span, key: Self.key.span, iv: Self.iv.span, authenticating: Self.aad.span)
    return (Array(sealed.prefix(16)), Array(sealed.dropFirst(16)))
  }

  private func gcmCode(
    _ ciphertext: [UInt8], tag: [UInt8], key: [UInt8] = key, iv: [UInt8] = iv, aad: [UInt8] = aad
  ) -> CryptoError.Code? {
    errorCode { () throws(CryptoError) in
      _ = try AES256GCM.open(ciphertext.span, tag: tag.span, key: key.span, iv: iv.span, authenticating: aad.span)
    }
  }

  // Defends the round trip at lengths around blocks, and of nothing at all.
  @Test(arguments: [0, 1, 15, 16, 17, 4096])
  func whatIsSealedOpens(_ count: Int) throws {
    let sealed = try seal(pattern(count))
    let opened = try AES256GCM.open(
      sealed.ciphertext.span, tag: sealed.tag.span, key: Self.key.span, iv: Self.iv.span,
      authenticating: Self.aad.span)
    let held = Array(opened.span)
    #expect(held == pattern(count))
  }

  // Defends authenticity: any changed bit of ciphertext, tag, AAD, IV and key closes the record.
  @Test func everyChangedBitIsRefused() throws {
    let sealed = try seal(Self.message)
    #expect(gcmCode(sealed.ciphertext, tag: sealed.tag) == nil)
    for bit in 0..<8 * sealed.ciphertext.count {
      #expect(gcmCode(sealed.ciphertext.flipping(bit: bit), tag: sealed.tag) == .cannotOpen)
    }
    for bit in 0..<128 { #expect(gcmCode(sealed.ciphertext, tag: sealed.tag.flipping(bit: bit)) == .cannotOpen) }
    for bit in 0..<72 {
      #expect(gcmCode(sealed.ciphertext, tag: sealed.tag, aad: Self.aad.flipping(bit: bit)) == .cannotOpen)
    }
    for bit in 0..<96 {
      #expect(gcmCode(sealed.ciphertext, tag: sealed.tag, iv: Self.iv.flipping(bit: bit)) == .cannotOpen)
    }
    for bit in 0..<256 {
      #expect(gcmCode(sealed.ciphertext, tag: sealed.tag, key: Self.key.flipping(bit: bit)) == .cannotOpen)
    }
  }

  // Defends against truncation: a shorter ciphertext does not open.
  @Test func everyTruncationIsRefused() throws {
    let sealed = try seal(Self.message)
    for count in 0..<sealed.ciphertext.count {
      #expect(gcmCode(Array(sealed.ciphertext[..<count]), tag: sealed.tag) == .cannotOpen)
    }
  }

  // Defends against short tags, which OpenSSL would take: every length but 16 is refused before it is asked.
  @Test func everyOtherTagLengthIsRefused() throws {
    let sealed = try seal(Self.message)
    for count in 0...32 where count != 16 {
      #expect(gcmCode(sealed.ciphertext, tag: Array((sealed.tag + sealed.tag)[..<count])) == .invalidParameter)
    }
  }

  // Defends the bounds of key and IV, in both directions.
  @Test func otherLengthsAreRefused() throws {
    for (key, iv) in [(0, 12), (16, 12), (31, 12), (33, 12), (32, 0), (32, 129)] {
      #expect(gcmCode([1], tag: pattern(16), key: pattern(key), iv: pattern(iv)) == .invalidParameter)
      let sealing = errorCode { () throws(CryptoError) in
        _ = try AES256GCM.seal(
          Self.message.span, key: pattern(key).span, iv: pattern(iv).span, authenticating: Self.aad.span)
      }
      #expect(sealing == .invalidParameter)
    }
  }

  // Defends XAES: a changed bit of either half of the nonce, the tag or the AAD gives an error and an empty output.
  @Test func xaesReleasesNothingUnverified() throws {
    var cipher = try XAES256GCM(key: Self.key.span)
    let (salt, iv) = (pattern(12), pattern(12, seed: 77))
    let sealed = try [UInt8](capacity: 16 + Self.message.count) { (output) throws(CryptoError) in
      try cipher.seal(
        Self.message.span, salt: FixedBytes(salt.span), iv: FixedBytes(iv.span), authenticating: Self.aad.span,
        appendingTo: &output)
    }
    let good = Parts(salt: salt, iv: iv, tag: Array(sealed[..<16]), ciphertext: Array(sealed[16...]), aad: Self.aad)
    #expect(open(good, with: &cipher) == Opened(code: nil, bytes: Self.message))
    let changes: [WritableKeyPath<Parts, [UInt8]>] = [\.salt, \.iv, \.tag, \.ciphertext, \.aad]
    for change in changes {
      for bit in 0..<8 * good[keyPath: change].count {
        var bad = good
        bad[keyPath: change] = good[keyPath: change].flipping(bit: bit)
        #expect(open(bad, with: &cipher) == Opened(code: .cannotOpen, bytes: []))
      }
    }
    #expect(open(good, with: &cipher).code == nil)
  }

  // Defends XAES's lengths: keys of 32 bytes and tags of 16, refused before OpenSSL is asked.
  @Test func xaesRefusesOtherLengths() throws {
    for count in [0, 16, 31, 33] {
      #expect(errorCode { () throws(CryptoError) in _ = try XAES256GCM(key: pattern(count).span) } == .invalidParameter)
    }
    var cipher = try XAES256GCM(key: Self.key.span)
    for count in [0, 12, 15, 17] {
      let parts = Parts(
        salt: pattern(12), iv: pattern(12), tag: pattern(count), ciphertext: pattern(20), aad: Self.aad)
      #expect(open(parts, with: &cipher) == Opened(code: .invalidParameter, bytes: []))
    }
  }

  private struct Parts {
    var salt: [UInt8]
    var iv: [UInt8]
    var tag: [UInt8]
    var ciphertext: [UInt8]
    var aad: [UInt8]
  }

  private struct Opened: Equatable {
    var code: CryptoError.Code?
    var bytes: [UInt8]
  }

  /// Opens into a buffer of its own; tells the error and what the buffer then held.
  private func open(_ parts: Parts, with cipher: inout XAES256GCM) -> Opened {
    var code: CryptoError.Code?
    let bytes = [UInt8](capacity: parts.ciphertext.count) { (output) in
      do throws(CryptoError) {
        try cipher.open(
          parts.ciphertext.span, salt: FixedBytes(parts.salt.span), iv: FixedBytes(parts.iv.span),
          tag: parts.tag.span, authenticating: parts.aad.span, appendingTo: &output)
      } catch {
        code = error.code
      }
    }
    return Opened(code: code, bytes: bytes)
  }
}
