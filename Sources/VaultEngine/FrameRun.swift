internal import VaultFormat

/// Frames with valid headers that stand side by side in memory. All are whole, but the first may go on behind the file's end.
struct FrameRun: Sendable {
  /// The bytes that hold them.
  let bytes: [UInt8]
  /// Offset of `bytes` in the file.
  let start: UInt64
  let headers: [FrameHeader]
  /// What is wrong with the first header, if there is no frame.
  let failure: FormatError?

  /// Offset in the file of what follows them.
  var end: UInt64 { headers.last.map { $0.offset + UInt64($0.frameLength) } ?? start }

  /// One of the frames.
  ///
  /// - Throws: `frame-damaged` for a shape that is not possible.
  @_lifetime(borrow self)
  func frame(_ header: FrameHeader) throws(FormatError) -> Frame {
    try Frame(header, in: bytes.span.extracting(Int(header.offset - start)..<bytes.count))
  }

  /// What is computed of each whole frame by itself, up to the first whose trailer does not fit: no walk goes on behind it.
  ///
  /// - Throws: `crypto-failure`.
  func digests() throws(VaultError) -> [FrameDigest] {
    try format { () throws(FormatError) in
      var hasher = try LinkHasher()
      var digests: [FrameDigest] = []
      digests.reserveCapacity(headers.count)
      for header in headers where end <= start + UInt64(bytes.count) {
        guard let digest = try hasher.digest(of: frame(header)) else { break }
        digests.append(digest)
      }
      return digests
    }
  }
}
