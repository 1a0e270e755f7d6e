import Foundation
import Testing
import VaultFuzzing
import VaultLaboratory

/// The inputs that were kept of fuzzing, through the same ways in.
@Suite struct CorpusTests {
  private static let folder = Repository.path("Tests/Corpora")

  private static func inputs(in folder: String) throws -> [(name: String, bytes: [UInt8])] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { (name) in
      (name, Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
    }
  }

  // Defends: whatever fuzzing once reached keeps its promises: no trap, no hang, and readers that agree.
  @Test(arguments: FuzzTarget.all) func keptInputs(target: FuzzTarget) throws {
    let inputs = try Self.inputs(in: "\(Self.folder)/\(target.name)")
    #expect(!inputs.isEmpty)
    for (name, bytes) in inputs {
      #expect(bytes.count <= target.longest, "\(target.name)/\(name)")
      #expect(throws: Never.self, "\(target.name)/\(name)") { try target.run(bytes.span) }
    }
  }

  // Defends: an input that once broke a promise never does again. Each file is named by its target and by what it showed.
  @Test func inputsThatBrokeAPromise() throws {
    for (name, bytes) in try Self.inputs(in: "\(Self.folder)/regressions") {
      let target = try #require(FuzzTarget.all.first { name.hasPrefix("\($0.name)-") }, "\(name)")
      #expect(throws: Never.self, "\(name)") { try target.run(bytes.span) }
    }
  }

  // Defends: what fuzzing begins with holds the promises, and there is something to begin with.
  @Test(arguments: FuzzTarget.all) func seeds(target: FuzzTarget) throws {
    let seeds = target.seeds(Repository.path("testvectors"))
    #expect(!seeds.isEmpty || ["header", "frame", "json"].contains(target.name))
    for (number, seed) in seeds.enumerated() where seed.count <= target.longest {
      #expect(throws: Never.self, "\(target.name), seed \(number)") { try target.run(seed.span) }
    }
  }

  // Defends the repository: what is kept stays small.
  @Test func theCorporaAreSmall() throws {
    var (files, bytes) = (0, 0)
    for target in FuzzTarget.all {
      for input in try Self.inputs(in: "\(Self.folder)/\(target.name)") {
        files += 1
        bytes += input.bytes.count
      }
    }
    #expect(files < 1200 && bytes < 1_500_000, "\(files) files of \(bytes) bytes")
  }
}

extension FuzzTarget: CustomTestStringConvertible {
  /// The name.
  public var testDescription: String { name }
}
