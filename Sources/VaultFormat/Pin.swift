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

  /// Bytes of the binary form.
  package static let length = 96

  /// Reads the binary form (FORMAT.md, "Pin"); `nil`, when it does not have 96 bytes.
  package init?(parsing bytes: Span<UInt8>) {
    guard bytes.count == Self.length else { return nil }
    vaultID = FixedBytes(bytes.extracting(first: 16))
    fileID = FixedBytes(bytes.extracting(16..<48))
    generation = bytes.bigEndian(at: 48)
    sequence = bytes.bigEndian(at: 56)
    head = FixedBytes(bytes.extracting(64..<96))
  }

  /// The binary form.
  package func serialized() -> [UInt8] {
    [UInt8](capacity: Self.length) { (output) in
      output.append(contentsOf: vaultID.span)
      output.append(contentsOf: fileID.span)
      output.append(bigEndian: generation)
      output.append(bigEndian: sequence)
      output.append(contentsOf: head.span)
    }
  }
}
