internal import ZlibSpans
package import VaultCrypto

/// Raw DEFLATE (RFC 1951) of values, where a vault's policy allows it.
package enum Deflate {
  /// The deflated value; `nil` when it would not be shorter, and is stored as it is.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  package static func deflate(_ value: Span<UInt8>) throws(FormatError) -> SecretBytes? {
    guard value.count > 1 else { return nil }
    var stored = try SecretBytes.zeros(value.count - 1)
    var bytes = stored.mutableSpan
    guard let written = ZlibSpans.deflate(value, into: &bytes) else { return nil }
    stored.removeLast(stored.count - written)
    return consume stored
  }

  /// The value again.
  ///
  /// - Parameter limit: bytes that it may have at most; no more memory than that is taken.
  /// - Throws: `frame-damaged` for what is not one whole stream; `limit-exceeded` for what is longer than `limit`.
  package static func inflate(_ stored: Span<UInt8>, limit: Int) throws(FormatError) -> SecretBytes {
    // A byte of DEFLATE stands for at most 1032 bytes.
    let room = min(limit, stored.count * 1032)
    var value = try SecretBytes.zeros(room)
    var bytes = value.mutableSpan
    switch ZlibSpans.inflate(stored, into: &bytes) {
    case .whole(let written): value.removeLast(room - written)
    case .tooLong where room == limit:
      throw FormatError(.limitExceeded, "a value inflates to more than \(limit) bytes")
    case .tooLong, .damaged: throw FormatError(.frameDamaged, "a deflated value can't be inflated")
    }
    return value
  }
}

extension SecretBytes {
  fileprivate static func zeros(_ count: Int) throws(FormatError) -> SecretBytes {
    try crypto { () throws(CryptoError) in
      try SecretBytes(capacity: count) { (output) in output.append(repeating: 0, count: count) }
    }
  }
}
