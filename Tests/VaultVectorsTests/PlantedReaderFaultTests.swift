import Testing

@testable import VaultVectors

/// A reader of vaults that is wrong in one place, and the scenarios that must show it.
private struct ReaderFault: Sendable, CustomTestStringConvertible {
  let name: String
  let scenarios: [String]
  let plant: @Sendable (inout VaultReader) -> Void

  var testDescription: String { name }

  /// Opening and verifying say that all is well where they should say `code`.
  static func passesOver(_ code: VaultVectors.Expectation, in scenarios: String...) -> ReaderFault {
    ReaderFault(name: "\(code.rawValue) passed over", scenarios: scenarios) { (reader) in
      let open = reader.open
      reader.open = { (vault, credential, pin) throws(PrimitiveError) in
        var answer = try open(vault, credential, pin)
        if answer.result == code.rawValue { answer.result = VaultVectors.Expectation.success.rawValue }
        return answer
      }
      if let verify = reader.verify {
        reader.verify = { (vault, credential, pin) throws(PrimitiveError) in
          var answer = try verify(vault, credential, pin)
          if answer.result == code.rawValue { answer.result = VaultVectors.Expectation.success.rawValue }
          return answer
        }
      }
    }
  }
}

@Suite("Planted faults in a reader of vaults")
struct PlantedReaderFaultTests {
  // Defends the verifier: a reader that is wrong in one place turns the scenarios red that are about it.
  @Test(arguments: faults)
  private func aFaultIsSeen(_ fault: ReaderFault) throws {
    var primitives = Primitives.vaultCrypto
    fault.plant(&primitives.vaults)
    for name in fault.scenarios {
      let recipe = try #require(Recipe.all.first { $0.name == name })
      let check = ScenarioCheck(scenario: try recipe.scenario())
      #expect(check.run(with: .vaultCrypto) == .passed)
      let outcome = check.run(with: primitives)
      guard case .failed = outcome else {
        Issue.record("\(name) gave \(outcome)")
        continue
      }
    }
  }

  // A reader that breaks down fails a case, whatever the case demands.
  @Test func aBreakdownIsNoAnswer() throws {
    var primitives = Primitives.vaultCrypto
    primitives.vaults.open = { (_, _, _) throws(PrimitiveError) in throw .broke("out of order") }
    for name in ["header_good", "header_magic"] {
      let recipe = try #require(Recipe.all.first { $0.name == name })
      let check = ScenarioCheck(scenario: try recipe.scenario())
      guard case .failed = check.run(with: primitives) else {
        Issue.record("\(name) did not fail")
        continue
      }
    }
  }

  private static let faults: [ReaderFault] = [
    // Splice accepted: an old put over a newer one.
    .passesOver(.frameDamaged, in: "forged_splice", "frame_copied-over-newer", "frame_short-tag", "forged_type"),
    // Torn batch adopted by the one behind it.
    .passesOver(.chainBroken, in: "chain_torn-adopted", "term_old", "anchor_unfinished"),
    .passesOver(.tailDamaged, in: "tail_two-attempts", "tail_length-over-next"),
    .passesOver(.rollback, in: "pin_truncated", "pin_fork"),
    .passesOver(.wrongKey, in: "slot_removed"),
    .passesOver(.indexDamaged, in: "index_older-version"),
    .passesOver(.limitExceeded, in: "slot_n-2-63"),
    ReaderFault(name: "a record left out", scenarios: ["header_good", "tail_cut-in-frame"]) { (reader) in
      let open = reader.open
      reader.open = { (vault, credential, pin) throws(PrimitiveError) in
        var answer = try open(vault, credential, pin)
        answer.records = Array(answer.records.dropLast())
        return answer
      }
    },
    ReaderFault(name: "a torn batch served", scenarios: ["tail_cut-between-frames", "tail_torn-checkpoint"]) {
      (reader) in
      let open = reader.open
      reader.open = { (vault, credential, pin) throws(PrimitiveError) in
        var answer = try open(vault, credential, pin)
        answer.records += answer.records
        return answer
      }
    },
    ReaderFault(name: "pins not asked", scenarios: ["pin_truncated", "pin_head"]) { (reader) in
      let open = reader.open
      reader.open = { (vault, credential, _) throws(PrimitiveError) in try open(vault, credential, nil) }
    },
    ReaderFault(name: "damage without a key passed over", scenarios: ["frame_sync", "tail_garbage"]) { (reader) in
      reader.verifyWithoutKey = { (_) throws(PrimitiveError) in
        VaultAnswer(result: VaultVectors.Expectation.success.rawValue)
      }
    },
    ReaderFault(name: "a torn tail not reported", scenarios: ["tail_cut-in-frame"]) { (reader) in
      reader.verify = { (_, _, _) throws(PrimitiveError) in
        VaultAnswer(result: VaultVectors.Expectation.success.rawValue)
      }
    },
    ReaderFault(name: "damage named at another place", scenarios: ["forged_splice"]) { (reader) in
      let open = reader.open
      reader.open = { (vault, credential, pin) throws(PrimitiveError) in
        var answer = try open(vault, credential, pin)
        answer.offset = answer.offset.map { $0 + 16 }
        return answer
      }
    },
  ]
}
