import Foundation
import Testing

/// The system calls that a real command makes on the files of its bench, and faults put into them with strace.
enum TracedCall {
  /// Every call by which a command can change what is in a folder, or learn that it may.
  static let changing = [
    "pwrite64", "fdatasync", "fsync", "rename", "renameat2", "unlink", "ftruncate", "openat", "flock",
  ]

  /// A system call, by its name and its number in its thread, from 1.
  struct Site: CustomStringConvertible {
    let name: String
    let number: Int
    /// As strace shows it, with its file.
    let line: String
    /// What it does to which file, and how many of the same kind came before it: the same in each run, as the number need not be.
    var place = ""
    var description: String { "\(name) \(number)" }
  }

  /// A call that was made to fail.
  struct Failed {
    let outcome: Outcome
    /// The call as strace shows it, with its file; empty when the command never came to it.
    let line: String
  }

  /// A fault, put into a run at one call.
  enum Fault {
    case error(String)
    /// The process is killed when it comes to the call, which is not made any more.
    case kill
  }

  /// The calls of `call` on the bench's files, in their order; what the system's loader and the libraries open is none of them.
  static func sites(of call: Call, on bench: Bench) throws -> [Site] {
    sites(in: try lines(of: call, named: changing, on: bench), on: bench)
  }

  private static func sites(in lines: [String], on bench: Bench) -> [Site] {
    var (numbers, places): ([String: Int], [String: Int]) = ([:], [:])
    var sites: [Site] = []
    for line in lines {
      // Number of the thread, blanks, name, arguments. strace counts the calls of each thread by themselves.
      guard let name = changing.first(where: { line.hasCall($0) }) else { continue }
      let thread = line.prefix { $0 != " " }
      numbers[thread + name, default: 0] += 1
      let number = numbers[thread + name, default: 0]
      let isKnown = sites.contains { $0.name == name && $0.number == number }
      guard line.contains(bench.folder), !isKnown else { continue }
      let what = line.purpose(of: name)
      places[what, default: 0] += 1
      sites.append(Site(name: name, number: number, line: line, place: "\(what), \(places[what, default: 0])"))
    }
    return sites
  }

  /// Runs `call`, whose system call at `site` fails with `error`.
  static func fail(_ call: Call, at site: Site, with error: String, on bench: Bench) throws -> Failed {
    try run(call, .error(error), at: site, on: bench).failed
  }

  /// Runs `call` with a fault at the system call that is at `site`'s place, whatever number it has: a command looks at the lock
  /// once more when some time has passed, and that moves the numbers of the calls that follow. A run that came to another call is
  /// made again.
  ///
  /// - Parameter reset: makes the bench what it was, before each run.
  /// - Returns: `nil` if no run came to that call.
  static func run(
    _ call: Call, _ fault: Fault, atPlaceOf site: Site, on bench: Bench, reset: () throws -> Void
  ) throws -> Failed? {
    var number = site.number
    for _ in 0..<10 {
      try reset()
      let site = Site(name: site.name, number: number, line: site.line, place: site.place)
      let (failed, met) = try run(call, fault, at: site, on: bench)
      let hit: Site? =
        switch fault {
        case .error: met.first { $0.line == failed.line }
        case .kill: failed.outcome.code == 128 + SIGKILL ? met.last : nil
        }
      if hit?.place == site.place { return failed }
      // A process that was killed too early has not made the call that was meant.
      number = met.first { $0.place == site.place }?.number ?? (hit == nil ? site.number : number + 1)
    }
    return nil
  }

  /// - Returns: what came of it, and the calls of the site's name on the bench's files.
  private static func run(
    _ call: Call, _ fault: Fault, at site: Site, on bench: Bench
  ) throws -> (failed: Failed, met: [Site]) {
    let words =
      switch fault {
      case .error(let error): ["--seccomp-bpf", "-e", "inject=\(site.name):error=\(error):when=\(site.number)"]
      case .kill: ["-e", "inject=\(site.name):signal=KILL:when=\(site.number)"]
      }
    let traced = try run(call, words, [site.name], on: bench)
    let line = traced.lines.first { $0.hasSuffix("(INJECTED)") } ?? ""
    return (Failed(outcome: traced.outcome, line: line), sites(in: traced.lines, on: bench))
  }

  /// The calls of these names that `call` makes, as strace shows them, in their order.
  static func lines(of call: Call, named names: [String], on bench: Bench) throws -> [String] {
    let traced = try run(call, [], names, on: bench)
    try #require(traced.outcome.code == 0, "\(traced.outcome.errors)")
    return traced.lines
  }

  private static func run(
    _ call: Call, _ fault: [String], _ names: [String], on bench: Bench
  ) throws -> (outcome: Outcome, lines: [String]) {
    let trace = bench.folder + "/.trace"
    var traced = call
    traced.program = "/usr/bin/strace"
    traced.arguments =
      Call(["-f", "-qq", "-y", "-o", trace, "-e", "trace=" + names.joined(separator: ",")] + fault + [call.program])
      .arguments + call.arguments
    let outcome = try bench.run(traced)
    let text = try String(decoding: bench.contents(of: trace), as: UTF8.self)
    return (outcome, text.split(separator: "\n").map { String($0) })
  }
}

extension String {
  fileprivate func hasCall(_ name: String) -> Bool {
    drop { $0.isNumber }.drop { $0 == " " }.hasPrefix(name + "(")
  }

  /// Of a line of a trace: the call's name, its files, and what is asked for; neither the bytes, nor descriptors, nor what came of
  /// it, nor the part of a temporary's name that is drawn.
  fileprivate func purpose(of name: String) -> String {
    let arguments = firstRange(of: ") = ").map { self[..<$0.lowerBound] } ?? self[...]
    let words = arguments.matches(of: /[<"](\/[^>"]*)[>"]|(?:O|LOCK)_[A-Z]+/).map { (match) in
      let word = match.1 ?? match.0
      return word.firstRange(of: ".tmp-").map { word[..<$0.upperBound] } ?? word
    }
    return ([name[...]] + words).joined(separator: " ")
  }
}
