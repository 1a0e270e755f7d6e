internal import Glibc

/// Threads for a moment's work: no pool is started, which would cost a short command more than the work itself.
package enum Threads {
  /// Cores that are online; asked once, as the answer is read from a file.
  package static let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

  /// Runs `body` with the numbers below `count` at the same time, and returns when all are done. The caller's thread takes
  /// part, and does alone what no thread could be had for.
  package static func perform(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (1..<count).map { (number) in (number, start { body(number) }) }
    body(0)
    for (number, thread) in threads {
      if let thread { pthread_join(thread, nil) } else { body(number) }
    }
  }

  /// Returns when the thread has ended.
  static func join(_ thread: pthread_t) { pthread_join(thread, nil) }

  /// Lets those run first that are ready to, on the core that this thread has; sched_yield(2).
  static func yield() { sched_yield() }

  private final class Work {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Runs `body` on a thread of its own, which must be joined.
  ///
  /// - Returns: `nil` when no thread could be had.
  static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    let work = unsafe Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = unsafe pthread_create(
      &thread, nil,
      { (argument) in
        if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard status != 0 else { return thread }
    unsafe work.release()
    return nil
  }
}
