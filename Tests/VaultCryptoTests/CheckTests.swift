import Testing

@testable import VaultVectors

@Suite("What a case demands")
struct CheckTests {
  private static let key = pattern(32)
  private static let message = pattern(20)
  private static let right = Primitives.vaultCrypto

  /// A GCM case of which everything is right, but for what the parameters say.
  private func gcm(
    _ validity: Validity, iv: [UInt8] = pattern(12), tagLength: Int = 16, keptTag: Int = 16,
    changesTag: Bool = false
  ) throws -> AEADCheck {
    var sealed = try Self.right.gcm.seal(Self.message, Self.key, iv.isEmpty ? [1] : iv, [])
    if changesTag { sealed.tag[0] ^= 1 }
    sealed.tag = Array(sealed.tag.prefix(keptTag))
    return AEADCheck(
      algorithm: .gcm, key: Self.key, iv: iv, aad: [], message: Self.message, sealed: sealed, tagLength: tagLength,
      validity: validity)
  }

  private func isFailed(_ outcome: Outcome) -> Bool { if case .failed = outcome { true } else { false } }

  // Defends "acceptable": opened or refused are both right, another plaintext and a breakdown are not.
  @Test func acceptableAllowsBoth() throws {
    #expect(try gcm(.acceptable).run(with: Self.right) == .passed)
    #expect(try gcm(.acceptable, changesTag: true).run(with: Self.right) == .passed)
    var other = Self.right
    other.gcm.open = { (_, _, _, _) throws(PrimitiveError) in [1] }
    #expect(isFailed(try gcm(.acceptable).run(with: other)))
    other.gcm.open = { (_, _, _, _) throws(PrimitiveError) in throw .broke("out of order") }
    #expect(isFailed(try gcm(.acceptable).run(with: other)))
  }

  // Defends the demand itself: a case of which the file says the wrong thing is red.
  @Test func wrongClaimsFail() throws {
    #expect(isFailed(try gcm(.invalid).run(with: Self.right)))
    #expect(isFailed(try gcm(.valid, changesTag: true).run(with: Self.right)))
  }

  // Defends short tags: the leftmost bytes decide when the file's tags are short, at every length that GCM has.
  @Test(arguments: [4, 8, 12, 13, 14, 15])
  func shortTagsAreTheLeftmostBytes(_ count: Int) throws {
    let run = { (validity: Validity, changesTag: Bool) in
      try gcm(validity, tagLength: count, keptTag: count, changesTag: changesTag).run(with: Self.right)
    }
    #expect(try run(.valid, false) == .passed)
    #expect(try run(.invalid, true) == .passed)
    #expect(isFailed(try run(.valid, true)))
    #expect(isFailed(try run(.invalid, false)))
  }

  // Defends against tags cut short in a file whose tags are whole: they must be refused, though their bytes are right.
  @Test func cutTagsMustBeRefused() throws {
    #expect(try gcm(.invalid, keptTag: 12).run(with: Self.right) == .passed)
    #expect(isFailed(try gcm(.valid, keptTag: 12).run(with: Self.right)))
  }

  // Defends against a pass for comparing nothing.
  @Test func noTagIsNoPass() throws {
    #expect(try gcm(.valid, tagLength: 0, keptTag: 0).run(with: Self.right) == .notApplicable("a tag of 0 bits"))
  }

  // Defends the lengths of IVs: what the standard lacks must be refused, what this implementation lacks does not apply.
  @Test func lengthsOfIVs() throws {
    #expect(try gcm(.invalid, iv: []).run(with: Self.right) == .passed)
    #expect(try gcm(.valid, iv: []).run(with: Self.right) == .notApplicable("an IV of 0 bits"))
    for count in [23, 25] {
      let sealed = Primitives.Sealed(ciphertext: [1], tag: pattern(16))
      let check = AEADCheck(
        algorithm: .xaes, key: Self.key, iv: pattern(count), aad: [], message: [1], sealed: sealed, tagLength: 16,
        validity: .invalid)
      #expect(check.run(with: Self.right) == .passed)
    }
  }

  // Defends the chain of a Monte Carlo file: a COUNT that does not follow from the one before turns both red.
  @Test func monteCarloFollowsTheChain() throws {
    let text = String(decoding: try Published.bytes("nist/CBCMCT256.rsp"), as: UTF8.self)
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let ivs = lines.indices.filter { lines[$0].hasPrefix("IV = ") }
    try #require(ivs.count == 200)
    lines[ivs[1]] = "IV = 00000000000000000000000000000000"
    let file = try SampleFiles.load(lines.joined(separator: "\n"))
    #expect(VectorRun.verify(file).counts == .init(passed: 198, failed: 2))
  }
}
