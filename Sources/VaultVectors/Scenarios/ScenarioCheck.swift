/// One vault scenario, run through every way into a vault that the implementation has.
struct ScenarioCheck: DemandingCheck {
  let scenario: Scenario

  func demand(of primitives: Primitives) throws(Verdict) {
    let reader = primitives.vaults
    let keyless = try answer("verifying without a key") { () throws(PrimitiveError) in
      try reader.verifyWithoutKey(scenario.vault)
    }
    try demand(keyless, is: scenario.expectedWithoutKey, of: "verifying without a key")
    if let inspect = reader.inspect {
      try answer("inspecting") { () throws(PrimitiveError) in try inspect(scenario.vault) }
    }
    let opened = try answer("opening") { () throws(PrimitiveError) in
      try reader.open(scenario.vault, scenario.credential, scenario.pin)
    }
    try demandOpening(opened, mayPassOver: reader.verify != nil)
    if let verify = reader.verify {
      let verified = try answer("verifying") { () throws(PrimitiveError) in
        try verify(scenario.vault, scenario.credential, scenario.pin)
      }
      try demand(verified, is: scenario.expected, of: "verifying")
      try demandPlace(verified, of: "verifying")
    }
  }

  /// What a torn tail and a bad index are to an open vault is not an error, and a reader that can verify may leave the
  /// telling to that.
  private func demandOpening(_ opened: VaultAnswer, mayPassOver: Bool) throws(Verdict) {
    let isPassedOver = mayPassOver && scenario.expected.serves && opened.result == Expectation.success.rawValue
    if !isPassedOver { try demand(opened, is: scenario.expected, of: "opening") }
    try demandPlace(opened, of: "opening")
    try require(
      opened.records == scenario.records,
      "opening released \(opened.records.count) records instead of \(scenario.records.count), or others")
  }

  private func demand(_ answer: VaultAnswer, is expected: Expectation, of way: String) throws(Verdict) {
    try require(answer.result == expected.rawValue, "\(way) gave \(answer.result) instead of \(expected.rawValue)")
  }

  private func demandPlace(_ answer: VaultAnswer, of way: String) throws(Verdict) {
    guard let expected = scenario.offset, let offset = answer.offset else { return }
    try require(offset == expected, "\(way) named byte \(offset) instead of \(expected)")
  }

  private func answer<Result>(
    _ way: String, _ call: () throws(PrimitiveError) -> Result
  ) throws(Verdict) -> Result {
    try succeed(way, call)
  }
}
