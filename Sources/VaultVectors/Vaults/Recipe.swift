internal import VaultCrypto
internal import VaultFormat

/// How one scenario is made: its name, what it demands, and the frames that it writes.
struct Recipe: Sendable {
  /// `<area>_<defect>`; what is good has `good` in it.
  let name: String
  let expected: Expectation
  let expectedWithoutKey: Expectation
  let comment: String
  private let write: @Sendable (inout ScenarioBuilder) -> Void

  /// - Parameter keyless: what a verification without keys says, if it is something else.
  init(
    _ name: String, _ expected: Expectation, keyless: Expectation? = nil, _ comment: String,
    _ write: @escaping @Sendable (inout ScenarioBuilder) -> Void
  ) {
    self.name = name
    self.expected = expected
    expectedWithoutKey = keyless ?? expected
    self.comment = comment
    self.write = write
  }

  /// Makes the vault. The name is the seed.
  ///
  /// - Throws: the failure of a primitive.
  func scenario() throws(CryptoError) -> Scenario {
    let input = Array(name.utf8)
    let seed = try SHAKE128.output(of: input.span, count: 8)
    var vault = ScenarioBuilder(seed: seed)
    write(&vault)
    if let failure = vault.failure { throw failure }
    let records = expected.serves ? Array(vault.released.prefix(vault.releasedCount ?? vault.released.count)) : []
    return Scenario(
      expected: expected, expectedWithoutKey: expectedWithoutKey, offset: vault.finding.map(UInt64.init),
      credential: vault.credential, pin: vault.pin, seed: seed, comment: comment, records: records,
      vault: vault.bytes)
  }

  /// Every scenario, in the order of its area.
  static let all: [Recipe] = [
    HeaderVaults.all, SlotVaults.all, FoundingVaults.all, FrameVaults.all, ForgedVaults.all, ChainVaults.all,
    RecordVaults.all, TermVaults.all, AnchorVaults.all, IndexVaults.all, RootVaults.all, TornVaults.all, TailVaults.all,
    PinVaults.all,
  ].flatMap(\.self)
}

/// What many scenarios begin with.
extension ScenarioBuilder {
  /// A vault with one put.
  mutating func begin() {
    found()
    put("alice", "one")
  }

  /// A put with something wrong in it between two that are right, so that it can't be taken for a torn tail.
  mutating func surround(_ edit: FrameEdit) {
    begin()
    finding = put("bob", "two", edit).offset
    put("carol", "three")
  }

  /// Any record with something wrong in it behind one that is right.
  mutating func begin(with draft: RecordDraft, _ edit: FrameEdit = .none) {
    begin()
    finding = record(draft, edit).offset
  }
}

extension ScenarioBuilder.RecordDraft {
  /// A put of a text.
  static func put(
    _ name: String, _ value: String, flags: UInt8 = 0, version: UInt64? = nil, previous: Int? = nil
  ) -> Self {
    Self(
      operation: .put, flags: flags, name: Array(name.utf8), value: Array(value.utf8), version: version,
      previous: previous)
  }
}
