package import VaultCrypto

/// A head that its owner keeps outside the vault, to notice a rollback or a truncation (FORMAT.md, "Pin").
package struct Pin: Equatable, Sendable {
  package let vaultID: FixedBytes<16>
  package let fileID: FixedBytes<32>
  package let generation: UInt64
  package let sequence: UInt64
  package let head: Link

  package init(
    vaultID: FixedBytes<16>, fileID: FixedBytes<32>, generation: UInt64, sequence: UInt64, head: Link
  ) {
    self.vaultID = vaultID
    self.fileID = fileID
    self.generation = generation
    self.sequence = sequence
    self.head = head
  }
}
