import Foundation
import Glibc
import Testing

/// `stats`, by the real command.
@Suite struct StatsCommandTests {
  private func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put("c4n4ry")
    try bench.put("bob", #"{"access_token":"c4n4ry","expires_at":1}"#)
    #expect(try bench.run("compact").code == 0)
    return bench
  }

  /// The three forms say the same, and no name of a user.
  @Test func forms() throws {
    let bench = try bench()
    let table = try bench.run("stats").text
    #expect(table.contains("entries expired ") && table.contains("events compacted "))
    let json = try bench.run("stats", "--json").text
    #expect(json.hasPrefix(#"{"entries":2,"accounts":[],"entries_expired":1,"#) && json.contains(#""generation":2"#))
    #expect(try bench.run("stats", "--format", "json").text == json)
    let text = try bench.run("stats", "--format", "prometheus").text
    #expect(text.contains("# TYPE tokenvault_entries gauge\ntokenvault_entries 2\n"))
    #expect(text.contains(#"tokenvault_events{event="compacted"} 1"#))
    for text in [table, json, text] { #expect(!text.contains("c4n4ry")) }
    #expect(try bench.run("stats", "--format", "xml").code == 64)
  }

  /// The file is replaced in one step, may be read by all, and nothing is left beside it; what is no file is left alone.
  @Test func out() throws {
    let bench = try bench()
    let path = bench.folder + "/tokenvault.prom"
    try bench.write(Array("old".utf8), to: "tokenvault.prom")
    let before = try Fingerprint(path)
    var call = Call("-c", "umask 077 && exec \(Bench.program) stats --format prometheus --out \(path)")
    call.program = "/bin/sh"
    let outcome = try bench.run(call)
    #expect(outcome.code == 0 && outcome.text.isEmpty, "\(outcome.errors)")
    #expect(try Fingerprint(path) != before)
    var status = stat()
    try #require(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o644)
    let text = String(decoding: try bench.contents(of: path), as: UTF8.self)
    #expect(text.hasPrefix("# HELP tokenvault_entries ") && text.hasSuffix("\n"))
    let names = try FileManager.default.contentsOfDirectory(atPath: bench.folder)
    #expect(!names.contains { $0.contains(".tmp-") })
    #expect(try bench.run("stats", "--out", bench.folder + "/no/such/file").code == 73)
    #expect(try bench.run("stats", "--out", bench.folder).code == 73)
    let fifo = bench.folder + "/fifo"
    try #require(unsafe mkfifo(fifo, 0o600) == 0)
    #expect(try bench.run("stats", "--out", fifo).code == 73)
    #expect(try bench.run("stats", "--out", "").code == 64)
  }
}
