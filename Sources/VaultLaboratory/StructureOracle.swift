import VaultEngine

/// What may be made of a file that was put together from frames of vaults which sound programs wrote: it is one of these
/// vaults, cut off somewhere, or it is refused.
package struct StructureOracle: Sendable {
  /// What sound programs wrote.
  package let histories: [VaultSample]

  package init(_ histories: [VaultSample]) { self.histories = histories }

  /// - Parameters:
  ///   - isFitted: checksums and links were made right, so that nobody without a key can see anything.
  package func expectation(of file: [UInt8], isFitted: Bool = false) -> Expectation {
    for history in histories {
      if var expected = expectation(of: file, as: history) {
        expected.isSeenWithoutKey = !isFitted
        return expected
      }
    }
    if isFitted, let expected = expectationOfTail(in: file) { return expected }
    var refused = Expectation.refused(Expectation.damage.union([.limitExceeded]))
    refused.isSeenWithoutKey = !isFitted
    refused.mayHaveOtherSlots = isFitted
    return refused
  }

  /// A slot takes no key but its owner's: with checksums and links made right, slots behind an honest end look like an append
  /// of which they are all that reached the disk. It is as if the file were cut off there, and may be served so.
  private func expectationOfTail(in file: [UInt8]) -> Expectation? {
    var frames = SampleFrame.all(in: file)
    guard frames.last?.range.upperBound == file.count else { return nil }
    while let last = frames.last, last.type == 2, !last.endsBatch {
      frames.removeLast()
      let rest = Array(file[..<last.offset])
      for history in histories {
        guard var expected = expectation(of: rest, as: history), expected.state?.end != file.count else { continue }
        expected.refusals = Expectation.damage
        expected.verdict = .any
        expected.isSeenWithoutKey = false
        return expected
      }
    }
    return nil
  }

  /// - Returns: `nil` when the file is not this vault from where opening begins.
  private func expectation(of file: [UInt8], as vault: VaultSample) -> Expectation? {
    let length = min(file.count, vault.end)
    guard let state = vault.state(within: length), file[length...].allSatisfy({ $0 == 0 }),
      Self.isSame(file, vault.bytes, in: 0..<vault.foundingEnd)
    else { return nil }
    let seam = max(state.checkpoint, vault.foundingEnd)
    guard Self.isSame(file, vault.bytes, in: seam..<length) else { return nil }
    var expected = Expectation.served(state)
    let before = vault.frames.filter { $0.offset >= vault.foundingEnd && $0.offset < seam }
    let changed = before.filter { !Self.isSame(file, vault.bytes, in: $0.range) }
    guard !changed.isEmpty else { return expected }
    // What stands before the checkpoint is looked at by who reads it, and by a verification. With a page and a record bad,
    // nothing can be read at all.
    expected.refusals = Expectation.damage
    expected.unreadable = Set(vault.names)
    expected.mayMissHistory = true
    expected.verdict = changed.allSatisfy { $0.type == 5 } ? .damagedOrIndex : .damaged
    return expected
  }

  private static func isSame(_ one: [UInt8], _ other: [UInt8], in range: Range<Int>) -> Bool {
    range.upperBound <= one.count && range.upperBound <= other.count && one[range] == other[range]
  }
}
