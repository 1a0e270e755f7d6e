import Synchronization
import VaultEngine

/// What a part of the laboratory counted, and where a promise did not hold.
package struct Report: Sendable {
  /// How many states, calls or kills of each kind were tried.
  package private(set) var counts: [String: Int] = [:]
  /// One sentence each, with the seed and the state that shows it: the first ``kept`` of them.
  package private(set) var violations: [String] = []
  /// All of them, kept or not.
  package private(set) var violationCount = 0

  /// A fault shows in thousands of states at once: a screenful is enough to mend it.
  package static let kept = 20

  package init() {}

  package mutating func count(_ name: String, _ number: Int = 1) { counts[name, default: 0] += number }

  package mutating func violation(_ sentence: String) {
    violationCount += 1
    if violations.count < Self.kept { violations.append(sentence) }
  }

  /// Runs a check; what it throws is a violation.
  ///
  /// - Parameter state: says which state is being looked at, in words that lead back to it.
  package mutating func check(_ state: @autoclosure () -> String, _ body: () throws -> Bool) {
    do {
      if try !body() { violation(state()) }
    } catch {
      violation("\(state()): \(error)")
    }
  }

  package mutating func add(_ other: Report) {
    for (name, number) in other.counts { count(name, number) }
    violationCount += other.violationCount
    violations += other.violations.prefix(Self.kept - violations.count)
  }
}

extension Report {
  /// Tries many things on all cores. One that takes long keeps nobody from the others.
  ///
  /// - Parameters:
  ///   - onEachCore: how many are tried at once for each core: more than one where they wait for long.
  ///   - body: tries one thing; its own report and those of the others are added up in the order of `parts`.
  package static func over<Part: Sendable>(
    _ parts: [Part], onEachCore: Int = 1, _ body: @escaping @Sendable (Part) -> Report
  ) -> Report {
    let found = Mutex([Report?](repeating: nil, count: parts.count))
    let next = Atomic(0)
    Threads.perform(Threads.isAlone ? 1 : Threads.cores * onEachCore) { (_) in
      Threads.$isAlone.withValue(true) {
        while true {
          let number = next.add(1, ordering: .relaxed).oldValue
          guard number < parts.count else { return }
          let report = body(parts[number])
          found.withLock { $0[number] = report }
        }
      }
    }
    return found.withLock { $0 }.reduce(into: Report()) { (sum, report) in
      if let report { sum.add(report) } else { sum.violation("the work itself: not all of it was done") }
    }
  }
}
