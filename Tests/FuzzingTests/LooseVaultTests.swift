import Testing
import VaultEngine
import VaultFormat
import VaultLaboratory

@testable import VaultFuzzing

/// Whether changed vaults get behind their seals, without which fuzzing them would be idle.
@Suite struct LooseVaultTests {
  private static let key = [UInt8](repeating: 7, count: 32)

  /// A vault of the laboratory, and what it holds.
  private static func sample() throws -> (file: [UInt8], contents: Contents) {
    let trace = try Trace(Trace.ordinary, seed: 1)
    let file = try #require(trace.disk.cache[SimulatedStorage.name])
    return (file, try #require(trace.acknowledged.last).contents)
  }

  // Defends the mutator: a vault that was taken apart and put together without a change is the same, byte by byte; so every
  // seal, link and checksum that it makes is the one that FORMAT.md demands.
  @Test(arguments: [true, false]) func untouched(keepsPlaces: Bool) throws {
    let file = try Self.sample().file
    let loose = try #require(LooseVault(file, key: Self.key))
    #expect(loose.serialized(keepsPlaces: keepsPlaces) == file)
    #expect(LooseVault(file, key: nil)?.serialized(keepsPlaces: keepsPlaces) == file)
    // All but the key slot is open.
    #expect(loose.pieces.count { $0.plaintext == nil } == 1)
  }

  // Defends the mutator: what was changed in the clear is what a reader finds.
  @Test func aChangedValue() throws {
    var (file, contents) = try Self.sample()
    var loose = try #require(LooseVault(file, key: Self.key))
    let place = try #require(
      loose.pieces.lastIndex { $0.plaintext?.starts(with: [1]) ?? false && $0.type == .record })
    var plaintext = try #require(loose.pieces[place].plaintext)
    let record = try Record(parsing: plaintext.span, at: .max, in: FileHeader(parsing: file.span))
    let value = [UInt8](repeating: 9, count: record.valueLength)
    plaintext.replaceSubrange(record.valueRange, with: value)
    loose.pieces[place].plaintext = plaintext
    contents[Name(bytes: Array(plaintext[record.nameRange]))] = value
    file = loose.serialized()
    let found = try VaultFindings(file).opened(key: Self.key, readsWhole: true)
    guard case .contents(let changed, _, _) = found else {
      Issue.record("the changed vault does not open: \(found)")
      return
    }
    #expect(changed == contents)
  }

  // Defends the mutator: a good part of what it makes opens, and of what does not, the refusals are of many kinds.
  @Test func manyChanges() throws {
    let file = try Self.sample().file
    var random = SeededRandom(seed: 5)
    var outcomes: [String: Int] = [:]
    for _ in 0..<400 {
      guard let changed = LooseVault.mutated(file, key: Self.key, longest: 1 << 14, &random) else { continue }
      let found = try VaultFindings(changed).opened(key: Self.key, readsWhole: true)
      if case .contents = found { outcomes["opened", default: 0] += 1 } else { outcomes["\(found)", default: 0] += 1 }
    }
    #expect(outcomes["opened", default: 0] > 40, "\(outcomes)")
    #expect(outcomes.count >= 6, "\(outcomes)")
  }

  // Defends the oracle: readers that disagree are seen. A damaged frame must not be called whole by a verification.
  @Test func aContradictionIsSeen() throws {
    let whole = VaultFindings.Opened.contents([:], names: 1, lastVersion: 1)
    var verdict = VaultFindings.Verdict()
    verdict.names = 1
    #expect(throws: Never.self) { try FuzzTarget.agree(whole, whole, verdict) }
    #expect(throws: Violation.self) { try FuzzTarget.agree(whole, .refused(.frameDamaged), verdict) }
    #expect(throws: Violation.self) { try FuzzTarget.agree(.refused(.frameDamaged), whole, verdict) }
    #expect(throws: Violation.self) { try FuzzTarget.agree(.unreadable(.frameDamaged), whole, verdict) }
    #expect(throws: Violation.self) { try FuzzTarget.agree(.contradictory, whole, verdict) }
    verdict.names = 2
    #expect(throws: Violation.self) { try FuzzTarget.agree(whole, whole, verdict) }
    verdict = VaultFindings.Verdict(isDamaged: true, names: 1)
    #expect(throws: Violation.self) { try FuzzTarget.agree(whole, whole, verdict) }
    #expect(throws: Violation.self) { try FuzzTarget.agree(VaultFindings.Verdict(), verdict) }
  }
}
