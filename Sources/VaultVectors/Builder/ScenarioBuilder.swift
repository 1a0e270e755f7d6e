internal import VaultCrypto
internal import VaultFormat

/// Writes a vault frame by frame, right or wrong in whatever place a scenario wants.
///
/// It is made from FORMAT.md on primitives alone, not on the codec that it puts to the test. Where the next frame stands in
/// the chain is open to be changed, and so are all bytes. A value: a copy goes on as a fork of the same history. A failure
/// of a primitive is kept and thrown at the end, so that a scenario reads as a list of what it writes.
struct ScenarioBuilder {
  /// Where a frame was put.
  struct Placed {
    let offset: Int
    let sequence: UInt64
    let batchStart: Int
    let linkBefore: [UInt8]
    var length: Int

    /// Its bytes in the file.
    var range: Range<Int> { offset..<offset + length }
    /// The bytes of one of its fields in the file.
    func range(_ field: Field) -> Range<Int> { offset + field.offset..<offset + field.offset + field.size }
  }

  var random: ScenarioRandom
  private(set) var failure: CryptoError?

  // MARK: What the file is bound to

  /// The 128 bytes of the file header.
  private(set) var header: [UInt8] = []
  private(set) var zeroLink: [UInt8] = []
  var vaultID: [UInt8] { Array(header[HeaderField.vaultID.range]) }
  var fileID: [UInt8] { Array(header[HeaderField.fileID.range]) }
  var generation: UInt64 { header.get(HeaderField.generation) }

  // MARK: Keys

  var rootKey: [UInt8] = []
  /// The data-key plaintexts by term.
  var dataKeys: [UInt32: [UInt8]] = [:]
  /// The term that the next record is sealed under.
  var term: UInt32 = 1
  /// Clear part and sealed box of each live slot.
  var slots: [UInt32: [UInt8]] = [:]
  /// The plaintext of the genesis frame.
  var genesisPlaintext: [UInt8] = []

  // MARK: The chain

  /// The file so far.
  var bytes: [UInt8] = []
  /// In the order of the file.
  private(set) var frames: [Placed] = []
  /// Sequence, position, link, start of batch and root offset that the next frame goes on from.
  var sequence: UInt64 = 0
  var position: UInt32 = 0
  var link: [UInt8] = []
  var batchStart = 128
  var rootOffset = 0

  // MARK: Records

  var version: UInt64 = 0
  /// The newest put of each name.
  var puts: [[UInt8]: Int] = [:]
  var newestEvent = 0
  /// What the index is made of.
  var observed: [Observed] = []
  var index = IndexDraft()
  /// What readers release.
  var released: [Scenario.Record] = []
  /// How many of ``released`` belong to what counts; `nil` for all.
  var releasedCount: Int?

  // MARK: The scenario's header

  var credential = Scenario.Credential.key([])
  var finding: Int?
  var pin: [UInt8]?
  let seed: [UInt8]

  /// A file without any frame.
  init(seed: [UInt8], generation: UInt64 = 1) {
    self.seed = seed
    random = ScenarioRandom(seed: seed)
    var header = [UInt8](repeating: 0, count: 128)
    header.replaceSubrange(HeaderField.magic.range, with: FileHeader.magic)
    header.set(HeaderField.majorVersion, 1)
    header.set(HeaderField.generation, generation)
    header.set(HeaderField.padding, 32)
    header.replaceSubrange(HeaderField.vaultID.range, with: draw(16))
    header.replaceSubrange(HeaderField.fileID.range, with: draw(32))
    rootKey = draw(32)
    credential = .key(draw(32))
    begin(with: header)
  }

  /// Changes the file header and makes its checksum right. Only before the first frame.
  mutating func editHeader(_ edit: (inout [UInt8]) -> Void) {
    var changed = header
    edit(&changed)
    begin(with: changed)
  }

  private mutating func begin(with header: [UInt8]) {
    var header = header
    header.set(HeaderField.checksum, UInt64(CRC32(of: header.span.extracting(first: 124)).value))
    self.header = header
    zeroLink = linkDigest(header)
    link = zeroLink
    bytes = header
  }

  /// The end of the file.
  var end: Int { bytes.count }

  /// Says that what follows may not be released.
  mutating func keepReleased() { releasedCount = released.count }
}

extension ScenarioBuilder {
  /// Changes one frame. What each case leaves right tells how far a reader must look.
  enum FrameEdit {
    case none
    /// Changes the header before sealing: checksums, tag and chain are right for the changed header.
    case header((inout [UInt8]) -> Void)
    /// Changes the plaintext before sealing: everything around it is right.
    case plaintext((inout [UInt8]) -> Void)
    /// Changes the sealed frame, without its trailer; checksums and chain are made right afterwards, the tag is not.
    case forge((inout [UInt8]) -> Void)
    /// Changes the trailer; the chain goes on from the changed frame.
    case trailer((inout [UInt8]) -> Void)
    /// Changes the finished frame; nothing is made right, and the chain goes on from what it was.
    case damage((inout [UInt8]) -> Void)
  }

  /// Seals a frame and appends it.
  ///
  /// - Parameters:
  ///   - aad: instead of the frame's own: a slot's.
  ///   - ends: the frame ends its batch.
  @discardableResult
  mutating func frame(
    _ type: UInt8, plaintext: [UInt8], key: [UInt8], term: UInt32 = 0, clear: [UInt8] = [], ends: Bool,
    _ edit: FrameEdit = .none
  ) -> Placed {
    var plaintext = plaintext
    if case .plaintext(let change) = edit { change(&plaintext) }
    var head = frameHeader(type, term: term, clear: clear.count, sealed: plaintext.count, ends: ends)
    if case .header(let change) = edit { change(&head) }
    let aad = label("tokenvault/1 frame") + zeroLink + authenticated(head) + clear
    let box = seal(plaintext, key: key, aad: aad)
    return append(head + clear + box, edit)
  }

  /// Appends a frame whose sealed part is ready.
  @discardableResult
  mutating func frame(
    _ type: UInt8, box: [UInt8], clear: [UInt8], ends: Bool, _ edit: FrameEdit = .none
  ) -> Placed {
    var head = frameHeader(type, term: 0, clear: clear.count, sealed: box.count - 40, ends: ends)
    if case .header(let change) = edit { change(&head) }
    return append(head + clear + box, edit)
  }

  private func frameHeader(_ type: UInt8, term: UInt32, clear: Int, sealed: Int, ends: Bool) -> [UInt8] {
    var head = [UInt8](repeating: 0, count: 88)
    head.replaceSubrange(FrameField.sync.range, with: FrameHeader.sync)
    head.set(FrameField.type, UInt64(type))
    head.set(FrameField.suite, 1)
    head.set(FrameField.flags, ends ? 1 : 0)
    head.set(FrameField.sequence, sequence + 1)
    head.set(FrameField.offset, UInt64(end))
    head.set(FrameField.position, UInt64(position))
    head.set(FrameField.term, UInt64(term))
    head.set(FrameField.clearLength, UInt64(clear))
    head.set(FrameField.ciphertextLength, UInt64(sealed))
    head.replaceSubrange(FrameField.previousLink.range, with: link)
    head.set(FrameField.rootOffset, UInt64(rootOffset))
    return head
  }

  /// The header bytes that the tag covers.
  private func authenticated(_ head: [UInt8]) -> [UInt8] {
    var covered = Array(head.prefix(84))
    if covered.get(FrameField.flags) & 1 == 0 {
      covered.replaceSubrange(FrameField.previousLink.range, with: [UInt8](repeating: 0, count: 32))
    }
    return covered
  }

  /// Makes the checksums, applies the edits that come late, and moves the chain on.
  private mutating func append(_ sealed: [UInt8], _ edit: FrameEdit) -> Placed {
    var frame = sealed
    if case .forge(let change) = edit { change(&frame) }
    let covered = zeroLink + frame.prefix(84)
    frame.set(FrameField.checksum, UInt64(CRC32(of: covered.span).value))
    var trailer = [UInt8](repeating: 0, count: 16)
    let total = frame.count + 16
    trailer.set(TrailerField.total, UInt64(total))
    trailer.set(TrailerField.distance, UInt64(end + total - batchStart))
    trailer.set(TrailerField.checksum, UInt64(CRC32(of: frame.span).value))
    trailer.set(TrailerField.complement, UInt64(~UInt32(total)))
    if case .trailer(let change) = edit { change(&trailer) }
    frame += trailer
    let linkBefore = link
    link = linkDigest(frame)
    let whole = frame
    if case .damage(let change) = edit { change(&frame) }
    let placed = Placed(
      offset: end, sequence: sequence + 1, batchStart: batchStart, linkBefore: linkBefore, length: frame.count)
    bytes += frame
    frames.append(placed)
    advance(behind: whole, placed)
    return placed
  }

  private mutating func advance(behind frame: [UInt8], _ placed: Placed) {
    sequence += 1
    guard frame.get(FrameField.flags) & 1 == 1 else {
      position += 1
      return
    }
    position = 0
    batchStart = end
    if frame.get(FrameField.type) == 6 { rootOffset = placed.offset }
  }

  /// Lays frames one behind the other and makes right all that takes no key: offsets, sequences, links, distances and
  /// checksums. So much can be done by whoever can write the file.
  mutating func reassemble(_ parts: [[UInt8]]) {
    bytes = header
    (sequence, link, batchStart, position, frames) = (0, zeroLink, 128, 0, [])
    for part in parts {
      var head = Array(part.dropLast(16))
      head.set(FrameField.sequence, sequence + 1)
      head.set(FrameField.offset, UInt64(end))
      head.replaceSubrange(FrameField.previousLink.range, with: link)
      _ = append(head, .none)
    }
  }

  /// The bytes of every frame.
  var parts: [[UInt8]] { frames.map { Array(bytes[$0.range]) } }

  // MARK: Primitives

  /// The label and the zero byte behind it.
  func label(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

  mutating func draw(_ count: Int) -> [UInt8] {
    do throws(CryptoError) {
      return try random.bytes(count)
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: count)
    }
  }

  /// `salt | iv | authTag | ciphertext` under XAES-256-GCM.
  mutating func seal(_ plaintext: [UInt8], key: [UInt8], aad: [UInt8]) -> [UInt8] {
    let nonce = draw(24)
    do throws(CryptoError) {
      var cipher = try XAES256GCM(key: key.span)
      let sealed = try [UInt8](capacity: 16 + plaintext.count) { (output) throws(CryptoError) in
        try cipher.seal(
          plaintext.span, salt: FixedBytes(nonce.span.extracting(first: 12)),
          iv: FixedBytes(nonce.span.extracting(last: 12)), authenticating: aad.span, appendingTo: &output)
      }
      return nonce + sealed
    } catch {
      failure = failure ?? error
      return nonce + [UInt8](repeating: 0, count: 16 + plaintext.count)
    }
  }

  private mutating func linkDigest(_ bytes: [UInt8]) -> [UInt8] {
    let input = label("tokenvault/1 link") + bytes
    do throws(CryptoError) {
      let digest = try SHA256.digest(of: input.span)
      return digest.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: 32)
    }
  }

  /// HKDF-SHA-256 with the vault id as salt.
  mutating func derive(_ key: [UInt8], info: [UInt8], salt: [UInt8]? = nil, count: Int = 32) -> [UInt8] {
    do throws(CryptoError) {
      let salt = salt ?? vaultID
      let derived = try KeyDerivation.hkdfSHA256(
        keyMaterial: key.span, salt: salt.span, info: info.span, count: count)
      return derived.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: count)
    }
  }

  /// HMAC-SHA-256.
  mutating func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    do throws(CryptoError) {
      var hmac = try HMACSHA256(key: key.span)
      let code = try hmac.code(of: message.span)
      return code.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: 32)
    }
  }

  /// scrypt with r = 8.
  mutating func scrypt(_ passphrase: [UInt8], salt: [UInt8], logN: UInt8, p: UInt8) -> [UInt8] {
    do throws(CryptoError) {
      let derived = try KeyDerivation.scrypt(
        passphrase: passphrase.span, salt: salt.span, n: 1 << UInt64(logN), r: 8, p: UInt32(p), count: 64)
      return derived.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: 64)
    }
  }
}
