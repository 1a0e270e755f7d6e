/// A system call of a command, by its name and its number in its thread, from 1: as strace finds it again.
package struct TracedSite: Sendable, CustomStringConvertible {
  package let name: String
  package let number: Int
  /// As strace shows it, with its file.
  package let line: String
  /// What it does to which file. By this and ``turn`` it is found in each run, as by its number it need not be: a command looks at
  /// the lock once more when some time has passed, and libraries open files of their own.
  package let purpose: String
  /// How many have had the same purpose, with this one.
  package let turn: Int

  package init(name: String, number: Int, line: String = "", purpose: String = "", turn: Int = 1) {
    (self.name, self.number, self.line, self.purpose, self.turn) = (name, number, line, purpose, turn)
  }

  package var description: String { "\(name) \(number)" }

  /// Whether strace made it fail, or made its result up.
  package var isInjected: Bool { line.contains(Self.injected) }

  /// How strace marks such a call.
  package static let injected = "(INJECTED"

  /// The calls of a trace that touch `folder`, or ask for random bytes, in their order. Calls are counted in each thread by
  /// themselves: of those that have one number, the first alone is given, since a fault comes to that one first.
  ///
  /// - Parameter lines: of `strace -f -y`: number of the thread, blanks, name, arguments.
  package static func all(in lines: [Substring], named names: [String], touching folder: String) -> [TracedSite] {
    var (numbers, turns): ([String: Int], [String: Int]) = ([:], [:])
    var seen: Set<String> = []
    var sites: [TracedSite] = []
    for line in lines {
      let thread = line.prefix { $0 != " " }
      let call = line.dropFirst(thread.count).drop { $0 == " " }
      let name = String(call.prefix { $0 != "(" })
      guard names.contains(name) else { continue }
      numbers[thread + name, default: 0] += 1
      let number = numbers[thread + name, default: 0]
      guard seen.insert("\(name) \(number)").inserted, call.contains(folder) || name == "getrandom" else { continue }
      let purpose = purpose(of: call, named: name)
      turns[purpose, default: 0] += 1
      let turn = turns[purpose, default: 0]
      sites.append(TracedSite(name: name, number: number, line: String(call), purpose: purpose, turn: turn))
    }
    return sites
  }

  /// Of a line of a trace: the call's name, its files, what is asked for, and of a read how much and from where; neither the bytes,
  /// nor descriptors, nor what came of it, nor what is drawn for the name of a temporary.
  private static func purpose(of call: Substring, named name: String) -> String {
    let arguments = call.firstRange(of: ") = ").map { call[..<$0.lowerBound] } ?? call
    var words = arguments.matches(of: /[<"](\/[^>"]*)[>"]|(?:O|LOCK)_[A-Z]+/).map { (match) in
      let word = match.1 ?? match.0
      return word.firstRange(of: /\.tmp-|\.torn-|#/).map { word[..<$0.upperBound] } ?? word
    }
    if name == "pread64", !call.isUnfinished { words += arguments.split(separator: ", ").suffix(2) }
    return ([name[...]] + words).joined(separator: " ")
  }

  /// Whether that call of another run is this one. Of a call at which the process was killed strace does not know everything.
  package func isSame(as met: TracedSite) -> Bool {
    met.line[...].isUnfinished ? purpose.hasPrefix(met.purpose) : met.purpose == purpose && met.turn == turn
  }

  /// What came of it that a call was looked for in one run after the other.
  package enum Reach<Outcome> {
    case reached(Outcome)
    /// No run came to it, and not all that had no fault made it: a command looks at the lock, and at what is new, once more when
    /// some time has passed.
    case passing
    /// No run came to it, and those without a fault made it each time.
    case missed
  }

  /// Makes runs with a fault at this call, whatever number it has in them, until one comes to it.
  ///
  /// - Parameter run: makes one with the fault at that site's number. It gives what came of it, the call that the fault came to, and
  ///   all calls of that name.
  package func reach<Outcome>(
    _ run: (TracedSite) throws -> (outcome: Outcome, hit: TracedSite?, met: [TracedSite])
  ) rethrows -> Reach<Outcome> {
    // Without a fault, but below the same strace: each way of tracing slows a command down by its own measure, and what it does
    // when some time has passed, it may do below the one each time and below the other never.
    let beyondAll = numbered(60_000)
    var moved = self
    for _ in 0..<20 {
      let (outcome, hit, met) = try run(moved)
      if let hit, isSame(as: hit) { return .reached(outcome) }
      // A process that was killed too early did not show by which number the call would have come.
      moved = self.moved(to: find(in: met) == nil ? try run(beyondAll).met : met)
    }
    for _ in 0..<5 {
      guard find(in: try run(beyondAll).met) != nil else { return .passing }
    }
    return .missed
  }

  /// The same call by the number that it had in another run; by its own where that run did not come to it.
  package func moved(to met: [TracedSite]) -> TracedSite { numbered(find(in: met)?.number ?? number) }

  private func find(in met: [TracedSite]) -> TracedSite? {
    met.first { !$0.line[...].isUnfinished && isSame(as: $0) }
  }

  private func numbered(_ number: Int) -> TracedSite {
    TracedSite(name: name, number: number, line: line, purpose: purpose, turn: turn)
  }

  /// The calls by which a command touches files, and the one by which it gets random bytes.
  static let names = [
    "openat", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate", "rename",
    "renameat",
    "renameat2", "link", "linkat", "unlink", "unlinkat", "flock", "fcntl", "newfstatat", "fstat", "statx", "statfs",
    "getdents64", "fchmod", "mkdir", "getrandom",
  ]

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

extension Substring {
  fileprivate var isUnfinished: Bool { contains("<unfinished ...>") }
}
