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
  /// The end of the last whole frame.
  private var chain: Chain
  /// Where the batch of that frame begins, or of the next one.
  private var batch: Chain

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
    chain = start
    batch = start
    if excuse == nil, batchLimit == .max {
      try goOn(&window, in: generation, visit)
    } else {
      try walkFrameByFrame(&window, in: generation, batchLimit, excuse, visit)
      if batches < batchLimit { noteEnd() }
    }
  }

  /// Walks on to the end of the file, from where the walk was to stop.
  mutating func goOn(
    _ window: inout FileWindow, in generation: Generation, _ visit: (FrameHeader) -> Void = { _ in }
  ) throws(VaultError) {
    try walkInRuns(&window, in: generation, visit)
    noteEnd()
  }

  private mutating func noteEnd() {
    if failure == nil, !chain.isBetweenBatches {
      failure = FormatError(.frameDamaged, "the file ends inside a batch", offset: chain.offset)
    }
  }

  /// Computes checksums and links of many frames at the same time: each of its own bytes. Whether a frame belongs where it
  /// stands is then seen in order.
  private mutating func walkInRuns(
    _ window: inout FileWindow, in generation: Generation, _ visit: (FrameHeader) -> Void
  ) throws(VaultError) {
    var next = chain.offset
    var isAtEnd = false
    try Threads.inOrder { () throws(VaultError) in
      guard !isAtEnd, window.remaining(from: next) > 0 else { return FrameRun?.none }
      let run = try window.frameRun(at: next, in: generation)
      next = run.end
      isAtEnd = run.failure != nil
      return run
    } work: { (run) throws(VaultError) in
      (run, try run.digests())
    } give: { (result: (run: FrameRun, digests: [FrameDigest])) throws(VaultError) in
      // Behind a bad frame, no more is taken, and what was taken before that was seen is not looked at.
      guard failure == nil else { return }
      accept(result.run, result.digests, visit)
      isAtEnd = failure != nil
    }
  }

  private mutating func accept(_ run: FrameRun, _ digests: [FrameDigest], _ visit: (FrameHeader) -> Void) {
    do throws(FormatError) {
      if let failure = run.failure { throw failure }
      for (number, header) in run.headers.enumerated() {
        let frame = try run.frame(header)
        startFrame()
        if number < digests.count {
          try chain.accept(frame, with: digests[number])
        } else {
          // Something is wrong with it, and this says what.
          var hasher = try LinkHasher()
          _ = try chain.accept(header, in: frame.bytes, hasher: &hasher)
        }
        note(header, visit)
      }
    } catch {
      failure = error
    }
  }

  private mutating func walkFrameByFrame(
    _ window: inout FileWindow, in generation: Generation, _ batchLimit: UInt64, _ excuse: PageExcuse?,
    _ visit: (FrameHeader) -> Void
  ) throws(VaultError) {
    var hasher = try format { () throws(FormatError) in try LinkHasher() }
    while batches < batchLimit, window.remaining(from: chain.offset) > 0 {
      startFrame()
      if let passed = try excuse?.passOver(&chain, &window, &hasher) {
        badPages += passed.pages
        if passed.endBatch { batches += 1 }
        continue
      }
      let offset = chain.offset
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
      note(header, visit)
    }
  }

  private mutating func startFrame() {
    if chain.isBetweenBatches { batch = chain }
  }

  private mutating func note(_ header: FrameHeader, _ visit: (FrameHeader) -> Void) {
    visit(header)
    if header.type == .record { records += 1 }
    if header.type == .indexRoot { newestCheckpoint = batch.offset }
    guard chain.isBetweenBatches else { return }
    committed = chain
    lastBatch = batch
    batches += 1
  }
}
