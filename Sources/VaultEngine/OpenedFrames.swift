internal import VaultCrypto
internal import VaultFormat

extension View {
  /// Opens every frame of the view once more, in the order of the file, one at a time.
  ///
  /// - Parameter body: is given the frame's plaintext: empty for a key slot, which only its owner's credential opens. Pages
  ///   of the index that were passed over are passed over again.
  /// - Throws: the error of the first frame that does not open, and what `body` throws.
  func forEachFrame(_ body: (FrameHeader, Span<UInt8>) throws(VaultError) -> Void) throws(VaultError) {
    var window = try FileWindow(file)
    for gap in badPages.gaps(in: UInt64(FileHeader.length)..<chain.offset) {
      var offset = gap.lowerBound
      while offset < gap.upperBound {
        let header = try window.header(at: offset, in: generation)
        if header.type == .keySlot {
          try body(header, [UInt8]().span)
        } else {
          try window.load(at: offset, count: header.frameLength)
          let plaintext = try format { () throws(FormatError) in
            try keyring.open(
              Frame(header, in: window.bytes(at: offset, count: header.frameLength)), in: generation)
          }
          try body(header, plaintext.span)
        }
        offset += UInt64(header.frameLength)
      }
    }
  }

  /// Takes apart the plaintext of a record.
  ///
  /// - Throws: `frame-damaged`.
  func record(_ plaintext: Span<UInt8>, of header: FrameHeader) throws(VaultError) -> Record {
    try format { () throws(FormatError) in
      try Record(parsing: plaintext, at: header.offset, in: generation.header)
    }
  }
}

extension Record.Operation {
  /// The word for a person.
  var name: String {
    switch self {
    case .put: "put"
    case .delete: "delete"
    case .event: "event"
    }
  }
}
