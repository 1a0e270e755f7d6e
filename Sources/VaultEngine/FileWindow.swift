internal import VaultFormat

/// A piece of a file in memory, for walks from front to back.
///
/// It reads 64 KiB at a time, or a frame that is larger: enough that handing the piece to another thread costs next to nothing,
/// little enough that it stays in the processor's cache, and that memory is had again without the system's help.
struct FileWindow: ~Copyable {
  private static let chunk: UInt64 = 1 << 16
  /// The same for looking here and there.
  private static let glance: UInt64 = 1 << 12

  /// Whether it goes from front to back.
  var isWalking = true
  private let file: any StorageFile
  private var buffer: [UInt8] = []
  private var start: UInt64 = 0
  /// The file's length when the window was made; what is appended later is not seen.
  let length: UInt64

  private let reached: ((UInt64) -> Void)?

  /// - Parameter reached: is told up to where each piece reaches that was read.
  init(_ file: any StorageFile, reached: ((UInt64) -> Void)? = nil) throws(VaultError) {
    self.file = file
    self.reached = reached
    length = try file.length()
  }

  /// Bytes of the file from `offset` on.
  func remaining(from offset: UInt64) -> UInt64 { offset < length ? length - offset : 0 }

  /// Makes `count` bytes from `offset` available, or as many as the file has.
  mutating func load(at offset: UInt64, count: Int) throws(VaultError) {
    let wanted = min(UInt64(count), remaining(from: offset))
    if offset >= start, offset + wanted <= start + UInt64(buffer.count) { return }
    let ahead = isWalking ? Self.chunk : Self.glance
    let size = Int(min(max(UInt64(count), ahead), remaining(from: offset)))
    buffer.removeAll(keepingCapacity: true)
    start = offset
    // To append nothing to an empty array writes to the one that all empty arrays share.
    guard size > 0 else { return }
    try buffer.append(addingCapacity: size) { (output) throws(VaultError) in try file.read(at: offset, into: &output) }
    reached?(start + UInt64(buffer.count))
  }

  /// The bytes from `offset`, at most `count`, that ``load(at:count:)`` made available.
  @_lifetime(borrow self)
  func bytes(at offset: UInt64, count: Int) -> Span<UInt8> {
    let first = min(Int(offset - start), buffer.count)
    return buffer.span.extracting(first..<min(first + count, buffer.count))
  }

  /// The file header, and what it binds every frame to.
  ///
  /// - Throws: `header-damaged`, `unsupported-version`, `unsupported-feature`.
  mutating func generation() throws(VaultError) -> Generation {
    try load(at: 0, count: FileHeader.length)
    do {
      return try Generation(header: FileHeader(parsing: bytes(at: 0, count: FileHeader.length)))
    } catch {
      throw VaultError(error)
    }
  }

  /// The frame header at `offset`, valid and of a possible shape.
  ///
  /// - Throws: what is wrong with it.
  mutating func header(at offset: UInt64, in generation: Generation) throws(VaultError) -> FrameHeader {
    try load(at: offset, count: FrameHeader.length)
    do {
      return try shapedHeader(at: offset, in: generation)
    } catch {
      throw VaultError(error)
    }
  }

  /// The header of a frame that a walk has accepted.
  ///
  /// - Throws: `frame-damaged` when the file was cut or changed since.
  mutating func acceptedHeader(at offset: UInt64) throws(VaultError) -> FrameHeader {
    try load(at: offset, count: FrameHeader.length)
    let header: FrameHeader
    do {
      header = try FrameHeader(unchecked: bytes(at: offset, count: FrameHeader.length))
    } catch {
      throw VaultError(error.at(offset: offset))
    }
    try checkPlace(of: header, offset)
    return header
  }

  /// Another frame of this file, copied here since, would open.
  private func checkPlace(of header: FrameHeader, _ offset: UInt64) throws(VaultError) {
    guard header.offset == offset else {
      throw VaultError(.frameDamaged, "the frame was changed while it was read", offset: offset)
    }
  }

  /// The same as ``header(at:in:)``, of bytes that were loaded.
  func shapedHeader(at offset: UInt64, in generation: Generation) throws(FormatError) -> FrameHeader {
    let header = try FrameHeader(parsing: bytes(at: offset, count: FrameHeader.length), at: offset, in: generation)
    try header.checkShape()
    return header
  }

  /// The frames with valid headers of a possible shape that stand at `offset` side by side, as far as they are loaded.
  mutating func frameRun(at offset: UInt64, in generation: Generation) throws(VaultError) -> FrameRun {
    try load(at: offset, count: FrameHeader.length)
    // Loading more moves the window.
    if let first = try? shapedHeader(at: offset, in: generation) { try load(at: offset, count: first.frameLength) }
    let end = start + UInt64(buffer.count)
    guard offset < end else {
      // An empty run that says nothing would have whoever walks come back to it for ever.
      let failure = FormatError(.frameDamaged, "the file became shorter while it was read", offset: offset)
      return FrameRun(bytes: [], start: offset, headers: [], failure: failure)
    }
    var headers: [FrameHeader] = []
    var next = offset
    do throws(FormatError) {
      while next < end {
        let header = try shapedHeader(at: next, in: generation)
        if next + UInt64(header.frameLength) > end, next > offset { break }
        headers.append(header)
        next += UInt64(header.frameLength)
      }
      return FrameRun(bytes: buffer, start: start, headers: headers, failure: nil)
    } catch {
      // A header that is only loaded in part looks bad, too: whoever comes to it next loads the rest.
      return FrameRun(bytes: buffer, start: start, headers: headers, failure: next == offset ? error : nil)
    }
  }

  /// The record frames, accepted by a walk, that stand at `offset` side by side, as far as they are loaded.
  ///
  /// - Returns: at least one; `nil` when the frame there is none.
  /// - Throws: `frame-damaged` when the file was cut or changed since.
  mutating func recordRun(at offset: UInt64, end: UInt64) throws(VaultError) -> RecordRun? {
    let first = try acceptedHeader(at: offset)
    guard first.type == .record else { return nil }
    try load(at: offset, count: first.frameLength)
    let loaded = min(end, start + UInt64(buffer.count))
    var borders = [Int(offset - start)]
    var next = offset
    while next + UInt64(FrameHeader.length) <= loaded {
      let header: FrameHeader
      do {
        header = try FrameHeader(unchecked: bytes(at: next, count: FrameHeader.length))
      } catch {
        throw VaultError(error.at(offset: next))
      }
      guard header.type == .record, next + UInt64(header.frameLength) <= loaded else { break }
      try checkPlace(of: header, next)
      next += UInt64(header.frameLength)
      borders.append(Int(next - start))
    }
    guard borders.count > 1 else {
      throw VaultError(.frameDamaged, "the file became shorter while it was read", offset: offset)
    }
    return RecordRun(bytes: buffer, borders: borders, start: start)
  }
}
