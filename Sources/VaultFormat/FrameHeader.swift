internal import VaultCrypto

/// The type of a frame (FORMAT.md, "Frame"). Any byte can be held; ``isKnown`` and ``isAncillary`` tell what it means.
package struct FrameType: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let record = FrameType(rawValue: 1)
  package static let keySlot = FrameType(rawValue: 2)
  package static let dataKey = FrameType(rawValue: 3)
  package static let genesis = FrameType(rawValue: 4)
  package static let indexPage = FrameType(rawValue: 5)
  package static let indexRoot = FrameType(rawValue: 6)
  package static let anchor = FrameType(rawValue: 7)

  /// One of the types above.
  package var isKnown: Bool { (1...7).contains(rawValue) }
  /// A type of a later version whose content this one may ignore, though it opens and links the frame like any other.
  package var isAncillary: Bool { rawValue & 0x80 != 0 }

  /// Whether the frame is sealed under a data key, whose term its header names.
  package var usesDataKey: Bool { self == .record || self == .indexPage || self == .indexRoot || isAncillary }

  /// Bytes of the clear part.
  package var clearLength: Int {
    switch self {
    case .keySlot: KeySlot.clearLength
    case .anchor: FileHeader.length
    default: 0
    }
  }

  /// Bytes of the ciphertext where the type fixes them.
  var fixedCiphertextLength: Int? {
    switch self {
    case .keySlot: KeySlot.sealedLength
    case .dataKey: DataKey.plaintextLength
    case .indexPage: IndexPage.length
    default: nil
    }
  }

  /// What is wrong with a frame of this type whose bytes are.
  package var damage: FormatError.Code { self == .keySlot ? .slotDamaged : .frameDamaged }
}

/// The first 88 bytes of a frame (FORMAT.md, "Frame").
package struct FrameHeader: Equatable, Sendable {
  /// Size in bytes.
  package static let length = 88
  /// Where the link of the frame before stands in them.
  static let previousLinkOffset = 40
  /// The first four bytes.
  package static let sync: [UInt8] = [0xF5, 0x54, 0x56, 0x46]
  private static let syncNumber: UInt32 = 0xF554_5646
  /// The suite byte of every frame: XAES-256-GCM.
  package static let suite: UInt8 = 0x01

  package var type: FrameType
  package var suite: UInt8 = Self.suite
  /// Bit 0: the frame ends its batch.
  package var flags: UInt16 = 0
  /// Number of the frame in its file, from 1.
  package var sequence: UInt64
  /// Where the frame's first byte stands in the file.
  package var offset: UInt64
  /// Number of the frame in its batch, from 0.
  package var position: UInt32
  /// Term of the data key that seals the frame; 0 where no data key does.
  package var term: UInt32
  package var clearLength: UInt32
  package var ciphertextLength: UInt32
  /// Link of the frame before.
  package var previousLink: Link
  /// Offset of the newest index root in the complete batches before this frame's batch; 0 if there is none.
  package var newestRoot: UInt64

  /// Whether a batch is complete with this frame.
  package var endsBatch: Bool {
    get { flags & 1 != 0 }
    set { flags = newValue ? flags | 1 : flags & ~1 }
  }

  /// Bytes of the whole frame, trailer included; never overflows.
  package var frameLength: Int { Frame.overhead + Int(clearLength) + Int(ciphertextLength) }

  /// Reads a header that is valid by itself: sync, checksum under the file's first link, offset, reserved bytes.
  /// That needs no key, and is all that the tail rules ask of a *valid header*.
  ///
  /// - Parameters:
  ///   - bytes: the file's bytes from `offset`; fewer than 88 are not a header.
  ///   - offset: where they stand in the file.
  /// - Throws: `frame-damaged`, or `slot-damaged` when the type byte says that this is a slot.
  package init(parsing bytes: Span<UInt8>, at offset: UInt64, in generation: Generation) throws(FormatError) {
    guard bytes.count >= Self.length, bytes.bigEndian(at: 0, as: UInt32.self) == Self.syncNumber else {
      throw FormatError(.frameDamaged, "no frame begins here", offset: offset)
    }
    let header = bytes.extracting(first: Self.length)
    let damage = FrameType(rawValue: header[4]).damage
    guard Self.hasChecksum(header, in: generation) else {
      throw FormatError(damage, "the frame header's checksum does not fit", offset: offset)
    }
    do {
      try self.init(fieldsOf: header, failing: damage)
    } catch {
      throw error.at(offset: offset)
    }
    guard self.offset == offset else {
      throw FormatError(damage, "the frame was made for byte \(self.offset)", offset: offset, sequence: sequence)
    }
  }

  /// The header at `offset`, if there is a *valid header* there: for a caller that looks at many places.
  ///
  /// Most places are ciphertext. Whoever made them look like headers must not gain more than a checksum's time each: what is
  /// cheap is asked first, and errors are only made of headers that are valid.
  ///
  /// - Parameter bytes: the file's bytes from `offset`.
  package static func valid(in bytes: Span<UInt8>, at offset: UInt64, of generation: Generation) -> FrameHeader? {
    guard bytes.count >= length, bytes[0] == sync[0], bytes[1] == sync[1],
      bytes.bigEndian(at: 16) == offset, hasChecksum(bytes, in: generation)
    else { return nil }
    return try? FrameHeader(parsing: bytes, at: offset, in: generation)
  }

  /// Whether the checksum of these bytes, at least 88, fits: without an error for a caller that looks at many places.
  private static func hasChecksum(_ bytes: Span<UInt8>, in generation: Generation) -> Bool {
    var checksum = generation.checksumSeed
    checksum.add(bytes.extracting(first: 84))
    return checksum.value == bytes.bigEndian(at: 84)
  }

  /// Reads a header without asking its checksum or its place: that of a frame that a walk has accepted, or of one that is about
  /// to be opened.
  ///
  /// Should the bytes be wrong, the frame will not open: its additional data holds them, but for a link inside of a batch.
  ///
  /// - Throws: `frame-damaged` for fewer than 88 bytes, or what no header says of its frame.
  package init(unchecked bytes: Span<UInt8>) throws(FormatError) {
    guard bytes.count >= Self.length else { throw FormatError(.frameDamaged, "the file is shorter than it was") }
    try self.init(fieldsOf: bytes.extracting(first: Self.length), failing: .frameDamaged)
    try checkShape()
  }

  private init(fieldsOf bytes: Span<UInt8>, failing damage: FormatError.Code) throws(FormatError) {
    guard bytes.bigEndian(at: 80, as: UInt32.self) == 0 else {
      throw FormatError(damage, "frame header: reserved bytes are not zero")
    }
    type = FrameType(rawValue: bytes[4])
    suite = bytes[5]
    flags = bytes.bigEndian(at: 6)
    sequence = bytes.bigEndian(at: 8)
    offset = bytes.bigEndian(at: 16)
    position = bytes.bigEndian(at: 24)
    term = bytes.bigEndian(at: 28)
    clearLength = bytes.bigEndian(at: 32)
    ciphertextLength = bytes.bigEndian(at: 36)
    previousLink = Link(bytes.extracting(Self.previousLinkOffset..<Self.previousLinkOffset + 32))
    newestRoot = bytes.bigEndian(at: 72)
  }

  package init(
    type: FrameType, sequence: UInt64, offset: UInt64, position: UInt32, term: UInt32, ciphertextLength: Int,
    previousLink: Link, newestRoot: UInt64
  ) {
    self.type = type
    self.sequence = sequence
    self.offset = offset
    self.position = position
    self.term = term
    clearLength = UInt32(type.clearLength)
    self.ciphertextLength = UInt32(ciphertextLength)
    self.previousLink = previousLink
    self.newestRoot = newestRoot
  }

  /// Checks what the header says of its frame alone: type, suite, flags, lengths.
  ///
  /// - Throws: `frame-damaged`, or `slot-damaged` in a slot.
  package func checkShape() throws(FormatError) {
    guard type.isKnown || type.isAncillary else { throw damaged("its type \(type.rawValue) is unknown") }
    guard suite == Self.suite else { throw damaged("its suite \(suite) may not seal a frame") }
    guard flags & ~1 == 0 else { throw damaged("a reserved flag is set") }
    guard Int(clearLength) == type.clearLength else { throw damaged("its clear part has \(clearLength) bytes") }
    let sealed = Int(ciphertextLength)
    if let fixed = type.fixedCiphertextLength {
      guard sealed == fixed else { throw damaged("its ciphertext has \(sealed) bytes instead of \(fixed)") }
    }
    guard sealed > 0, sealed % 16 == 0 else { throw damaged("its ciphertext has \(sealed) bytes") }
    guard frameLength <= Limits.frame else {
      throw damaged("it would be \(frameLength) bytes long; 64 MiB is the limit")
    }
  }

  /// An error about this frame.
  package func damaged(_ what: String) -> FormatError {
    FormatError(type.damage, "the frame can't be right: \(what)", offset: offset, sequence: sequence)
  }

  /// Appends the 88 bytes, with zeros in the place of the checksum.
  package func serialize(into output: inout OutputSpan<UInt8>) {
    output.append(bigEndian: Self.syncNumber)
    output.append(type.rawValue)
    output.append(suite)
    output.append(bigEndian: flags)
    output.append(bigEndian: sequence)
    output.append(bigEndian: offset)
    output.append(bigEndian: position)
    output.append(bigEndian: term)
    output.append(bigEndian: clearLength)
    output.append(bigEndian: ciphertextLength)
    output.append(contentsOf: previousLink.span)
    output.append(bigEndian: newestRoot)
    output.append(bigEndian: UInt64(0))
  }

  /// Puts ``previousLink`` and the checksum, which depends on it, into this header at `start`.
  func writeLink(to bytes: inout MutableSpan<UInt8>, at start: Int, in generation: Generation) {
    bytes.replace(at: start + Self.previousLinkOffset, with: previousLink.span)
    var checksum = generation.checksumSeed
    checksum.add(bytes.span.extracting(start..<start + 84))
    bytes.replace(at: start + 84, bigEndian: checksum.value)
  }
}
