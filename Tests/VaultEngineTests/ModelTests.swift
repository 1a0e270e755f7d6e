import Testing
import VaultLaboratory

/// Random programs against a dictionary: a few of those that `vaultlab model` runs by the thousand.
@Suite struct ModelTests {
  // Defends: whatever is done in whatever order, by several handles of several processes, with crashes, kills and failing calls
  // between, a vault answers as a dictionary does, tells its whole history, and a snapshot stays as it was.
  @Test(arguments: [UInt64](1...24))
  func aRandomProgram(seed: UInt64) {
    for violation in ModelTrials().report(seed: seed).violations { Issue.record("\(violation)") }
  }
}
