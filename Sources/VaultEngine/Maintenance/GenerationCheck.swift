internal import VaultCrypto
internal import VaultFormat

/// Opens what was written into a new file with keys that were read back from there, and compares it with what it should be.
struct GenerationCheck: Sendable {
  let keyring: Keyring

  /// Reads the founding batch back.
  ///
  /// - Parameter bytes: what was written.
  init(founding bytes: [UInt8], in file: any StorageFile, _ keys: GenerationKeys) throws(VaultError) {
    guard try file.read(at: 0, count: bytes.count + 1) == bytes else { throw Self.mismatch(at: 0) }
    keyring = try keys.keyring.keyring(for: keys.header)
    var window = try FileWindow(file)
    let generation = try window.generation()
    var view = View(file: file, generation: generation, keyring: keyring, isUnfinished: true)
    let walk = try Walk(&window, from: view.chain, in: generation)
    try view.replay(walk, &window)
    guard generation.header == keys.header, walk.committed.offset == UInt64(bytes.count),
      view.genesis?.madeBy == keys.madeBy, keyring.newestTerm == keys.keyring.newestTerm
    else { throw Self.mismatch(at: 0) }
  }

  /// Opens every frame of a batch, and compares it with the record that it was made of.
  ///
  /// - Parameters:
  ///   - blocks: the records.
  ///   - batch: their frames, in the same order, and nothing else; the file was found to hold the same bytes.
  ///   - start: where it stands in the file.
  func compare(
    _ blocks: [RecordBlock], with batch: BatchSealer.Sealed, from start: UInt64, of generation: Generation
  ) throws(VaultError) {
    var first = 0
    var parts: [(block: RecordBlock, records: ArraySlice<View.Sealed>)] = []
    for block in blocks {
      parts.append((block, batch.records[first..<first + block.items.count]))
      first += block.items.count
    }
    let (keyring, bytes) = (keyring, batch.bytes)
    _ = try Threads.map(parts) { (part) throws(VaultError) in
      try keyring.withCipher { (opener) throws(VaultError) in
        for (item, sealed) in zip(part.block.items, part.records) {
          let rest = bytes.span.extracting(Int(sealed.offset - start)..<bytes.count)
          let isSame: Bool
          do throws(FormatError) {
            isSame = try opener.open(Frame(FrameHeader(unchecked: rest), in: rest), in: generation) { (plaintext) in
              part.block.withPlaintext(of: item) { Record.isSame($0, as: plaintext) }
            }
          } catch {
            throw VaultError(error.at(offset: sealed.offset))
          }
          guard isSame else { throw Self.mismatch(at: sealed.offset) }
        }
      }
    }
  }

  /// A file that does not hold what was written to it.
  static func mismatch(at offset: UInt64) -> VaultError {
    VaultError(
      .io, "the new file does not hold what was written to it; the vault is as it was", remedy: "check the disk",
      offset: offset)
  }
}
