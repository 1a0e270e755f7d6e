import Foundation
import Glibc
import Testing

/// Signals that come when a command is in the midst of its work.
enum HostSignals {
  /// All that a program can do something about.
  static let all: [Int32] = (1...31).filter { $0 != SIGKILL && $0 != SIGSTOP }
  /// Those that change nothing: by default, or because the command has to do with what they tell of by itself.
  static let harmless: Set<Int32> = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGPIPE, SIGXFSZ]
  /// Those that stop a process at a terminal. A group of processes that no shell watches is not stopped by them.
  static let stopping: Set<Int32> = [SIGTSTP, SIGTTIN, SIGTTOU]

  /// Runs `call` in the bench's folder, and has `signal` come to it when it first calls `site`.
  static func run(_ call: Call, signal: Int32, at site: String, on bench: Bench) throws -> Outcome {
    var traced = call
    traced.program = "/bin/sh"
    let fault = "inject=\(site):signal=\(signal):when=1"
    let script = #"cd "$HOME" || exit 1; exec strace -f -qq -o /dev/null -e "trace=$0" -e "$@""#
    traced.arguments = Call(["-c", script, site, fault, call.program]).arguments + call.arguments
    return try bench.run(traced)
  }
}
