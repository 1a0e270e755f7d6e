internal import VaultCrypto
internal import VaultFormat

extension FuzzTarget {
  /// Every structure that stands in a vault, or is written down beside it. The first byte says which is read; what is read is
  /// written the same again.
  static let frame = FuzzTarget("frame", longest: 4200) { (input) throws(Violation) in
    guard input.count > 0, let read = FrameReading(rawValue: input[0]) else { return }
    try read.run(input.extracting(1..<input.count))
  }
}

/// What the bytes of an input are taken for.
enum FrameReading: UInt8, CaseIterable {
  case header, trailer, record, slot, page, root, anchor, genesis, dataKey, pin, head, legacyRecord, legacyText,
    sealedText

  func run(_ bytes: Span<UInt8>) throws(Violation) {
    switch self {
    case .header: try Self.readHeader(bytes)
    case .trailer: try Self.readTrailer(bytes)
    case .record: try Self.readRecord(bytes)
    case .slot: try same(bytes, (try? KeySlot(parsing: bytes))?.clear())
    case .page: try same(bytes, (try? IndexPage(parsing: bytes))?.plaintext())
    case .root: try Self.readRoot(bytes)
    case .anchor: try same(bytes, (try? Anchor(parsing: bytes))?.plaintext())
    case .genesis: try same(bytes, (try? Genesis(parsing: bytes))?.plaintext())
    case .dataKey: try Self.readDataKey(bytes)
    case .pin: try Self.readPin(bytes)
    case .head: try same(bytes, Head(String(decoding: bytes.array, as: UTF8.self)).map { Array($0.description.utf8) })
    case .legacyRecord: try same(bytes, (try? LegacyRecord(parsing: bytes))?.serialized())
    case .legacyText: try Self.readLegacyText(bytes)
    case .sealedText: try same(bytes, (try? SealedText(parsing: bytes))?.serialized())
    }
  }

  /// - Parameter written: what was read, written again; `nil`, when it could not be read.
  private func same(_ bytes: Span<UInt8>, _ written: [UInt8]?) throws(Violation) {
    guard let written else { return }
    try demand(written.span.equals(bytes), "\(self): what was read is written in another way")
  }

  // MARK: Frames

  private static let fileHeader = FileHeader(vaultID: FixedBytes(), fileID: FixedBytes(), generation: 1)
  private static let generation = try? Generation(header: fileHeader)

  /// A header with its sync and checksum made right; then the whole frame, with its trailer made right.
  private static func readHeader(_ bytes: Span<UInt8>) throws(Violation) {
    guard let generation, bytes.count >= FrameHeader.length else { return }
    var frame = FrameHeader.sync + bytes.extracting(4..<bytes.count).array
    var target = frame.mutableSpan
    let offset = target.span.bigEndian(at: 16, as: UInt64.self)
    var checksum = CRC32(of: generation.zeroLink.span)
    checksum.add(target.span.extracting(first: 84))
    target.replace(at: 84, bigEndian: checksum.value)
    let header = try? FrameHeader(parsing: frame.span, at: offset, in: generation)
    try demand(
      header == FrameHeader.valid(in: frame.span, at: offset, of: generation), "two readers of a header disagree")
    try demand((try? FrameHeader(parsing: frame.span, at: offset &+ 16, in: generation)) == nil, "a header elsewhere")
    guard let header else { return }
    try demand(header.written(checksum.value).span.equals(frame.span.extracting(first: FrameHeader.length)), "a header")
    let accepted = try? FrameHeader(unchecked: frame.span)
    try demand((accepted != nil) == ((try? header.checkShape()) != nil), "a shape is right for one reader alone")
    try demand(accepted == nil || accepted == header, "an accepted header is read in another way")
    try readFrame(header, &frame)
  }

  private static func readFrame(_ header: FrameHeader, _ bytes: inout [UInt8]) throws(Violation) {
    guard (try? Frame(header, in: bytes.span)) != nil else { return }
    let trailer = header.frameLength - FrameTrailer.length
    var target = bytes.mutableSpan
    target.replace(at: trailer, bigEndian: UInt32(header.frameLength))
    target.replace(at: trailer + 8, bigEndian: CRC32(of: target.span.extracting(first: trailer)).value)
    target.replace(at: trailer + 12, bigEndian: ~UInt32(header.frameLength))
    guard let frame = try? Frame(header, in: bytes.span) else { throw Violation("a frame is no more one") }
    let parts = frame.clear.count + frame.sealed.count
    try demand(
      parts + FrameHeader.length + FrameTrailer.length == frame.bytes.count, "the parts of a frame are not all of it")
    try demand(frame.ciphertext.count + 40 == frame.sealed.count, "the sealed part's lengths")
    guard let found = try? frame.checkedTrailer() else { return }
    try demand(Int(found.total) == frame.bytes.count, "a trailer of another length")
  }

  private static func readTrailer(_ bytes: Span<UInt8>) throws(Violation) {
    guard let trailer = FrameTrailer(parsing: bytes) else { return }
    let written = [UInt8](capacity: FrameTrailer.length) { (output) in
      output.append(bigEndian: trailer.total)
      output.append(bigEndian: trailer.distance)
      output.append(bigEndian: trailer.checksum)
      output.append(bigEndian: ~trailer.total)
    }
    try demand(written.span.equals(bytes.extracting(first: FrameTrailer.length)), "a trailer is written in another way")
    try demand(bytes[FrameTrailer.length - 1] != 0, "a trailer ends with zero")
  }

  // MARK: Plaintexts

  /// The first two bytes say what kind of file it is in.
  private static func readRecord(_ bytes: Span<UInt8>) throws(Violation) {
    guard bytes.count >= 2 else { return }
    var header = fileHeader
    header.padding = 16 << Int(bytes[0] & 7)
    header.allowsDeflate = bytes[0] & 8 != 0
    let offset = UInt64(bytes[1]) << 8
    let plaintext = bytes.extracting(2..<bytes.count)
    guard let record = try? Record(parsing: plaintext, at: offset, in: header) else { return }
    let written = try? record.plaintext(
      name: plaintext.extracting(record.nameRange), value: plaintext.extracting(record.valueRange),
      padding: header.padding)
    guard let written else { throw Violation("a record can't be written") }
    try demand(written.span.equals(plaintext), "a record is written in another way")
    try demand(Record.isSame(plaintext, as: written.span), "a record is not the same as itself")
    guard record.isDeflated else { return }
    guard let value = try? Deflate.inflate(plaintext.extracting(record.valueRange), limit: 1 << 16) else { return }
    try demand(value.count <= 1 << 16, "more was inflated than allowed")
  }

  private static func readRoot(_ bytes: Span<UInt8>) throws(Violation) {
    guard let root = try? IndexRoot(parsing: bytes) else { return }
    try demand(root.plaintext().span.equals(bytes), "a root is written in another way")
    for run in root.runs {
      var pages: UInt64 = 0
      for range in run.pageRanges { pages += UInt64(range.count) / UInt64(IndexPage.frameLength) }
      try demand(pages == UInt64(run.pages), "the segments of a run are not all of its pages")
    }
  }

  /// The commitment is made right, since no chance finds it.
  private static func readDataKey(_ bytes: Span<UInt8>) throws(Violation) {
    _ = try? DataKey(parsing: bytes, of: fileHeader.vaultID)
    guard bytes.count == DataKey.plaintextLength else { return }
    var plaintext = bytes.array
    let info = Array("tokenvault/1 commit".utf8) + [0] + plaintext[..<4]
    let vault = fileHeader.vaultID
    let commitment = try? KeyDerivation.hkdfSHA256(
      keyMaterial: plaintext.span.extracting(16..<48), salt: vault.span, info: info.span, count: 32)
    guard let commitment else { return }
    plaintext.replaceSubrange(48..., with: commitment.span.array)
    guard let key = try? DataKey(parsing: plaintext.span, of: fileHeader.vaultID) else { return }
    guard let written = try? key.plaintext(for: fileHeader.vaultID) else {
      throw Violation("a data key can't be written")
    }
    try demand(written.span.equals(plaintext.span), "a data key is written in another way")
  }

  // MARK: Texts

  private static func readPin(_ bytes: Span<UInt8>) throws(Violation) {
    if let pin = Pin(parsing: bytes) {
      try demand(pin.serialized().span.equals(bytes), "a pin is written in another way")
      try demand(Pin(text: pin.text) == pin, "a pin's text is another's")
    }
    let text = String(decoding: bytes.array, as: UTF8.self)
    if let pin = Pin(text: text) { try demand(pin.text.utf8.elementsEqual(text.utf8), "a pin has two texts") }
  }

  /// The first byte says which profile. Hexadecimal has two texts for a record, and is compared after a second reading.
  private static func readLegacyText(_ bytes: Span<UInt8>) throws(Violation) {
    guard bytes.count > 0 else { return }
    let isHex = bytes[0] & 1 == 1
    let profile: LegacyProfile = bytes[0] & 2 == 0 ? .gcmRaw : .gcmScrypt(.init(logN: 14, r: 8, p: 1, secret: .utf8))
    let form = LegacyText(order: LegacyText.common.order, encoding: isHex ? .hex : .base64)
    let text = bytes.extracting(1..<bytes.count)
    guard let record = try? form.parse(text, profile) else { return }
    let written = form.serialize(record)
    try demand((try? form.parse(written.span, profile)) == record, "a legacy record is another when it is written")
    try demand(isHex || written.span.equals(text), "a legacy record has two texts")
  }
}

extension FrameHeader {
  /// The 88 bytes.
  fileprivate func written(_ checksum: UInt32) -> [UInt8] {
    let zeros = [UInt8](capacity: Self.length) { (output) in serialize(into: &output) }
    return [UInt8](capacity: Self.length) { (output) in
      output.append(contentsOf: zeros.span.extracting(first: Self.length - 4))
      output.append(bigEndian: checksum)
    }
  }
}
