import Glibc

/// What is done to one system call of a command.
package enum CallFault: Sendable, CustomStringConvertible {
  /// It fails once, or from then on always.
  case error(String, forever: Bool)
  /// The process is killed before it.
  case kill
  /// It reads fewer bytes than there are; these are they, in hexadecimal.
  case shortRead(count: Int, String)
  /// The file may not grow beyond so many bytes: a write that goes on behind them is short, and the next one fails.
  case limit(Int)

  package var description: String {
    switch self {
    case .error(let name, let forever): name + (forever ? " for ever" : " once")
    case .kill: "SIGKILL"
    case .shortRead(let count, _): "short read of \(count)"
    case .limit(let bytes): "file size limit \(bytes)"
    }
  }

  var isError: Bool { if case .error = self { true } else { false } }

  /// What is counted.
  var kind: String {
    switch self {
    case .error(let name, let forever): "\(name)-\(forever ? "for-ever" : "once")"
    case .kill: "SIGKILL"
    case .shortRead: "short-read"
    case .limit: "short-write"
    }
  }

  /// The call that it came to, of those of a run that ended with `code`.
  package func hit(in met: [TracedSite], code: Int32) -> TracedSite? {
    if case .kill = self { code == 128 + SIGKILL ? met.last : nil } else { met.first { $0.isInjected } }
  }

  /// The words that stand before the command's own.
  package func words(at site: TracedSite, trace: String) -> [String] {
    let injection: String
    switch self {
    // A call that is interrupted for ever would be repeated for ever: three times is as good.
    case .error("EINTR", true): injection = "error=EINTR:when=\(site.number)..\(site.number + 2)"
    case .error(let name, let forever): injection = "error=\(name):when=\(site.number)\(forever ? "+" : "")"
    case .kill: injection = "signal=KILL:when=\(site.number)"
    case .shortRead(let count, let bytes):
      injection = "retval=\(count):poke_exit=@arg2=\(bytes):when=\(site.number)"
    case .limit(let bytes): return ["/usr/bin/prlimit", "--fsize=\(bytes)", "--"]
    }
    return ["/usr/bin/strace", "-f", "-qq", "-y"] + filter
      + ["-o", trace, "-e", "trace=\(site.name)", "-e", "inject=\(site.name):\(injection)"]
  }

  /// Keeps strace from stopping at calls that it need not see. It sends no signal then.
  private var filter: [String] {
    if case .kill = self { [] } else { ["--seccomp-bpf"] }
  }
}
