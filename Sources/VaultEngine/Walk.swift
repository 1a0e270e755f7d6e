internal import VaultFormat

/// A walk over a file from one batch border as far as whole batches go, without any key (FORMAT.md, "Opening").
struct Walk {
  /// The end of the last complete batch.
  private(set) var committed: Chain
  /// Where that batch begins, and what is before it; `nil` if the walk met none.
  private(set) var lastBatch: Chain?
  /// Where the newest checkpoint begins that the walk met.
  private(set) var newestCheckpoint: UInt64?
  /// Why the walk did not go on; `nil` at the very end of the file.
  private(set) var failure: FormatError?
  /// Complete batches that the walk met.
  private(set) var batches: UInt64 = 0
  /// Record frames that the walk met.
  private(set) var records: UInt64 = 0
  /// Bad pages of the index that it passed over, in the order of the file.
  private(set) var badPages: [BadPage] = []

  /// Walks on from `start`.
  ///
  /// - Parameters:
  ///   - batchLimit: complete batches to stop behind.
  ///   - excuse: tells of pages that may be bad; usually nobody does.
  ///   - visit: is given the header of every frame, in order; those behind ``committed`` too.
  init(
    _ window: inout FileWindow, from start: Chain, in generation: Generation, batchLimit: UInt64 = .max,
    excusing excuse: PageExcuse? = nil, visit: (FrameHeader) -> Void = { _ in }
  ) throws(VaultError) {
    committed = start
    var chain = start
    var batch = start
    var hasher = try format { () throws(FormatError) in try LinkHasher() }
    while batches < batchLimit, window.remaining(from: chain.offset) > 0 {
      let offset = chain.offset
      if chain.isBetweenBatches { batch = chain }
      if let excuse, let passed = try excuse.passOver(&chain, &window, &hasher) {
        badPages += passed.pages
        if passed.endBatch { batches += 1 }
        continue
      }
      try window.load(at: offset, count: FrameHeader.length)
      let header: FrameHeader
      do {
        header = try window.shapedHeader(at: offset, in: generation)
      } catch {
        failure = error
        return
      }
      try window.load(at: offset, count: header.frameLength)
      do {
        _ = try chain.accept(header, in: window.bytes(at: offset, count: header.frameLength), hasher: &hasher)
      } catch {
        failure = error
        return
      }
      visit(header)
      if header.type == .record { records += 1 }
      if header.type == .indexRoot { newestCheckpoint = batch.offset }
      if chain.isBetweenBatches {
        committed = chain
        lastBatch = batch
        batches += 1
      }
    }
    if !chain.isBetweenBatches {
      failure = FormatError(.frameDamaged, "the file ends inside a batch", offset: chain.offset)
    }
  }
}
