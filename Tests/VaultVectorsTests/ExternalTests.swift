import Testing

@testable import VaultVectors

@Suite("Other implementations")
struct ExternalTests {
  private static func outcome(of script: String, patience: Int = 60) throws -> Outcome {
    let implementation = try ExternalImplementation(["/bin/sh", "-c", script], patience: patience)
    let recipe = try #require(Recipe.all.first { $0.name == "header_good" })
    return ScenarioCheck(scenario: try recipe.scenario()).run(with: implementation.primitives)
  }

  // A program that dies, is silent, or answers nonsense fails, with a sentence that says so.
  @Test(arguments: [
    ("exit 1", "ended"), ("read line", "ended"), ("while read line; do echo hello; done", "nonsense"),
    ("while read line; do echo '[]'; done", "nonsense"), ("while read line; do echo '{\"id\":7}'; done", "nonsense"),
    ("read line; echo '{\"id\":1,\"result\":\"success\"'", "nonsense"),
    ("n=0; while read line; do n=$((n+1)); echo \"{\\\"id\\\":$n}\"; done", "nonsense"),
    ("n=0; while read line; do n=$((n+1)); echo \"{\\\"id\\\":$n,\\\"result\\\":\\\"fine\\\"}\"; done", "fine"),
  ])
  func aProgramOutOfOrderFails(_ script: String, _ word: String) throws {
    guard case .failed(let sentence) = try Self.outcome(of: script) else {
      Issue.record("it did not fail")
      return
    }
    #expect(sentence.contains(word), "\(sentence)")
  }

  // A program that hangs is given up after the time that it has.
  @Test func aProgramThatHangsFails() throws {
    guard case .failed(let sentence) = try Self.outcome(of: "sleep 600", patience: 1) else {
      Issue.record("it did not fail")
      return
    }
    #expect(sentence.contains("in time"))
  }

  // A program that says success to everything passes no scenario that releases records.
  @Test func aYesManFails() throws {
    let script = "n=0; while read line; do n=$((n+1)); echo \"{\\\"id\\\":$n,\\\"result\\\":\\\"success\\\"}\"; done"
    guard case .failed = try Self.outcome(of: script) else {
      Issue.record("it did not fail")
      return
    }
  }

  // A program that is not there is an error before any case.
  @Test func aMissingProgramIsAnError() {
    #expect(throws: VectorError.self) { try ExternalImplementation(["/nonexistent/program"]) }
    #expect(throws: VectorError.self) { try ExternalImplementation([]) }
  }
}
