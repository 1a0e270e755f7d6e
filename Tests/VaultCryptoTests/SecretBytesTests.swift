import Testing
import VaultCrypto

// One after the other: they share the secure heap, and one of them fills it.
@Suite("SecretBytes", .serialized)
struct SecretBytesTests {
  // Defends the basics: what goes in comes out, and the capacity is what was asked for.
  @Test(arguments: [0, 1, 16, 32, 4096])
  func holdsWhatItIsGiven(_ count: Int) throws {
    let bytes = pattern(count)
    let secret = try SecretBytes(copying: bytes.span)
    let (held, length, capacity) = (Array(secret.span), secret.count, secret.capacity)
    #expect(held == bytes)
    #expect(length == count)
    #expect(capacity == count)
  }

  // Defends filling in parts: bytes go behind those that are there, and unfilled room is not part of the value.
  @Test func appendsBehindWhatIsThere() throws {
    var secret = try SecretBytes(capacity: 8) { (output) in output.append(repeating: 7, count: 2) }
    secret.append([1, 2, 3].span)
    let (held, capacity) = (Array(secret.span), secret.capacity)
    #expect(held == [7, 7, 1, 2, 3])
    #expect(capacity == 8)
  }

  // Defends against half-filled secrets: when filling fails, the value is as before and what was written is gone.
  @Test func aFailedFillLeavesNothing() throws {
    var secret = try SecretBytes(capacity: 8)
    secret.append([1, 2].span)
    let code = errorCode { () throws(CryptoError) in
      try secret.append { (output) throws(CryptoError) in
        output.append(9)
        _ = try KeyDerivation.hkdfSHA256(
          keyMaterial: [1].span, salt: [1].span, info: [1].span, count: 0)
      }
    }
    let (held, room) = (Array(secret.span), secret.wholeBuffer)
    #expect(code == .invalidParameter)
    #expect(held == [1, 2])
    #expect(room == [1, 2, 0, 0, 0, 0, 0, 0])
  }

  // Defends the wipe: after removeAll the memory itself is zero.
  @Test(arguments: [32, 1 << 20])
  func removeAllWipes(_ capacity: Int) throws {
    var secret = try SecretBytes(copying: pattern(capacity).span)
    secret.removeAll()
    let (count, isWiped) = (secret.count, secret.wholeBuffer.allSatisfy { $0 == 0 })
    #expect(count == 0)
    #expect(isWiped)
  }

  // Defends growth: the bytes are kept, and asking for less changes nothing.
  @Test func reserveKeepsTheBytes() throws {
    var secret = try SecretBytes(copying: pattern(10).span)
    try secret.reserve(5)
    let before = secret.capacity
    try secret.reserve(11)
    let (held, after) = (Array(secret.span), secret.capacity)
    #expect(before == 10)
    #expect(after >= 20)
    #expect(held == pattern(10))
  }

  // Defends the copy: it is a buffer of its own.
  @Test func aCopyIsSeparate() throws {
    var secret = try SecretBytes(copying: pattern(10).span)
    let copy = try secret.copy()
    secret.removeAll()
    let held = Array(copy.span)
    #expect(held == pattern(10))
  }

  // Defends change in place.
  @Test func mutableSpanChangesTheBytes() throws {
    var secret = try SecretBytes(copying: [1, 2, 3].span)
    var bytes = secret.mutableSpan
    bytes[1] = 9
    let held = Array(secret.span)
    #expect(held == [1, 9, 3])
  }

  // Defends where keys lie: on the secure heap, which is locked; what is too large for it is not, and says so.
  @Test func smallOnesAreLocked() throws {
    let key = try SecretBytes(capacity: 32)
    let large = try SecretBytes(capacity: 1 << 20)
    let (keyIsLocked, largeIsLocked, capacity) = (key.isLocked, large.isLocked, large.capacity)
    #expect(keyIsLocked)
    #expect(!largeIsLocked)
    #expect(capacity == 1 << 20)
  }

  // Defends OpenSSL's generators, which live on the same heap: secrets without end leave them room.
  @Test func manyOfThemLeaveRoom() throws {
    let many = try (0..<10_000).map { _ in try Held(SecretBytes(capacity: 256)) }
    let lockedBytes = many.count { $0.secret.isLocked } * 256
    #expect(lockedBytes <= 1 << 17)
  }
}

private final class Held {
  let secret: SecretBytes

  init(_ secret: consuming SecretBytes) { self.secret = secret }
}

extension SecretBytes {
  /// Every byte of the buffer, also behind the bytes that are held.
  fileprivate var wholeBuffer: [UInt8] {
    unsafe span.withUnsafeBufferPointer { (held) in
      unsafe Array(UnsafeBufferPointer(start: held.baseAddress, count: capacity))
    }
  }
}
