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
    var description: String { "\(name) \(number)" }
  }

  /// A call that was made to fail.
  struct Failed {
    let outcome: Outcome
    /// The call as strace shows it, with its file; empty when the command never came to it.
    let line: String
  }

  /// The calls of `call` on the bench's files, in their order; what the system's loader and the libraries open is none of them.
  static func sites(of call: Call, on bench: Bench) throws -> [Site] {
    var counts: [String: Int] = [:]
    var sites: [Site] = []
    for line in try lines(of: call, named: changing, on: bench) {
      // Number of the thread, blanks, name, arguments. strace counts the calls of each thread by themselves.
      guard let name = changing.first(where: { line.hasCall($0) }) else { continue }
      let thread = line.prefix { $0 != " " }
      counts[thread + name, default: 0] += 1
      let number = counts[thread + name, default: 0]
      let isKnown = sites.contains { $0.name == name && $0.number == number }
      if line.contains(bench.folder), !isKnown { sites.append(Site(name: name, number: number, line: line)) }
    }
    return sites
  }

  /// Runs `call`, which is killed when it comes to `site`: that call is not made any more.
  static func kill(_ call: Call, at site: Site, on bench: Bench) throws -> Outcome {
    try run(call, ["-e", "inject=\(site.name):signal=KILL:when=\(site.number)"], [site.name], on: bench).outcome
  }

  /// Runs `call`, whose system call at `site` fails with `error`.
  static func fail(_ call: Call, at site: Site, with error: String, on bench: Bench) throws -> Failed {
    let fault = ["--seccomp-bpf", "-e", "inject=\(site.name):error=\(error):when=\(site.number)"]
    let traced = try run(call, fault, [site.name], on: bench)
    return Failed(outcome: traced.outcome, line: traced.lines.first { $0.hasSuffix("(INJECTED)") } ?? "")
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
}
