/// A system call of a command, by its name and its number in its thread, from 1: as strace finds it again.
struct TracedSite: Sendable {
  let name: String
  let number: Int
  /// As strace shows it, with its file.
  let line: String

  /// The calls by which a command touches files, and the one by which it gets random bytes.
  static let names = [
    "openat", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate", "rename",
    "renameat",
    "renameat2", "link", "linkat", "unlink", "unlinkat", "flock", "fcntl", "newfstatat", "fstat", "statx", "statfs",
    "getdents64", "fchmod", "mkdir", "getrandom",
  ]

  /// The calls of a trace that touch `folder`, each once, in their order.
  ///
  /// - Parameter lines: of `strace -f -y`: number of the thread, blanks, name, arguments. Calls are counted in each thread by
  ///   themselves.
  static func all(in lines: [Substring], touching folder: String) -> [TracedSite] {
    var counts: [String: Int] = [:]
    var seen: Set<String> = []
    var sites: [TracedSite] = []
    for line in lines {
      let thread = line.prefix { $0 != " " }
      let call = line.dropFirst(thread.count).drop { $0 == " " }
      let name = String(call.prefix { $0 != "(" })
      guard names.contains(name) else { continue }
      counts[thread + name, default: 0] += 1
      let number = counts[thread + name, default: 0]
      guard call.contains(folder) || name == "getrandom", seen.insert("\(name) \(number)").inserted else { continue }
      sites.append(TracedSite(name: name, number: number, line: String(call)))
    }
    return sites
  }

  /// The errors that such a call may return on some file system or other.
  var errors: [String] {
    switch name {
    // To read what is there takes no room.
    case "openat" where line.contains("O_RDONLY") && !line.contains("O_CREAT"): ["EIO", "EINTR", "EROFS"]
    case "openat", "mkdir": ["EIO", "ENOSPC", "EDQUOT", "EINTR", "EROFS"]
    case "read", "pread64": ["EIO", "EINTR"]
    case "write", "pwrite64", "fallocate": ["EIO", "ENOSPC", "EDQUOT", "EINTR", "EROFS"]
    case "fsync", "fdatasync": ["EIO", "ENOSPC", "EDQUOT", "EINTR", "EROFS"]
    case "ftruncate": ["EIO", "ENOSPC", "EINTR", "EROFS"]
    case "rename", "renameat", "renameat2", "link", "linkat": ["EIO", "ENOSPC", "EDQUOT", "EROFS"]
    case "unlink", "unlinkat", "fchmod": ["EIO", "EROFS"]
    case "flock", "fcntl": ["EIO", "EINTR", "ENOLCK"]
    case "getrandom": ["EINTR", "EIO"]
    default: ["EIO", "EINTR"]
    }
  }
}

/// What is done to one system call of a command.
enum CallFault: Sendable, CustomStringConvertible {
  /// It fails once, or from then on always.
  case error(String, forever: Bool)
  /// The process is killed before it.
  case kill
  /// It reads fewer bytes than there are; these are they, in hexadecimal.
  case shortRead(count: Int, String)
  /// The file may not grow beyond so many bytes: a write that goes on behind them is short, and the next one fails.
  case limit(Int)

  var description: String {
    switch self {
    case .error(let name, let forever): name + (forever ? " for ever" : " once")
    case .kill: "SIGKILL"
    case .shortRead(let count, _): "short read of \(count)"
    case .limit(let bytes): "file size limit \(bytes)"
    }
  }

  /// What is counted.
  var kind: String {
    switch self {
    case .error(let name, let forever): "\(name)-\(forever ? "for-ever" : "once")"
    case .kill: "SIGKILL"
    case .shortRead: "short-read"
    case .limit: "short-write"
    }
  }

  /// The words that stand before the command's own.
  func words(at site: TracedSite, trace: String) -> [String] {
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
    return [
      "/usr/bin/strace", "-f", "-qq", "-y", "--seccomp-bpf", "-o", trace, "-e", "trace=\(site.name)", "-e",
      "inject=\(site.name):\(injection)",
    ]
  }
}
