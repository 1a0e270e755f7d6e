internal import VaultFormat

extension View {
  /// The highest number of all slot frames in the file: a new slot's must be above it, so that no number means two keys.
  ///
  /// Slots stand in the founding batch and in checkpoints, each of which ends with a root that names the one before.
  ///
  /// - Throws: what is damaged in one of these.
  func highestSlotNumber() throws(VaultError) -> UInt32 {
    var highest = try lastSlotNumber(from: UInt64(FileHeader.length))
    var offset = chain.newestRoot
    while offset != 0 {
      let root = try header(at: offset)
      highest = max(highest, try lastSlotNumber(from: start(ofBatchEndedBy: root)))
      offset = root.newestRoot
    }
    return highest
  }

  /// Slots stand by ascending number.
  private func lastSlotNumber(from start: UInt64) throws(VaultError) -> UInt32 {
    var (offset, number) = (start, UInt32(0))
    while true {
      let bytes = try file.read(at: offset, count: FrameHeader.length + KeySlot.clearLength)
      let next = try format { () throws(FormatError) in
        let header = try FrameHeader(parsing: bytes.span, at: offset, in: generation)
        guard header.type == .keySlot else { return UInt32?.none }
        return try KeySlot(parsing: bytes.span.extracting(FrameHeader.length..<bytes.count)).number
      }
      guard let next else { return number }
      number = next
      offset += UInt64(Frame.overhead + KeySlot.clearLength + KeySlot.sealedLength)
    }
  }

  private func start(ofBatchEndedBy root: FrameHeader) throws(VaultError) -> UInt64 {
    let end = root.offset + UInt64(root.frameLength)
    let bytes = try file.read(at: end - UInt64(FrameTrailer.length), count: FrameTrailer.length)
    guard let trailer = FrameTrailer(parsing: bytes.span), UInt64(trailer.distance) < end else {
      throw VaultError(root.damaged("its trailer is damaged"))
    }
    return end - UInt64(trailer.distance)
  }

  /// The header of an index root that another frame names.
  private func header(at offset: UInt64) throws(VaultError) -> FrameHeader {
    let bytes = try file.read(at: offset, count: FrameHeader.length)
    return try format { () throws(FormatError) in
      let header = try FrameHeader(parsing: bytes.span, at: offset, in: generation)
      guard header.type == .indexRoot, header.newestRoot < offset else {
        throw header.damaged("it is not the index root that stood here")
      }
      return header
    }
  }
}
