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

  /// The calls of `call` on the bench's files, in their order; what the system's loader and the libraries open is none of them.
  static func sites(of call: Call, on bench: Bench) throws -> [TracedSite] {
    sites(in: try lines(of: call, named: changing, on: bench), on: bench)
  }

  private static func sites(in lines: [Substring], on bench: Bench) -> [TracedSite] {
    TracedSite.all(in: lines, named: changing, touching: bench.folder)
  }

  /// Runs `call`, whose system call at `site` fails with `error`.
  static func fail(_ call: Call, at site: TracedSite, with error: String, on bench: Bench) throws -> Failed {
    try run(call, .error(error, forever: false), at: site, on: bench).failed
  }

  /// Runs `call` with a fault at the system call that `site` is, whatever number it has; a steady one that no run comes to is an
  /// issue.
  ///
  /// - Parameter reset: makes the bench what it was, before each run.
  /// - Returns: `nil` if no run came to that call: a command makes some of its looks at the lock only when some time has passed.
  static func run(
    _ call: Call, _ fault: CallFault, reaching site: TracedSite, on bench: Bench, reset: () throws -> Void
  ) throws -> Failed? {
    let reach = try site.reach { (site) in
      try reset()
      let (failed, met) = try run(call, fault, at: site, on: bench)
      return (failed, fault.hit(in: met, code: failed.outcome.code), met)
    }
    switch reach {
    case .reached(let failed): return failed
    case .passing: return nil
    case .missed:
      Issue.record("no run came to \(site), \(site.line)")
      return nil
    }
  }

  /// - Returns: what came of it, and the calls of the site's name on the bench's files.
  private static func run(
    _ call: Call, _ fault: CallFault, at site: TracedSite, on bench: Bench
  ) throws -> (failed: Failed, met: [TracedSite]) {
    let traced = try run(call, fault.words(at: site, trace: trace(on: bench)), on: bench)
    let line = traced.lines.first { $0.contains(TracedSite.injected) } ?? ""
    return (Failed(outcome: traced.outcome, line: String(line)), sites(in: traced.lines, on: bench))
  }

  /// The calls of these names that `call` makes, as strace shows them, in their order.
  static func lines(of call: Call, named names: [String], on bench: Bench) throws -> [Substring] {
    let words = [
      "/usr/bin/strace", "-f", "-qq", "-y", "-o", trace(on: bench), "-e", "trace=" + names.joined(separator: ","),
    ]
    let traced = try run(call, words, on: bench)
    try #require(traced.outcome.code == 0, "\(traced.outcome.errors)")
    return traced.lines
  }

  private static func trace(on bench: Bench) -> String { bench.folder + "/.trace" }

  /// - Parameter words: stand before the command's own.
  private static func run(
    _ call: Call, _ words: [String], on bench: Bench
  ) throws -> (outcome: Outcome, lines: [Substring]) {
    var traced = call
    traced.program = words[0]
    traced.arguments = Call(words.dropFirst() + [call.program]).arguments + call.arguments
    let outcome = try bench.run(traced)
    let text = try String(decoding: bench.contents(of: trace(on: bench)), as: UTF8.self)
    return (outcome, text.split(separator: "\n"))
  }
}
