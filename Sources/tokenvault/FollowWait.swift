import Glibc

/// The pauses of a command that goes on until somebody ends it: by a signal, or by closing the other end of its output.
struct FollowWait {
  private static let pause = timespec(tv_sec: 0, tv_nsec: 200_000_000)
  private var signals = sigset_t()

  /// From now on SIGINT, SIGTERM and SIGHUP end the command between two looks, and not in the midst of a line.
  init() {
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, number) }
    // Threads that are started later inherit it; there are none yet.
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Waits a fifth of a second.
  ///
  /// - Returns: false when a signal has come.
  /// - Throws: as ``Output/write(_:)-(Span<UInt8>)`` when nobody reads standard output any more.
  func goesOn() throws(CommandFailure) -> Bool {
    var (signals, pause) = (signals, Self.pause)
    if unsafe sigtimedwait(&signals, nil, &pause) > 0 { return false }
    var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    if unsafe poll(&output, 1, 0) > 0, output.revents & Int16(POLLERR) != 0 { throw .silent(.io) }
    return true
  }
}
