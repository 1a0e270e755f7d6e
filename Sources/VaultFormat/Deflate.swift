internal import CZlib
package import VaultCrypto

/// Raw DEFLATE (RFC 1951) of values, where a vault's policy allows it.
package enum Deflate {
  /// The deflated value; `nil` when it would not be shorter, and is stored as it is.
  package static func deflate(_ value: Span<UInt8>) -> [UInt8]? {
    guard value.count > 1 else { return nil }
    var output = [UInt8](repeating: 0, count: value.count - 1)
    var bytes = output.mutableSpan
    let written = tv_deflate(value, &bytes)
    guard written >= 0 else { return nil }
    output.removeLast(output.count - Int(written))
    return output
  }

  /// The value again.
  ///
  /// - Parameter limit: bytes that it may have at most; no more memory than that is taken.
  /// - Throws: `frame-damaged` for what is not one whole stream, or is longer than `limit`.
  package static func inflate(_ stored: Span<UInt8>, limit: Int) throws(FormatError) -> SecretBytes {
    // A byte of DEFLATE stands for at most 1032 bytes.
    let room = min(limit, stored.count * 1032)
    var scratch = [UInt8](repeating: 0, count: room)
    defer { wipe(&scratch) }
    // An empty span may have no address, which the call does not take; no stream is empty.
    let written = stored.count > 0 ? inflate(stored, into: &scratch) : -1
    guard written >= 0 else { throw FormatError(.frameDamaged, "a deflated value can't be inflated") }
    do {
      return try SecretBytes(copying: scratch.span.extracting(first: Int(written)))
    } catch {
      throw FormatError(error)
    }
  }

  /// Apart, and into an array: an optimizing build of Swift 6.3 crashes on this call with any other kind of buffer.
  @inline(never)
  private static func inflate(_ stored: Span<UInt8>, into output: inout [UInt8]) -> Int64 {
    var bytes = output.mutableSpan
    return tv_inflate(stored, &bytes)
  }

  /// Never inlined: the optimizer must not see that nobody reads the zeros.
  @inline(never)
  private static func wipe(_ bytes: inout [UInt8]) {
    for index in bytes.indices { bytes[index] = 0 }
  }
}
