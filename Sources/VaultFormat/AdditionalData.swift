internal import VaultCrypto

/// What the authTag of a frame vouches for beside its ciphertext:
/// `"tokenvault/1 frame" || 00 || link(0) || header[0..<84] || clear`.
///
/// The previous link is taken as zero in every frame that does not end its batch, so that the frames of a batch can be sealed
/// side by side. Stored inline: it is made for every frame that is sealed or opened.
struct AdditionalData {
  /// Room for label and link(0), 84 bytes of header, and the longest clear part, that of an anchor: 51 + 84 + 128.
  private var bytes = InlineArray<263, UInt8>(repeating: 0)
  private let count: Int

  /// - Parameter header: the frame's 88 bytes.
  init(header: Span<UInt8>, clear: Span<UInt8>, in generation: Generation) {
    let prefix = generation.additionalDataPrefix
    let start = prefix.span.count
    count = start + 84 + clear.count
    var target = bytes.mutableSpan
    target.replace(at: 0, with: prefix.span)
    target.replace(at: start, with: header.extracting(first: 84))
    target.replace(at: start + 84, with: clear)
    let endsBatch = header[7] & 1 != 0
    if !endsBatch { target.replace(at: start + FrameHeader.previousLinkOffset, with: Link().span) }
  }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span.extracting(first: count) }
  }
}
