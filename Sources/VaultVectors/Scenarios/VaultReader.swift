/// The reader of vaults under test: the ways into a vault file, each a closure over plain bytes.
///
/// Tests put faulty ones in, to show that the verifier sees them.
package struct VaultReader: Sendable {
  /// Opens a vault with a credential and gives all its records.
  package var open:
    @Sendable (_ vault: [UInt8], _ credential: Scenario.Credential, _ pin: [UInt8]?) throws(PrimitiveError) ->
      VaultAnswer
  /// Verifies a vault from its first byte to its last; the records of the answer are not looked at. `nil`: there is no such
  /// way in.
  package var verify:
    (
      @Sendable (_ vault: [UInt8], _ credential: Scenario.Credential, _ pin: [UInt8]?) throws(PrimitiveError) ->
        VaultAnswer
    )?
  /// Verifies a vault without any key.
  package var verifyWithoutKey: @Sendable (_ vault: [UInt8]) throws(PrimitiveError) -> VaultAnswer
  /// Describes a vault without any key, in whatever state it is; `nil`: there is no such way in.
  package var inspect: (@Sendable (_ vault: [UInt8]) throws(PrimitiveError) -> Void)?

  /// A reader with these ways in.
  package init(
    open: @escaping @Sendable ([UInt8], Scenario.Credential, [UInt8]?) throws(PrimitiveError) -> VaultAnswer,
    verify: (@Sendable ([UInt8], Scenario.Credential, [UInt8]?) throws(PrimitiveError) -> VaultAnswer)?,
    verifyWithoutKey: @escaping @Sendable ([UInt8]) throws(PrimitiveError) -> VaultAnswer,
    inspect: (@Sendable ([UInt8]) throws(PrimitiveError) -> Void)?
  ) {
    self.open = open
    self.verify = verify
    self.verifyWithoutKey = verifyWithoutKey
    self.inspect = inspect
  }
}

/// What a reader says of a vault.
package struct VaultAnswer: Sendable, Equatable {
  /// One of the codes, as the reader wrote it.
  package var result: String
  /// In the order of the file.
  package var records: [Scenario.Record]
  /// Where the failure is, if the reader says so.
  package var offset: UInt64?

  /// An answer.
  package init(result: String, records: [Scenario.Record] = [], offset: UInt64? = nil) {
    self.result = result
    self.records = records
    self.offset = offset
  }
}
