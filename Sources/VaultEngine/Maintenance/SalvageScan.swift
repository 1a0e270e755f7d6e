internal import VaultFormat

/// Goes over a file by its frames' sync marks, through whatever is damaged.
///
/// Somebody who knows the format and has no key can make a file over which this takes long: nothing but a key tells which of
/// the lengths in it are true.
struct SalvageScan: ~Copyable {
  private var window: FileWindow
  private let generation: Generation
  /// Where the next frame is looked for.
  private(set) var offset = UInt64(FileHeader.length)

  /// From the first place on where a frame can stand.
  init(of file: any StorageFile, in generation: Generation) throws(VaultError) {
    window = try FileWindow(file)
    self.generation = generation
  }

  /// Bytes of the file.
  var length: UInt64 { window.length }

  /// The next place where a frame begins whose header is valid and whose end lies in the file; `nil` when there is none.
  mutating func next() throws(VaultError) -> FrameHeader? {
    while offset < window.length {
      let place = offset
      offset += 16
      guard let header = try header(at: place), UInt64(header.frameLength) <= window.remaining(from: place) else {
        continue
      }
      try window.load(at: place, count: header.frameLength)
      return header
    }
    return nil
  }

  private mutating func header(at place: UInt64) throws(VaultError) -> FrameHeader? {
    try window.load(at: place, count: FrameHeader.length)
    let bytes = window.bytes(at: place, count: FrameHeader.length)
    guard let header = FrameHeader.valid(in: bytes, at: place, of: generation), (try? header.checkShape()) != nil else {
      return nil
    }
    return header
  }

  /// The bytes of the frame that ``next()`` has just given.
  @_lifetime(borrow self)
  func bytes(of header: FrameHeader) -> Span<UInt8> { window.bytes(at: header.offset, count: header.frameLength) }

  /// Goes on behind a frame that opens, in which no other begins.
  mutating func pass(_ header: FrameHeader) { offset = header.offset + UInt64(header.frameLength) }

  /// The end of what is not zero, as far as it is behind `start`.
  func endOfNonzero(behind start: UInt64, in file: any StorageFile) throws(VaultError) -> UInt64 {
    var (place, end) = (start, start)
    while place < length {
      let bytes = try file.read(at: place, count: Int(min(1 << 20, length - place)))
      guard !bytes.isEmpty else { break }
      if bytes.span.endOfNonzero > 0 { end = place + UInt64(bytes.span.endOfNonzero) }
      place += UInt64(bytes.count)
    }
    return end
  }
}
