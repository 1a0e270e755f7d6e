import VaultCrypto
import VaultFormat

/// One record of the usual size, and what the format demands of OpenSSL and zlib for it: nothing else is in these calls.
struct Primitives: ~Copyable {
  private static let plaintext = 288

  private var cipher: XAES256GCM
  private var hmac: HMACSHA256
  private var hash: SHA256
  private static let name = [UInt8](repeating: 1, count: 13)
  private static let label = [UInt8](repeating: 2, count: 18)
  /// Label and first link, 51 bytes, and 84 of the header.
  private static let additionalData = [UInt8](repeating: 3, count: 135)
  private static let bytes = [UInt8](repeating: 4, count: FloorFile.frame)
  /// `authTag | ciphertext`
  private var sealed: [UInt8] = []
  private var output: [UInt8] = []
  /// What was computed goes somewhere.
  private var sum: UInt32 = 0

  private init(_ cipher: consuming XAES256GCM, _ hmac: consuming HMACSHA256, _ hash: consuming SHA256) {
    self.cipher = cipher
    self.hmac = hmac
    self.hash = hash
  }

  /// Sealed once.
  static func make() throws(CryptoError) -> Primitives {
    let key = [UInt8](repeating: 5, count: XAES256GCM.keyLength)
    var primitives = Primitives(try XAES256GCM(key: key.span), try HMACSHA256(key: key.span), try SHA256())
    try primitives.seal()
    primitives.sealed = primitives.output
    return primitives
  }

  /// Nanoseconds of one `work` on one core: the least of a hundred rounds, since other programs can only make it more.
  static func nanoseconds(
    _ work: (inout Primitives) throws(CryptoError) -> Void
  ) throws(CryptoError) -> Double {
    var primitives = try make()
    let count = 2000
    var least = Double.infinity
    for _ in 0..<100 {
      let time = try seconds { () throws(CryptoError) in for _ in 0..<count { try work(&primitives) } }
      least = min(least, time / Double(count) * 1e9)
    }
    return least
  }

  /// All that a record takes to be written: lookup tag, both checksums, derivation and encryption, the link.
  mutating func write() throws(CryptoError) {
    try seal()
    try link()
  }

  /// All that a verification asks of a record: what a read asks, both checksums, the link.
  mutating func verify() throws(CryptoError) {
    try open()
    header()
    try link()
  }

  /// All that a rotation takes: a record whose header is right is opened, written under other keys, and opened again.
  mutating func rotate() throws(CryptoError) {
    header()
    try decrypt()
    try write()
    try decrypt()
  }

  /// Lookup tag, header's checksum, derivation and encryption.
  private mutating func seal() throws(CryptoError) {
    try tag()
    header()
    // Apart from the cipher, which is in use at the same time.
    var output: [UInt8] = []
    swap(&output, &self.output)
    output.removeAll(keepingCapacity: true)
    try output.append(addingCapacity: gcmTagLength + Self.plaintext) { (output) throws(CryptoError) in
      try cipher.seal(
        Self.bytes.span.extracting(first: Self.plaintext), salt: FixedBytes(), iv: FixedBytes(),
        authenticating: Self.additionalData.span, appendingTo: &output)
    }
    swap(&output, &self.output)
  }

  /// All that one read takes: lookup tag, derivation and decryption.
  mutating func open() throws(CryptoError) {
    try tag()
    try decrypt()
  }

  private mutating func decrypt() throws(CryptoError) {
    let sealed = sealed
    var output: [UInt8] = []
    swap(&output, &self.output)
    output.removeAll(keepingCapacity: true)
    try output.append(addingCapacity: Self.plaintext) { (output) throws(CryptoError) in
      try cipher.open(
        sealed.span.extracting(gcmTagLength..<sealed.count), salt: FixedBytes(), iv: FixedBytes(),
        tag: sealed.span.extracting(first: gcmTagLength), authenticating: Self.additionalData.span, appendingTo: &output
      )
    }
    swap(&output, &self.output)
  }

  private mutating func tag() throws(CryptoError) { sum ^= UInt32(try hmac.code(of: Self.name.span).span[0]) }

  private mutating func header() { sum ^= CRC32(of: Self.bytes.span.extracting(first: 84)).value }

  /// Of the whole frame: the link, and the checksum.
  private mutating func link() throws(CryptoError) {
    try hash.update(Self.label.span)
    try hash.update(Self.bytes.span)
    sum ^= UInt32(try hash.finish().span[0])
    sum ^= CRC32(of: Self.bytes.span.extracting(first: FloorFile.frame - 16)).value
  }
}
