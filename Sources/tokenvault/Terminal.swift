import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// The number of the last signal that came while a question was open.
private nonisolated(unsafe) var caughtSignal: Int32 = 0

/// The controlling terminal, whatever standard input and output are.
struct Terminal: ~Copyable {
  private static let limit = 4096
  private let descriptor: Int32

  /// `nil` when the process has none.
  init?() {
    let opened = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard opened >= 0 else { return nil }
    // More descriptors than these `pselect` does not know.
    guard opened < FD_SETSIZE else {
      close(opened)
      return nil
    }
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Writes `text`.
  func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Output.write(bytes.span, to: descriptor)
  }

  /// Asks `question` and reads one line. The terminal is as before in the end, whatever happens; after a stop, it asks again.
  func ask(_ question: String, echo: Bool) throws(VaultError) -> SecretBytes {
    while true {
      var answer = try crypto { () throws(CryptoError) in try SecretBytes(capacity: Self.limit) }
      let outcome = converse(question, echo: echo, into: &answer)
      switch outcome {
      case .line: return answer
      case .failed(let number):
        throw VaultError(.io, "the terminal can't be read: \(systemMessage(number))", systemError: number)
      case .ended: throw VaultError(.noKey, "nothing was typed")
      case .tooLong: throw VaultError(.noKey, "what was typed is longer than \(Self.limit) bytes")
      case .signal(let number) where SignalGuard.stopping.contains(number): raise(number)
      case .signal(let number): Self.end(by: number)
      }
    }
  }

  /// Ends the process: with the documented code for an interrupt, else as the signal would have.
  private static func end(by number: Int32) -> Never {
    if number != SIGINT {
      signal(number, SIG_DFL)
      raise(number)
    }
    Host.end(.interrupted)
  }

  private enum Outcome {
    case line
    case ended
    case signal(Int32)
    case failed(Int32)
    case tooLong
  }

  /// Asks once, with the terminal's echo and the signals that would leave it off in hand.
  private func converse(_ question: String, echo: Bool, into answer: inout SecretBytes) -> Outcome {
    var before = termios()
    guard unsafe tcgetattr(descriptor, &before) == 0 else { return .failed(errno) }
    unsafe caughtSignal = 0
    let guarded = SignalGuard(SignalGuard.ending)
    defer { guarded.release() }
    var during = before
    if !echo { during.c_lflag &= ~tcflag_t(ECHO) }
    // Whoever is in the background is stopped here, as the terminal is another's.
    guard unsafe tcsetattr(descriptor, TCSAFLUSH, &during) == 0 else { return .failed(errno) }
    let guardedInBackground = SignalGuard(SignalGuard.ofBackground)
    defer { guardedInBackground.release() }
    // The settings of whoever has the terminal by then are not touched.
    defer { if isInForeground { _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &before) } }
    say(question)
    let outcome = readLine(into: &answer, mask: guarded.former)
    if !echo { say("\n") }
    return outcome
  }

  private var isInForeground: Bool { tcgetpgrp(descriptor) == getpgrp() }

  private func readLine(into answer: inout SecretBytes, mask: sigset_t) -> Outcome {
    var mask = mask
    while true {
      var set = fd_set()
      unsafe withUnsafeMutableBytes(of: &set) { (bytes) in
        unsafe bytes[Int(descriptor) / 8] |= 1 << UInt8(descriptor % 8)
      }
      // Signals get through here and nowhere else, so none slips in between the look at the flag and the wait.
      if unsafe pselect(descriptor + 1, &set, nil, nil, nil, &mask) < 0 {
        if unsafe caughtSignal != 0 { return unsafe .signal(caughtSignal) }
        if errno != EINTR { return .failed(errno) }
        continue
      }
      // What is typed is for whoever has the terminal, and the system says so with a signal that is held back now.
      guard isInForeground else { return .signal(SIGTTIN) }
      if let outcome = Self.appendPart(to: &answer, from: descriptor) { return outcome }
    }
  }

  /// Appends what one `read` gives; `nil` when more of the line is to come. The line end is not kept.
  private static func appendPart(to answer: inout SecretBytes, from descriptor: Int32) -> Outcome? {
    var result = 0
    var number: Int32 = 0
    answer.append { (output) in
      unsafe output.withUnsafeMutableBufferPointer { (buffer, filled) in
        result = unsafe read(descriptor, buffer.baseAddress, buffer.count)
        number = errno
        filled = max(result, 0)
      }
    }
    if result < 0 { return number == EINTR ? nil : .failed(number) }
    if result == 0 { return answer.count == 0 ? .ended : .line }
    guard answer.span[answer.count - 1] == UInt8(ascii: "\n") else {
      return answer.count == answer.capacity ? .tooLong : nil
    }
    answer.removeLast(1)
    return .line
  }
}

/// Holds back signals that end or stop a program.
private struct SignalGuard {
  /// All by which a process ends, or a person stops it, but for those that nobody can hold back and those that the command
  /// ignores. A fault of the program itself ends it even so: the system sees to that.
  static let ending = (1...31).filter { (number: Int32) in
    ![SIGKILL, SIGSTOP, SIGCONT, SIGCHLD, SIGURG, SIGWINCH, SIGPIPE, SIGXFSZ].contains(number)
      && !ofBackground.contains(number)
  }
  /// With which the system stops a program that uses the terminal while another has it.
  static let ofBackground = [SIGTTIN, SIGTTOU]
  /// Those that a program outlives.
  static let stopping = [SIGTSTP] + ofBackground
  /// The mask from before.
  let former: sigset_t
  private let actions: [(number: Int32, former: sigaction)]

  init(_ numbers: [Int32]) {
    var blocked = sigset_t()
    var former = sigset_t()
    unsafe sigemptyset(&blocked)
    for number in numbers { unsafe sigaddset(&blocked, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &blocked, &former)
    self.former = former
    actions = numbers.map { (number) in
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { unsafe caughtSignal = $0 }
      var old = sigaction()
      unsafe sigaction(number, &action, &old)
      return (number, old)
    }
  }

  /// Puts back what was there.
  func release() {
    for (number, action) in actions {
      var action = action
      unsafe sigaction(number, &action, nil)
    }
    var former = former
    unsafe pthread_sigmask(SIG_SETMASK, &former, nil)
  }
}
