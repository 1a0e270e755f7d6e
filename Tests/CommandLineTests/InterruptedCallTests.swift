import Testing
import VaultLaboratory

/// System calls that a signal interrupts.
@Suite struct InterruptedCallTests {
  // Defends: a write or a lock that was interrupted is made again, and the command succeeds.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "failing a system call needs strace"),
    arguments: ["pwrite64", "flock"])
  func isMadeAgain(name: String) throws {
    let bench = try Bench()
    try bench.put("alice")
    var tried = 0
    for number in 1...3 {
      var call = Call("put", "bob")
      call.input = .bytes(Array(#"{"access_token":"x"}"#.utf8))
      let site = TracedSite(name: name, number: number)
      let failed = try TracedCall.fail(call, at: site, with: "EINTR", on: bench)
      guard !failed.line.isEmpty else { break }
      #expect(failed.outcome.code == 0, "\(failed.line): \(failed.outcome.errors)")
      tried += 1
    }
    #expect(tried > 0)
    #expect(try bench.run("verify").code == 0)
  }
}
