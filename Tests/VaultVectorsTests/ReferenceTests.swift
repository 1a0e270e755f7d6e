import Testing

@testable import VaultVectors

/// The second implementation, in Python. Serialized: all tests ask one program.
@Suite("The second implementation", .serialized)
struct ReferenceTests {
  private static let reference = Result { try ExternalImplementation(["python3", Repository.path("spec/reference/tokenvault.py"), "serve"]) }

  // Both implementations, each written from the specification, agree on every scenario.
  @Test(arguments: Recipe.all)
  func itMeetsTheDemand(_ recipe: Recipe) throws {
    let check = ScenarioCheck(scenario: try recipe.scenario())
    #expect(check.run(with: try Self.reference.get().primitives) == .passed)
  }
}
