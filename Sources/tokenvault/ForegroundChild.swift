import Glibc
import TokenVault

/// A child that stands in for this process: it has the same terminal, and gets the signals that are sent here.
enum ForegroundChild {
  /// What terminals and supervisors send.
  private static let passedOn = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH]

  /// Starts a child and waits for its end.
  ///
  /// What the terminal sends goes to the whole group, and the child has it already; what another process sends to this one
  /// alone is passed on. When the child stops, this process stops too, if a shell is there to let both go on.
  static func run(_ start: () throws(ProgramFailure) -> Int32) throws(ProgramFailure) -> ChildProgram.End {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in passedOn + [SIGCHLD] { unsafe sigaddset(&signals, number) }
    // Held back from before the child is there: each is taken from the queue below, and none is lost.
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    let child = try start()
    while true {
      if let end = look(at: child) { return end }
      var facts = unsafe siginfo_t()
      let number = unsafe sigwaitinfo(&signals, &facts)
      // 0 and less: sent by a process. The kernel's own are those of the terminal.
      if number > 0, number != SIGCHLD, unsafe facts.si_code <= 0 { kill(child, number) }
    }
  }

  private static func look(at child: Int32) -> ChildProgram.End? {
    var status: Int32 = 0
    while true {
      let result = unsafe waitpid(child, &status, WNOHANG | WUNTRACED)
      if result < 0, errno == EINTR { continue }
      guard result != 0 else { return nil }
      guard result > 0 else { return .unknown }
      guard status & 0xff == 0x7f else { return ChildProgram.End(status: status) }
      stop(with: child)
    }
  }

  /// A child that stops by itself leaves its shell waiting for this process: it has to stop as well.
  private static func stop(with child: Int32) {
    let terminal = unsafe open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard terminal >= 0 else { return }
    let isForeground = tcgetpgrp(terminal) == getpgrp()
    close(terminal)
    guard isForeground else { return }
    kill(getpid(), SIGTSTP)
    // It may have a group of its own, which the shell does not know.
    kill(child, SIGCONT)
  }
}
