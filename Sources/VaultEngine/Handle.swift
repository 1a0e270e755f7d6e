internal import VaultCrypto
internal import VaultFormat

/// How a vault is opened.
public struct VaultOptions: Sendable {
  /// How long a write waits for other processes before it fails with `locked`.
  public var lockTimeout: Duration = .seconds(10)
  /// Opens for reading alone: nothing on the disk is changed, whatever is found there.
  public var readOnly = false

  /// Waits ten seconds; writes are allowed.
  public init() {}
}

/// One process's open vault, and the steps of a commit. A value without a thread: ``Vault`` puts a lock around it.
///
/// The order of the steps is what makes commits atomic and durable (spec/DESIGN.md, "Commit").
struct Handle: ~Copyable, Sendable {
  private let environment: Environment
  private let options: VaultOptions
  private var random: AnyRandomSource
  /// What is known of the file.
  private(set) var view: View
  /// The last batch in the file was written and synced by this handle: it need not be written again.
  private var endIsOwn = false
  private var hasSwept = false
  /// Why this handle acknowledges nothing more.
  private var failure: VaultError?

  /// Opens the vault at the environment's path.
  init(
    _ environment: Environment, with credential: borrowing Credential, options: VaultOptions
  ) throws(VaultError) {
    let file = try environment.storage.open(writable: !options.readOnly)
    let view = try Self.readingAgain(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, with: credential)
    }
    try self.init(environment, view, options)
  }

  /// A handle on a file that was just opened.
  init(_ environment: Environment, _ view: View, _ options: VaultOptions) throws(VaultError) {
    self.environment = environment
    self.options = options
    self.view = view
    random = try crypto(environment.makeRandom)
  }

  /// Reads what another process may be writing at this moment: before damage is reported, the lock is asked whether a
  /// writer is at work, and the file is read again (FORMAT.md, "Tail rules").
  private static func readingAgain<Result>(
    _ storage: any Storage, _ read: () throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    var attempts = 0
    while true {
      let damage: VaultError
      do {
        return try read()
      } catch {
        guard error.code.isDamage else { throw error }
        damage = error
      }
      attempts += 1
      do throws(VaultError) {
        guard let lock = try storage.lock(.shared, wait: .milliseconds(attempts * 20)) else { throw damage }
        defer { withExtendedLifetime(lock) {} }
        return try read()
      } catch {
        // Busy: what looked like damage may be a batch that is half written. Look again, a few times.
        guard error.code == .locked, attempts < 10 else { throw error.code == .locked ? damage : error }
      }
    }
  }

  private func checkUsable() throws(VaultError) {
    guard let failure else { return }
    guard failure.code != .handleFailed else { throw failure }
    throw VaultError(
      .handleFailed, "an earlier write failed (\(failure.sentence)); this handle acknowledges nothing more",
      remedy: "open the vault again", systemError: failure.systemError)
  }

  /// Acknowledges nothing more.
  mutating func close() {
    if failure == nil { failure = VaultError(.handleFailed, "the handle was closed") }
  }

  // MARK: Seeing what others wrote

  /// Makes every commit visible that had returned before this call, in whatever process.
  mutating func refresh() throws(VaultError) {
    try checkUsable()
    try followReplacement()
    guard try hasGrown() else { return }
    let storage = environment.storage
    var next = view
    let grown = try Self.readingAgain(storage) { () throws(VaultError) in
      next = view
      return try Self.catchUp(&next) != nil
    }
    view = next
    if grown { endIsOwn = false }
  }

  /// Whether anything but space allocated ahead stands behind what is known.
  private func hasGrown() throws(VaultError) -> Bool {
    let next = try view.file.read(at: view.chain.offset, count: FrameHeader.sync.count)
    if next.isEmpty, try view.file.length() < view.chain.offset {
      throw VaultError(
        .tailDamaged, "the file is shorter than it was: somebody cut off batches that were committed",
        offset: try view.file.length())
    }
    return !next.span.isZero
  }

  /// Moves to the file that stands at the path now, if another generation has taken this one's place.
  private mutating func followReplacement() throws(VaultError) {
    let identity = try environment.storage.identity()
    guard identity != view.file.identity else { return }
    guard identity != nil else {
      throw VaultError(.noVault, "the vault at \(environment.storage.path) is gone: somebody removed or renamed it")
    }
    let file = try environment.storage.open(writable: !options.readOnly)
    let keyring = view.keyring
    view = try Self.readingAgain(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, succeeding: keyring)
    }
    endIsOwn = false
  }

  /// Takes in the batches behind a view.
  ///
  /// - Returns: the torn tail behind them; `nil`, if there were no batches and no tail.
  private static func catchUp(_ view: inout View) throws(VaultError) -> (batches: UInt64, tail: Tail, torn: Bool)? {
    var window = try FileWindow(view.file)
    let walk = try Walk(&window, from: view.chain, in: view.generation)
    try view.replay(walk, &window)
    let tail = try Tail(&window, behind: walk, in: view.generation)
    let keyring = view.keyring
    let generation = view.generation
    let verdict = try tail.judge { (frame) in keyring.opening(of: frame, in: generation) }
    guard walk.batches > 0 || verdict == .torn else { return nil }
    return (walk.batches, tail, verdict == .torn)
  }

  // MARK: Commit

  /// Writes a batch and syncs it.
  ///
  /// - Returns: the version of each write, in order.
  mutating func commit(_ batch: borrowing VaultBatch) throws(VaultError) -> [UInt64] {
    try checkUsable()
    guard !options.readOnly else { throw VaultError(.readOnly, "the vault was opened for reading alone") }
    guard !view.generation.header.mustStayReadOnly else {
      throw VaultError(
        .unsupportedFeature, "the file uses a feature that this program does not know and may only read",
        remedy: "use a newer release of tokenvault")
    }
    guard batch.count <= VaultLimits.batch else {
      throw VaultError(.limitExceeded, "a batch has \(batch.count) writes; \(VaultLimits.batch) is the limit")
    }
    guard !batch.isEmpty else { return [] }
    let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    try prepareToAppend()
    let sealed = try BatchSealer.seal(batch, after: view, at: environment.now(), random: &random)
    try writeLastBatchAgain()
    try append(sealed.bytes)
    view.append(sealed.records, end: sealed.end)
    endIsOwn = true
    return sealed.records.map(\.version)
  }

  /// Under the lock: the file at the path, all of its batches, and no torn tail.
  private mutating func prepareToAppend() throws(VaultError) {
    if !hasSwept {
      environment.storage.sweep()
      hasSwept = true
    }
    try followReplacement()
    guard try view.file.length() != view.chain.offset else { return }
    _ = try hasGrown()
    var next = view
    guard let found = try Self.catchUp(&next) else { return }
    view = next
    if found.batches > 0 { endIsOwn = false }
    guard found.torn else { return }
    try environment.storage.keepTorn(found.tail.torn.span, from: view.chain.sequence + 1)
    // Cut, and the cut synced, before anything is appended: never written over in place.
    try latching { (view) throws(VaultError) in
      try view.file.resize(to: view.chain.offset)
      try view.file.sync()
    }
  }

  /// The writer before may have died between its write and its sync: what it wrote is synced before anything builds on it.
  private mutating func writeLastBatchAgain() throws(VaultError) {
    guard !endIsOwn else { return }
    let count = Int(view.chain.offset - view.lastBatch)
    let bytes = try view.file.read(at: view.lastBatch, count: count)
    guard bytes.count == count else {
      throw VaultError(.tailDamaged, "the file is shorter than it was a moment ago", offset: view.lastBatch)
    }
    try latching { (view) throws(VaultError) in
      try view.file.write(bytes.span, at: view.lastBatch)
      try view.file.sync()
    }
    endIsOwn = true
  }

  /// One write, one sync. Whatever fails, the file is cut back to what was committed while the lock is still held.
  private mutating func append(_ bytes: [UInt8]) throws(VaultError) {
    do {
      try view.file.write(bytes.span, at: view.chain.offset)
    } catch {
      let cut: Void? = try? cutBack()
      // Without room nothing was promised and nothing is left: the handle may go on once there is room.
      if error.code != .diskFull || cut == nil { failure = error }
      throw error
    }
    do {
      try view.file.sync()
    } catch {
      failure = error
      try? view.file.resize(to: view.chain.offset)
      throw error
    }
  }

  private func cutBack() throws(VaultError) {
    try view.file.resize(to: view.chain.offset)
    try view.file.sync()
  }

  private mutating func latching(_ body: (View) throws(VaultError) -> Void) throws(VaultError) {
    do {
      try body(view)
    } catch {
      failure = error
      throw error
    }
  }
}
