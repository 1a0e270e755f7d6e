import Testing
import VaultCrypto

@Suite("AES-256-CBC")
struct BlockCipherTests {
  private static let key = pattern(32)
  private static let iv = pattern(16, seed: 3)

  private func seal(_ message: [UInt8], _ padding: AES256CBC.Padding = .pkcs7) throws -> [UInt8] {
    try AES256CBC.seal(message.span, key: Self.key.span, iv: Self.iv.span, padding: padding)
  }

  private func openCode(_ ciphertext: [UInt8], key: [UInt8] = key, iv: [UInt8] = iv) -> CryptoError.Code? {
    errorCode { () throws(CryptoError) in _ = try AES256CBC.open(ciphertext.span, key: key.span, iv: iv.span) }
  }

  // Defends the round trip at every length around two blocks; padding is always added.
  @Test func whatIsSealedOpens() throws {
    for count in 0...33 {
      let sealed = try seal(pattern(count))
      let opened = try AES256CBC.open(sealed.span, key: Self.key.span, iv: Self.iv.span)
      let held = Array(opened.span)
      #expect(held == pattern(count))
      #expect(sealed.count == (count / 16 + 1) * 16)
    }
  }

  // Defends the check of padding: of all values of the last byte, with what is before it, only whole paddings open.
  @Test func everyWrongPaddingIsRefused() throws {
    for filler in 0...17 {
      for last in 0...255 {
        let block = [UInt8](repeating: UInt8(filler), count: 15) + [UInt8(last)]
        let isPadding = last == 1 || (2...16).contains(last) && filler == last
        #expect(openCode(try seal(block, .none)) == (isPadding ? nil : .cannotOpen), "\(filler), \(last)")
      }
    }
  }

  // Defends that a ciphertext which is not whole blocks, or none at all, is only ever "does not open".
  @Test func brokenBlocksAreRefused() throws {
    let sealed = try seal(pattern(40))
    for count in 0..<sealed.count where count % 16 != 0 || count == 0 {
      #expect(openCode(Array(sealed[..<count])) == .cannotOpen)
    }
  }

  // Defends the lengths of key, IV and unpadded plaintext, refused before OpenSSL is asked.
  @Test func otherLengthsAreRefused() throws {
    for (key, iv) in [(0, 16), (16, 16), (31, 16), (33, 16), (32, 0), (32, 12), (32, 17)] {
      #expect(openCode(pattern(16), key: pattern(key), iv: pattern(iv)) == .invalidParameter)
      let sealing = errorCode { () throws(CryptoError) in
        _ = try AES256CBC.seal([1].span, key: pattern(key).span, iv: pattern(iv).span)
      }
      #expect(sealing == .invalidParameter)
    }
    let unpadded = errorCode { () throws(CryptoError) in
      _ = try AES256CBC.seal(pattern(15).span, key: Self.key.span, iv: Self.iv.span, padding: .none)
    }
    #expect(unpadded == .invalidParameter)
  }
}
