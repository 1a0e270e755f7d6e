import Testing

@testable import VaultVectors

@Suite("Vault scenarios")
struct ScenarioTests {
  // Every scenario, through every way into a vault, gives what it demands.
  @Test(arguments: Recipe.all)
  func aReaderMeetsTheDemand(_ recipe: Recipe) throws {
    let check = ScenarioCheck(scenario: try recipe.scenario())
    let outcome = check.run(with: .vaultCrypto)
    #expect(outcome == .passed)
  }

  // A name says whether a scenario is good, and no name is used twice.
  @Test func namesAreSound() {
    #expect(Set(Recipe.all.map(\.name)).count == Recipe.all.count)
    for recipe in Recipe.all {
      #expect(recipe.name.contains("_good") == (recipe.expected == .success), "\(recipe.name)")
    }
  }

  // What is written is what is read back.
  @Test(arguments: Recipe.all)
  func aScenarioSurvivesItsFile(_ recipe: Recipe) throws {
    let scenario = try recipe.scenario()
    #expect(try ScenarioReader.scenario(of: scenario.serialized()) == scenario)
  }
}

extension Recipe: CustomTestStringConvertible {
  /// The scenario's name.
  public var testDescription: String { name }
}
