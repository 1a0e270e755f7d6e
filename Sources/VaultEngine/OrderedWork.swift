internal import Glibc
internal import Synchronization
internal import VaultFormat

extension Threads {
  /// Whether whoever calls has the cores busy already: what it asks for is done by its own thread alone.
  @TaskLocal package static var isAlone = false

  /// Long work, part by part, on all cores.
  ///
  /// The caller's thread takes the parts and gives away what became of them, both in order: these two steps may build on
  /// what came before, and change what they like. Between them each part is worked on alone, by other threads, and by the
  /// caller's whenever the next result is not there yet. A single part starts no thread. At most six times as many parts as
  /// there are cores are in memory.
  ///
  /// Parts are taken several at a time, when no more than half of that is left. Taken one by one, they made two threads wake each
  /// other for every part, and the kernel then has them take turns on one core while another is idle.
  ///
  /// - Parameters:
  ///   - isStream: others may have yet to write the next part. So that what was taken is not held back for long, parts are taken
  ///     one by one, and at most twice as many as there are cores are in memory.
  ///   - take: the next part; `nil` behind the last.
  ///   - work: runs on several threads at the same time.
  ///   - give: is given the results in the order of their parts.
  /// - Throws: what `take` throws; else the error of the first part that failed.
  package static func inOrder<Part: Sendable, Product: Sendable>(
    isStream: Bool = false,
    take: () throws(VaultError) -> Part?,
    work: @Sendable (Part) throws(VaultError) -> Product,
    give: (Product) throws(VaultError) -> Void
  ) throws(VaultError) {
    guard let first = try take() else { return }
    guard let second = try take() else { return try give(work(first)) }
    try withoutActuallyEscaping(work) { (work) throws(VaultError) in
      let queue = WorkQueue(work)
      queue.put(first)
      queue.put(second)
      let helpers = (1..<(isAlone ? 1 : cores)).compactMap { _ in start { queue.help() } }
      defer {
        queue.close(helpers.count)
        for helper in helpers { join(helper) }
      }
      let (few, many) = isStream ? (2 * cores - 1, 2 * cores) : (3 * cores, 6 * cores)
      var (taken, given, isAtEnd) = (2, 0, false)
      while true {
        if taken - given <= few {
          while !isAtEnd, taken - given < many {
            guard let part = try take() else {
              isAtEnd = true
              break
            }
            queue.put(part)
            taken += 1
          }
        }
        if given == taken { return }
        if let result = queue.result(given) {
          try give(result.get())
          given += 1
        } else if !queue.workOnce() {
          queue.waitForResult()
        }
      }
    }
  }
}

/// The parts that wait for a thread, and the results that wait for their turn.
private final class WorkQueue<Part: Sendable, Product: Sendable>: Sendable {
  private struct State {
    var parts: [(number: Int, part: Part)] = []
    var results: [Int: Result<Product, VaultError>] = [:]
    var count = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let work: @Sendable (Part) throws(VaultError) -> Product
  private let partsAdded = Semaphore()
  private let resultsAdded = Semaphore()

  init(_ work: @escaping @Sendable (Part) throws(VaultError) -> Product) { self.work = work }

  func put(_ part: Part) {
    state.withLock {
      $0.parts.append(($0.count, part))
      $0.count += 1
    }
    partsAdded.signal()
  }

  /// The result of a part, if it is there: once.
  func result(_ number: Int) -> Result<Product, VaultError>? {
    state.withLock { $0.results.removeValue(forKey: number) }
  }

  /// Does the oldest part that waits.
  ///
  /// - Returns: whether there was one.
  func workOnce() -> Bool {
    guard let (number, part) = state.withLock({ $0.parts.isEmpty ? nil : $0.parts.removeFirst() }) else { return false }
    let result = Result { () throws(VaultError) in try work(part) }
    state.withLock { $0.results[number] = result }
    return true
  }

  /// Returns at the latest when another thread has added a result.
  func waitForResult() { resultsAdded.wait() }

  /// Works until the queue is closed.
  func help() {
    while true {
      partsAdded.wait()
      if workOnce() { resultsAdded.signal() }
      if state.withLock({ $0.isClosed }) { return }
    }
  }

  /// Lets go of what waits, and of the helpers.
  func close(_ helpers: Int) {
    state.withLock {
      $0.isClosed = true
      $0.parts = []
    }
    for _ in 0..<helpers { partsAdded.signal() }
  }
}

/// `sem_t`: counts signals, and lets a thread wait for one.
@safe
private final class Semaphore: @unchecked Sendable {
  private let address: UnsafeMutablePointer<sem_t>

  init() {
    unsafe address = .allocate(capacity: 1)
    unsafe sem_init(address, 0, 0)
  }

  deinit {
    unsafe sem_destroy(address)
    unsafe address.deallocate()
  }

  func signal() { unsafe sem_post(address) }

  func wait() {
    // A signal handler may end the wait early.
    while unsafe sem_wait(address) != 0 {}
  }
}
