import Glibc
import Synchronization
import VaultEngine

/// How long single cases take, in time of the processor, so that a busy machine changes nothing: tells the slowest, and
/// cries when one does not end.
package final class CaseClock: Sendable {
  private struct Case {
    let start: ContinuousClock.Instant
    let name: @Sendable () -> String
  }

  private struct State {
    var running: [Int: Case] = [:]
    var next = 0
    var slowest = (duration: Duration.zero, name: "none")
    var isDone = false
  }

  private let state = Mutex(State())
  /// What no case may take, however slow the machine is: they take a thousandth of a second.
  private let limit: Duration
  /// After so long a case is taken not to end at all; here the clock on the wall counts.
  private static let patience = Duration.seconds(600)

  package init(limit: Duration = .seconds(5)) { self.limit = limit }

  /// Runs one case.
  ///
  /// - Parameter name: leads back to it.
  /// - Returns: what `body` returns, and a sentence if it took too long.
  package func time(
    _ name: @escaping @Sendable () -> String, _ body: () -> [String]
  ) -> [String] {
    let ticket = state.withLock { (state) in
      state.next += 1
      state.running[state.next] = Case(start: .now, name: name)
      return state.next
    }
    let before = Self.threadTime()
    let faults = body()
    let duration = Self.threadTime() - before
    state.withLock { (state) in
      state.running[ticket] = nil
      if duration > state.slowest.duration { state.slowest = (duration, name()) }
    }
    return duration > limit ? faults + ["it took \(duration)"] : faults
  }

  /// What the thread has had of the processor.
  private static func threadTime() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// The slowest case, and how long it took.
  package var slowest: (duration: Duration, name: String) { state.withLock { $0.slowest } }

  /// Runs `body` beside a thread that ends the program when a case does not end.
  package func watch(_ body: @escaping @Sendable () -> Void) {
    Threads.perform(2) { (number) in
      if number > 0 { return self.keepWatch() }
      body()
      self.state.withLock { $0.isDone = true }
    }
  }

  private func keepWatch() {
    while !state.withLock({ $0.isDone }) {
      usleep(20_000)
      let stuck = state.withLock { (state) in
        state.running.values.first { ContinuousClock.now - $0.start > Self.patience }?.name()
      }
      guard let stuck else { continue }
      print("VIOLATION \(stuck): it does not end")
      fflush(nil)
      exit(1)
    }
  }
}

/// The most memory that the process ever had, in KiB.
package func peakMemory() -> Int {
  var usage = rusage()
  unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss
}

extension CaseClock {
  /// Runs an attack under watch, and adds what its slowest case and its memory were.
  ///
  /// - Throws: what kept it from beginning.
  package func report(_ attack: @escaping @Sendable () throws -> Report) throws -> Report {
    let found = Mutex(Result<Report, any Error>.success(Report()))
    let before = peakMemory()
    watch {
      let result = Result { try attack() }
      found.withLock { $0 = result }
    }
    var report = try found.withLock { $0 }.get()
    let slowest = slowest
    report.count("slowest-case-microseconds", Int(slowest.duration / .microseconds(1)))
    report.count("peak-memory-KiB", peakMemory())
    report.count("peak-memory-growth-KiB", peakMemory() - before)
    return report
  }
}
