internal import Dispatch
internal import Synchronization
internal import VaultEngine

/// Notes reads of tokens, where the vault's setting asks for it, without a sync for each: events are gathered, and committed
/// along with the next write, or by themselves when there are many or they have waited for a second.
///
/// Nothing that fails here keeps a read from succeeding. What was not committed when the process is killed is lost.
final class ReadAudit: Sendable {
  /// A read that waits to be recorded.
  struct Event: Sendable {
    let name: [UInt8]
    let value: [UInt8]
  }

  private struct State {
    var waiting: [Event] = []
    /// Somebody will commit what waits.
    var isTimed = false
    /// Those that there was no room for.
    var lost = 0
    var queue: DispatchQueue?
  }

  /// Events that are committed without waiting for more; and that wait at most, when commits fail or take their time.
  private static let (batch, limit) = (1024, 8192)
  /// How long a handle that else only reads waits for writers.
  private static let lockTimeout = Duration.seconds(1)

  private let vault: Vault
  private let instruments: Instruments
  private let now: @Sendable () -> Int64
  /// Milliseconds that an event waits for a write that takes it along.
  private let wait: Int
  /// Stamp of the vault when the setting was looked at; no vault has the first one.
  private let stamp = Atomic<UInt64>(.max)
  /// One in so many reads; 0 for none.
  private let period = Atomic(0)
  /// What is found last is what counts.
  private let looking = Mutex(())
  private let draws = Atomic<UInt64>(UInt64.random(in: 0 ... .max))
  private let state = Mutex(State())

  init(_ vault: Vault, _ instruments: Instruments, now: @escaping @Sendable () -> Int64, wait: Int) {
    (self.vault, self.instruments, self.now, self.wait) = (vault, instruments, now, wait)
  }

  deinit { flushAside() }

  // MARK: Noting

  /// Notes that the token of `id` was read, if that is to be noted.
  ///
  /// - Parameter stamp: of the vault, when it was read. As long as it stays the same, so does the setting, and this costs two
  ///   loads.
  func note(_ id: TokenID, by context: AuditContext, stamp: UInt64) {
    if stamp != self.stamp.load(ordering: .acquiring) { look(stamp) }
    let period = period.load(ordering: .relaxed)
    guard period > 0, period == 1 || isDrawn(oneIn: period) else { return }
    add(Event(name: id.recordName, value: AuditEvent.read(at: now(), oneIn: period, by: context)))
  }

  private func look(_ seen: UInt64) {
    looking.withLock { (_) in
      guard seen != self.stamp.load(ordering: .relaxed) else { return }
      // A setting that can't be read is looked at again after the next write; until then what was known counts.
      var stamp = seen
      do throws(VaultError) {
        let members = try TokenStore.settings(of: vault, stamp: &stamp).members
        period.store(ReadAuditing(members).period, ordering: .relaxed)
      } catch {
        instruments.noteAuditFailure(error)
      }
      self.stamp.store(stamp, ordering: .releasing)
    }
  }

  /// SplitMix64: even, and cheap. Who knows which reads are noted gains nothing that he could not have by reading more.
  private func isDrawn(oneIn period: Int) -> Bool {
    var number = draws.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
    number = (number ^ number >> 30) &* 0xbf58_476d_1ce4_e5b9
    number = (number ^ number >> 27) &* 0x94d0_49bb_1331_11eb
    return (number ^ number >> 31) % UInt64(period) == 0
  }

  private func add(_ event: Event) {
    state.withLock { (state) in
      guard state.waiting.count < Self.limit else {
        state.lost += 1
        return
      }
      state.waiting.append(event)
      let isFull = state.waiting.count == Self.batch
      guard isFull || !state.isTimed else { return }
      let queue = state.queue ?? DispatchQueue(label: "tokenvault.audit")
      state.queue = queue
      if isFull {
        queue.async { [weak self] in self?.flushAside() }
      } else {
        state.isTimed = true
        queue.asyncAfter(deadline: .now() + .milliseconds(wait)) { [weak self] in
          self?.state.withLock { $0.isTimed = false }
          self?.flushAside()
        }
      }
    }
  }

  // MARK: Committing

  /// Adds what waits to a batch that is about to be committed.
  ///
  /// - Returns: what was added, for ``giveBack(_:)``.
  func take(into batch: inout VaultBatch) throws(VaultError) -> [Event] {
    let events = take()
    for event in events { try batch.event(event.name.span, value: event.value.span) }
    return events
  }

  private func take() -> [Event] {
    state.withLock { (state) in
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  /// Gives up what waits.
  func forget() { _ = take() }

  /// Takes back what was not committed.
  func giveBack(_ events: [Event]) {
    guard !events.isEmpty else { return }
    state.withLock { (state) in
      let kept = (events + state.waiting).prefix(Self.limit)
      state.lost += events.count + state.waiting.count - kept.count
      state.waiting = Array(kept)
    }
  }

  private func flushAside() {
    do throws(VaultError) {
      try flush()
    } catch {
      instruments.noteAuditFailure(error)
    }
  }

  /// Commits what waits.
  ///
  /// - Throws: as `Vault.commit(_:)`; what can be tried again waits on.
  func flush() throws(VaultError) {
    guard state.withLock({ !$0.waiting.isEmpty }) else { return }
    var batch = try VaultBatch()
    let events = try take(into: &batch)
    guard !events.isEmpty else { return }
    do throws(VaultError) {
      // A handle that only reads has no business with the lock but for this.
      let vault = vault.isReadOnly ? try vault.openedForWriting(lockTimeout: Self.lockTimeout) : vault
      _ = try vault.commit(batch)
    } catch {
      giveBack(events)
      throw error
    }
    let lost = state.withLock { (state) in
      defer { state.lost = 0 }
      return state.lost
    }
    if lost > 0 {
      throw VaultError(.limitExceeded, "\(lost) reads were not recorded: more waited than \(Self.limit)")
    }
  }
}
