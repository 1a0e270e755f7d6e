import Testing
import VaultCrypto
import VaultLaboratory

/// That secrets are not left in memory: each test looks through all of it.
@Suite("Wipes")
struct WipeTests {
  // Defends the wipe at the end of a secret's life, wherever it lay: in a slot, elsewhere on the secure heap, or in ordinary
  // memory, from which the allocator takes nothing back to the system at these sizes.
  @Test(arguments: [32, 200, 512, 4096, 130_000])
  func theEndOfASecret(_ capacity: Int) throws {
    let search = MemorySearch(seed: 0xAB00 + UInt64(capacity))
    // Until a slot was asked for, there is more room on the secure heap.
    _ = try SecretBytes(capacity: 200)
    // Between others of its kind, or the allocator would give the memory back to the system.
    let (first, second) = (try SecretBox(130_000), try SecretBox(130_000))
    // The search itself takes memory, and writes over a part of what it gets.
    var secret = Optional(try Self.secret(fullOf: search, capacity))
    let (third, fourth) = (try SecretBox(130_000), try SecretBox(130_000))
    #expect(try search.count() > 0)
    secret = nil
    #expect(try search.count() == 0)
    let isGone = secret == nil
    let count = [first, second, third, fourth].reduce(0) { $0 + $1.bytes.count }
    #expect(isGone && count == 0)
  }

  /// Filled with the bytes in its midst.
  private static func secret(_ capacity: Int, _ search: MemorySearch) throws -> SecretBytes {
    try SecretBytes(capacity: capacity) { (output) in
      output.append(repeating: 1, count: (capacity - search.length) / 2)
      search.append(to: &output)
    }
  }

  /// Filled with the bytes as often as there is room.
  private static func secret(fullOf search: MemorySearch, _ capacity: Int) throws -> SecretBytes {
    try SecretBytes(capacity: capacity) { (output) in
      while output.freeCapacity >= search.length { search.append(to: &output) }
    }
  }

  // Defends growth: the smaller buffer is wiped when a larger one takes its place.
  @Test func growth() throws {
    let search = MemorySearch(seed: 0xAC)
    var secret = try Self.secret(200, search)
    try secret.reserve(4000)
    #expect(try search.count() == 1)
    secret.removeAll()
    #expect(try search.count() == 0)
  }

  // Defends shortening and wiping in place: what is no longer part of the value is not in its buffer either.
  @Test func removedBytes() throws {
    let search = MemorySearch(seed: 0xAD)
    var secret = try Self.secret(64, search)
    secret.removeLast(search.length)
    #expect(try search.count() == 0)
    secret.append { (output) in search.append(to: &output) }
    #expect(try search.count() == 1)
    let start = secret.count - search.length
    secret.wipe(start..<start + search.length)
    let length = secret.count
    #expect(try search.count() == 0 && length == start + search.length)
  }

  // Defends the copies that OpenSSL's parameters need: key material, passphrases and salts are wiped with them.
  @Test(arguments: [0, 1, 2])
  func derivations(_ kind: Int) throws {
    let search = MemorySearch(seed: 0xAE00 + UInt64(kind))
    do {
      // The allocator writes over the first bytes of what it gets back.
      // Copies of several sizes, of which the search itself gets some and writes over them, but never all.
      for capacity in stride(from: 300, through: 1000, by: 50) {
        let secret = try Self.secret(fullOf: search, capacity)
        _ =
          switch kind {
          case 0: try KeyDerivation.hkdfSHA256(keyMaterial: secret.span, salt: [1].span, info: [2].span, count: 32)
          case 1: try KeyDerivation.scrypt(passphrase: secret.span, salt: [1].span, n: 2, r: 1, p: 1, count: 32)
          default:
            try KeyDerivation.pbkdf2(.sha256, passphrase: secret.span, salt: [1].span, iterations: 1, count: 32)
          }
        if capacity == 300 { #expect(try search.count() > 0) }
      }
    }
    #expect(try search.count() == 0)
  }

  // Defends random bytes: once handed out, nobody has them but the caller.
  @Test func randomBytes() throws {
    var random = try SystemRandom()
    let search: MemorySearch
    do {
      let drawn = try random.secret(32)
      search = MemorySearch(for: drawn.span)
      #expect(try search.count() == 1)
    }
    #expect(try search.count() == 0)
  }

  // Defends a plaintext whose tag does not fit: what was written of it is wiped in the caller's own buffer, under both ciphers.
  @Test func whatDoesNotOpen() throws {
    let (key, plaintext) = (pattern(32), pattern(100, seed: 9))
    var cipher = try XAES256GCM(key: key.span)
    let sealed = try [UInt8](capacity: 116) { (output) throws(CryptoError) in
      try cipher.seal(
        plaintext.span, salt: FixedBytes(), iv: FixedBytes(), authenticating: Span(), appendingTo: &output)
    }
    let ciphertext = Array(sealed[16...])
    let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 100)
    defer { unsafe room.deallocate() }
    for isWrong in [false, true] {
      unsafe room.initialize(repeating: 0xEE)
      var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
      var tag = Array(sealed[..<16])
      if isWrong { tag[15] ^= 1 }
      let code = errorCode { () throws(CryptoError) in
        try cipher.open(
          ciphertext.span, salt: FixedBytes(), iv: FixedBytes(), tag: tag.span, authenticating: Span(),
          appendingTo: &output)
      }
      let count = unsafe output.finalize(for: room)
      #expect(code == (isWrong ? .cannotOpen : nil) && count == (isWrong ? 0 : 100))
      #expect(unsafe Array(room) == (isWrong ? [UInt8](repeating: 0, count: 100) : plaintext))
    }
  }
}

/// Memory for a secret, which lives as long as this.
private final class SecretBox {
  let bytes: SecretBytes

  init(_ capacity: Int) throws { bytes = try SecretBytes(capacity: capacity) }
}
