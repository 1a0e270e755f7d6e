internal import VaultCrypto

/// Good and bad cases of one authenticated suite.
struct AEADCases {
  /// The authTag, and the ciphertext behind it.
  typealias Seal = (_ message: [UInt8], _ key: [UInt8], _ iv: [UInt8], _ aad: [UInt8]) throws(CryptoError) -> [UInt8]

  private let ivLength: Int
  private let seal: Seal
  private var random: ScenarioRandom
  private(set) var tests: [WycheproofText.Test] = []

  init(seed: String, ivLength: Int, seal: @escaping Seal) {
    self.ivLength = ivLength
    self.seal = seal
    random = ScenarioRandom(seed: Array(seed.utf8))
  }

  /// One case before something in it is changed.
  private struct Sealed {
    var key: [UInt8]
    var iv: [UInt8]
    var aad: [UInt8]
    var message: [UInt8]
    var ciphertext: [UInt8]
    var tag: [UInt8]
  }

  private mutating func make(_ length: Int, aad aadLength: Int) throws(CryptoError) -> Sealed {
    let (key, iv) = (try random.bytes(32), try random.bytes(ivLength))
    let (aad, message) = (try random.bytes(aadLength), try random.bytes(length))
    let sealed = try seal(message, key, iv, aad)
    return Sealed(
      key: key, iv: iv, aad: aad, message: message, ciphertext: Array(sealed.dropFirst(16)),
      tag: Array(sealed.prefix(16)))
  }

  private mutating func add(_ comment: String, _ isValid: Bool, _ sealed: Sealed) {
    tests.append(
      .init(
        comment, isValid,
        [
          ("key", sealed.key), ("iv", sealed.iv), ("aad", sealed.aad), ("msg", sealed.message),
          ("ct", sealed.ciphertext), ("tag", sealed.tag),
        ]))
  }

  /// Messages of many lengths, and one message with everything wrong in turn.
  mutating func addAll() throws(CryptoError) {
    for length in [0, 1, 12, 15, 16, 17, 31, 32, 33, 64, 240, 4096] {
      for aad in [0, 13, 137] {
        add("a message of \(length) bytes, AAD of \(aad)", true, try make(length, aad: aad))
      }
    }
    for (comment, change) in Self.changes {
      var sealed = try make(40, aad: 20)
      change(&sealed)
      add(comment, false, sealed)
    }
    var empty = try make(0, aad: 0)
    empty.tag[0] ^= 1
    add("a changed tag over nothing", false, empty)
  }

  /// IVs that the suite does not have.
  mutating func addIVLengths(_ lengths: [Int]) throws(CryptoError) {
    for length in lengths {
      var sealed = try make(40, aad: 20)
      sealed.iv = Array((sealed.iv + sealed.iv + sealed.iv).prefix(length))
      add("an iv of \(length) bytes", false, sealed)
    }
  }

  private static let changes: [(String, @Sendable (inout Sealed) -> Void)] = [
    ("the first bit of the tag is flipped", { $0.tag[0] ^= 0x80 }),
    ("the last bit of the tag is flipped", { $0.tag[15] ^= 1 }),
    ("byte 12 of the tag is another", { $0.tag[12] ^= 0xFF }),
    ("all bytes of the tag are others", { (sealed) in sealed.tag = sealed.tag.map { ~$0 } }),
    ("the tag is zeros", { $0.tag = [UInt8](repeating: 0, count: 16) }),
    ("a tag of 15 bytes", { $0.tag.removeLast() }),
    ("a tag of 12 bytes", { $0.tag.removeLast(4) }),
    ("a tag of 4 bytes", { $0.tag.removeLast(12) }),
    ("a tag of 1 byte", { $0.tag.removeLast(15) }),
    ("no tag", { $0.tag = [] }),
    ("a tag of 17 bytes", { $0.tag.append(0) }),
    ("the tag stands twice", { $0.tag += $0.tag }),
    ("the first bit of the ciphertext is flipped", { $0.ciphertext[0] ^= 0x80 }),
    ("the last bit of the ciphertext is flipped", { $0.ciphertext[39] ^= 1 }),
    ("the ciphertext is a byte shorter", { $0.ciphertext.removeLast() }),
    ("the ciphertext is a byte longer", { $0.ciphertext.append(0) }),
    ("no ciphertext", { $0.ciphertext = [] }),
    ("a byte of the AAD is another", { $0.aad[7] ^= 1 }),
    ("the AAD is a byte shorter", { $0.aad.removeLast() }),
    ("the AAD is a byte longer", { $0.aad.append(0) }),
    ("no AAD", { $0.aad = [] }),
    ("another key", { $0.key[31] ^= 1 }),
    ("the first byte of the iv is another", { $0.iv[0] ^= 1 }),
    ("the last byte of the iv is another", { $0.iv[$0.iv.count - 1] ^= 1 }),
    (
      "the halves of the iv are exchanged, as salt and iv",
      { $0.iv = Array($0.iv[($0.iv.count / 2)...] + $0.iv[..<($0.iv.count / 2)]) }
    ),
  ]
}
