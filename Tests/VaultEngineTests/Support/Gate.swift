import Dispatch
import Glibc
import Testing
import VaultLaboratory

@testable import VaultEngine

/// Stops a disk in the midst of a sync until it is opened.
struct Gate {
  private let reached = DispatchSemaphore(value: 0)
  private let opened = DispatchSemaphore(value: 0)

  /// Stops the next sync of `disk`.
  init(_ disk: SimulatedDisk) {
    disk.beforeNextSync { [reached, opened] in
      reached.signal()
      opened.wait()
    }
  }

  /// Returns when the disk has come to the sync.
  func waitUntilReached() { reached.wait() }

  /// Whether the disk has come to the sync; says yes once.
  var isReached: Bool { reached.wait(timeout: .now()) == .success }

  func open() { opened.signal() }
}

/// A thread's work, and a way to wait for its end.
final class Work: Sendable {
  private let done = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () throws -> Void) {
    // A serial queue has a thread of its own as soon as it needs one.
    DispatchQueue(label: "test").async { [done] in
      do { try body() } catch { Issue.record(error) }
      done.signal()
    }
  }

  func wait() { done.wait() }
}

/// Waits for a condition that another thread brings about.
func wait(for condition: () -> Bool, _ place: SourceLocation = #_sourceLocation) {
  let deadline = ContinuousClock.now + .seconds(100)
  while !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("it never came true", sourceLocation: place)
      return
    }
    sched_yield()
  }
}

/// The same for a test that needs Swift's few threads for its tasks.
func wait(for condition: () -> Bool, _ place: SourceLocation = #_sourceLocation) async {
  let deadline = ContinuousClock.now + .seconds(100)
  while !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("it never came true", sourceLocation: place)
      return
    }
    await Task.yield()
  }
}

extension SimulatedDisk {
  /// Syncs of files so far.
  var syncs: Int { journal.count { if case .sync = $0 { true } else { false } } }
}

extension Vault {
  /// Requests that wait for the batch before.
  var waiting: Int { commits.waiting.count }

  /// Hands over writes.
  func submit(_ writes: [Write]) throws -> PendingCommit { try submit(VaultBatch.of(writes)) }
}
