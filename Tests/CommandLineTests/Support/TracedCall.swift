import Foundation
import Testing
import VaultLaboratory

/// The system calls that a real command makes on the files of its bench, and faults put into them with strace.
enum TracedCall {
  /// Every call by which a command can change what is in a folder, or learn that it may.
  static let changing = [
    "pwrite64", "fdatasync", "fsync", "rename", "renameat2", "unlink", "ftruncate", "openat", "flock",
  ]

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
  static func sites(of call: Call, on bench: Bench) throws -> [TracedSite] {
    sites(in: try lines(of: call, named: changing, on: bench), on: bench)
  }

  private static func sites(in lines: [String], on bench: Bench) -> [TracedSite] {
    TracedSite.all(in: lines.map { $0[...] }, named: changing, touching: bench.folder)
  }

  /// Runs `call`, whose system call at `site` fails with `error`.
  static func fail(_ call: Call, at site: TracedSite, with error: String, on bench: Bench) throws -> Failed {
    try run(call, .error(error), at: site, on: bench).failed
  }

  /// Runs `call` with a fault at the system call that is at `site`'s place, whatever number it has: again, if a run came to
  /// another call.
  ///
  /// - Parameter reset: makes the bench what it was, before each run.
  /// - Returns: `nil` if no run came to that call: a command makes some of its looks at the lock only when some time has passed.
  static func run(
    _ call: Call, _ fault: Fault, atPlaceOf site: TracedSite, on bench: Bench, reset: () throws -> Void
  ) throws -> Failed? {
    var moved = site
    for _ in 0..<20 {
      try reset()
      let (failed, met) = try run(call, fault, at: moved, on: bench)
      let hit = failed.outcome.code == 128 + SIGKILL ? met.last : met.first { $0.isInjected }
      if let hit, site.isSame(as: hit) { return failed }
      moved = site.moved(to: met)
    }
    var isSteady = true
    for _ in 0..<3 {
      try reset()
      if try !sites(of: call, on: bench).contains(where: { site.isSame(as: $0) }) { isSteady = false }
    }
    #expect(!isSteady, "no run came to \(site), \(site.line)")
    return nil
  }

  /// - Returns: what came of it, and the calls of the site's name on the bench's files.
  private static func run(
    _ call: Call, _ fault: Fault, at site: TracedSite, on bench: Bench
  ) throws -> (failed: Failed, met: [TracedSite]) {
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
