import Testing

@testable import VaultVectors

@Suite("Generated vectors")
struct GeneratorTests {
  // What is kept in the repository is what the generator makes, byte for byte, and nothing else is kept beside it.
  @Test func whatIsKeptIsGenerated() throws {
    let files = try VectorGenerator.files()
    for file in files {
      let kept = try VectorFolder.contents(of: Repository.path("testvectors/\(file.path)"))
      #expect(kept == file.bytes, "\(file.path) is not what is generated")
    }
    let kept = try ["vaults", "records"].flatMap { try VectorFolder.files(at: Repository.path("testvectors/\($0)")) }
    #expect(kept.count == files.count)
  }

  // There are enough scenarios, and about one in five is good.
  @Test func thereAreEnough() {
    let good = Recipe.all.count { $0.expected == .success }
    #expect(Recipe.all.count >= 150)
    #expect((0.15...0.25).contains(Double(good) / Double(Recipe.all.count)))
  }

  // The records are read back by the verifier, and all of them pass.
  @Test func recordsPass() throws {
    let report = VectorRun.verify(paths: [Repository.path("testvectors/records")])
    #expect(report.unreadable.isEmpty)
    #expect(report.failed == 0)
    #expect(report.notApplicable == 0)
    #expect(report.passed > 150)
  }
}

@Suite("The worked example")
struct WorkedExampleTests {
  // The example in the specification is what the generator makes.
  @Test func whatIsKeptIsGenerated() throws {
    let kept = try VectorFolder.contents(of: Repository.path("spec/EXAMPLE.md"))
    #expect(String(decoding: kept, as: UTF8.self) == (try WorkedExample.text()))
  }
}
