import Foundation
import Testing

/// Many commands on one vault at once. With `TOKENVAULT_LONG=1` in the environment they are ten thousand.
@Suite(.serialized) struct ProcessTests {
  private static let isLong = ProcessInfo.processInfo.environment["TOKENVAULT_LONG"] == "1"

  @Test(arguments: [false, true]) func noWriteOfSixteenProcessesIsLost(whileListing: Bool) throws {
    // Defends: every put that returned 0 is there afterwards, whoever wrote beside it, and whoever read meanwhile.
    let bench = try Bench()
    let count = Self.isLong ? 10_000 : 160
    let lister = """
      ( while [ ! -e "$PWD/stop" ]; do "$TOKENVAULT" list --quiet >/dev/null || echo "list: $?" >>failures; done ) &
      """
    let script = """
      cd "$FOLDER" || exit 1
      \(whileListing ? lister : ":")
      seq 1 \(count) | xargs -P 16 -I{} sh -c \\
        'echo "{\\"access_token\\":\\"token-{}\\"}" | "$TOKENVAULT" put user-{} --lock-timeout 120s || echo "put {}: $?" >>failures'
      touch stop
      wait
      cat failures 2>/dev/null
      exit 0
      """
    var call = Call("-c", script)
    call.program = "/bin/sh"
    call.environment = ["TOKENVAULT": Bench.program, "FOLDER": bench.folder]
    let outcome = try bench.run(call)
    #expect(outcome.text == "", "\(outcome.errors)")
    let listed = try bench.run("list", "--json").lines
    #expect(listed.count == count)
    for number in stride(from: 1, through: count, by: max(1, count / 20)) {
      #expect(try bench.run("get", "user-\(number)").text == "token-\(number)\n")
    }
    #expect(try bench.run("verify").code == 0)
  }
}
