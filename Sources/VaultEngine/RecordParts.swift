internal import VaultCrypto
internal import VaultFormat

/// What a record says, but for its name and its value.
package struct RecordFacts: Sendable {
  /// What was done.
  package let operation: VaultEntry.Operation
  /// Number of the write in the vault's life, from 1.
  package let version: UInt64
  /// The value is a legacy sealed record, which only its own key opens.
  package let isLegacy: Bool
}

extension VaultSnapshot {
  /// What `add` makes of the records of the file, those of ``forEachRecord(_:)``: on all cores, some hundred records at a time.
  ///
  /// - Parameters:
  ///   - empty: what each part begins as.
  ///   - add: adds a record, its name and its value, which is inflated already, to the part that it is in. Runs on several threads
  ///     at the same time, and in each part in the order in which the records were written.
  ///   - give: is given the parts in the order in which their records were written.
  /// - Throws: as ``forEachRecord(_:)``, and what `add` and `give` throw.
  package func forEachPart<Part: Sendable>(
    _ empty: Part,
    add: @Sendable (RecordFacts, Span<UInt8>, Span<UInt8>, inout Part) throws(VaultError) -> Void,
    give: (Part) throws(VaultError) -> Void
  ) throws(VaultError) {
    let end = view.chain.offset
    let view = try wholeView
    var window = try FileWindow(view.file)
    var gaps = view.badPages.gaps(in: UInt64(FileHeader.length)..<end)[...]
    var offset = gaps.first?.lowerBound ?? end
    try Threads.inOrder { () throws(VaultError) in
      while let gap = gaps.first {
        while offset < gap.upperBound {
          if let run = try window.recordRun(at: offset, end: gap.upperBound) {
            offset = run.end
            return run
          }
          offset += UInt64(try window.acceptedHeader(at: offset).frameLength)
        }
        gaps = gaps.dropFirst()
        offset = gaps.first?.lowerBound ?? end
      }
      return RecordRun?.none
    } work: { (run) throws(VaultError) in
      var part = empty
      try run.forEachRecord(of: view) { (facts, name, value) throws(VaultError) in
        try add(facts, name, value, &part)
      }
      return part
    } give: { (part: Part) throws(VaultError) in
      try give(part)
    }
  }
}

extension RecordRun {
  /// Gives what its records say, their names and values to `body`.
  ///
  /// - Throws: the error of the first frame that does not open, and what `body` throws.
  fileprivate func forEachRecord(
    of view: View, _ body: (RecordFacts, Span<UInt8>, Span<UInt8>) throws(VaultError) -> Void
  ) throws(VaultError) {
    let first = try format { () throws(FormatError) in
      try FrameHeader(unchecked: bytes.span.extracting(borders[0]..<borders[1]))
    }
    try view.keyring.withCipher(term: first.term) { (cipher) throws(VaultError) in
      for number in 1..<borders.count {
        var failure: VaultError?
        do throws(FormatError) {
          let bytes = bytes.span.extracting(borders[number - 1]..<borders[number])
          let frame = try Frame(FrameHeader(unchecked: bytes), in: bytes)
          let header = frame.header
          // Between two terms there is a frame with a key.
          guard header.term == first.term else {
            throw FormatError(.chainBroken, "the record is not sealed under the term of the one before")
          }
          try cipher.open(frame, in: view.generation) { (plaintext) throws(FormatError) in
            let record = try Record(parsing: plaintext, at: header.offset, in: view.generation.header)
            let name = plaintext.extracting(record.nameRange)
            let value = plaintext.extracting(record.valueRange)
            let facts = RecordFacts(record)
            do throws(VaultError) {
              guard record.isDeflated else { return try body(facts, name, value) }
              let inflated = try format { () throws(FormatError) in
                try Deflate.inflate(value, limit: Limits.hardValue)
              }
              try body(facts, name, inflated.span)
            } catch {
              failure = error
            }
          }
        } catch {
          throw VaultError(error.at(offset: start + UInt64(borders[number - 1])))
        }
        if let failure { throw failure }
      }
    }
  }
}

extension RecordFacts {
  fileprivate init(_ record: Record) {
    operation = VaultEntry.Operation(record.operation)
    version = record.version
    isLegacy = record.isLegacy
  }
}

extension VaultEntry.Operation {
  init(_ operation: Record.Operation) {
    switch operation {
    case .put: self = .put
    case .delete: self = .delete
    case .event: self = .event
    }
  }
}
