import VaultEngine

extension StructureAttack {
  /// A vault before and behind a checkpoint that takes a key away and brings another.
  private struct Torn: Sendable {
    let before: VaultSample
    let after: VaultSample

    /// Sectors that the checkpoint touches.
    var sectors: Range<Int> { before.end / 512..<(after.end + 511) / 512 }
  }

  private struct Part: Sendable {
    let torn: Int
    let choices: Range<Int>
  }

  /// The key that the checkpoint takes away, the one that it brings, and one that it leaves.
  private static let keys: (old: UInt8, new: UInt8, kept: UInt8) = (7, 9, 8)

  /// Every subset of a checkpoint's sectors and every length of it, at several places within a sector: it was made, or it was
  /// not, and then the key that it takes away still opens the vault, and the one that it brings does not.
  func tornCheckpoints() throws -> Report {
    let vaults = try (0..<4).map { try torn(number: $0) }
    let parts = vaults.indices.flatMap { (number) in
      let count = 1 << vaults[number].sectors.count
      return stride(from: 0, to: count, by: 64).map { Part(torn: number, choices: $0..<min($0 + 64, count)) }
    }
    var report = Report.over(parts) { (part) in
      var report = Report()
      for choice in part.choices { self.tear(vaults[part.torn], part.torn, choice, &report) }
      return report
    }
    report.add(cut(vaults))
    return report
  }

  private func torn(number: Int) throws -> Torn {
    let maker = try SampleMaker(seed: seed + 50 + UInt64(number))
    try maker.commit([.put("pad", Array(repeating: 1, count: 64 * number))])
    if number % 2 == 1 { try maker.commit([.put("odd", [1])]) }
    try maker.addKey(Self.keys.kept)
    try maker.commit([.put("alice", [1]), .delete("pad")])
    let before = maker.sample("before")
    try maker.changeKey(to: Self.keys.new)
    return Torn(before: before, after: maker.sample("after"))
  }

  // MARK: Sectors

  private func tear(_ torn: Torn, _ number: Int, _ choice: Int, _ report: inout Report) {
    var random = SeededRandom(seed: seed &+ UInt64(choice))
    let arrived = torn.sectors.enumerated().filter { choice >> $0.offset & 1 == 1 }.map { $0.element }
    for filling in [Filling.zeros, .shorter, .noise] {
      var file = torn.before.bytes + [UInt8](repeating: 0, count: torn.after.end - torn.before.end)
      for sector in torn.sectors {
        let range = max(sector * 512, torn.before.end)..<min(sector * 512 + 512, torn.after.end)
        if arrived.contains(sector) {
          file.replaceSubrange(range, with: torn.after.bytes[range])
        } else if filling == .noise {
          file.replaceSubrange(range, with: random.array(range.count))
        }
      }
      if filling == .shorter {
        let end = arrived.last.map { min($0 * 512 + 512, torn.after.end) } ?? torn.before.end
        file.removeLast(file.count - end)
      }
      let name = { @Sendable in "torn checkpoint \(number), sectors \(arrived), \(filling)" }
      judge(file, torn, filling, arrived.count == torn.sectors.count, name, &report)
    }
  }

  /// What is where a sector did not arrive.
  private enum Filling: Sendable {
    case zeros
    /// Nothing, behind the last that did.
    case shorter
    /// What no crash leaves: that must be damage or the right data.
    case noise
  }

  private func judge(
    _ file: [UInt8], _ torn: Torn, _ filling: Filling, _ isWhole: Bool, _ name: @escaping @Sendable () -> String,
    _ report: inout Report
  ) {
    var expected = Expectation.served(isWhole ? torn.after.newest : torn.before.newest)
    if filling == .noise, !isWhole {
      expected.refusals = Expectation.damage
      expected.verdict = .any
    }
    judge(file, torn, expected, name, &report)
  }

  /// The key that opens it opens it, the other does not.
  private func judge(
    _ file: [UInt8], _ torn: Torn, _ expected: Expectation, _ name: @escaping @Sendable () -> String,
    _ report: inout Report
  ) {
    let key = expected.state?.key ?? Self.keys.old
    judge(
      Case(
        kind: "torn-checkpoints", name: name, file: file, expected: expected, key: key, names: torn.after.names,
        ways: .all), &report)
    var refused = expected
    refused.state = nil
    refused.refusals.insert(.wrongKey)
    let wrong = key == Self.keys.old ? Self.keys.new : Self.keys.old
    judge(
      Case(
        kind: "torn-checkpoints-wrong-key", name: { "\(name()), with the wrong key" }, file: file, expected: refused,
        key: wrong, names: [], ways: .open), &report)
  }

  // MARK: Lengths

  private func cut(_ vaults: [Torn]) -> Report {
    let parts = vaults.indices.flatMap { (number) in
      stride(from: vaults[number].before.end, to: vaults[number].after.end, by: 64).map { (number, $0) }
    }
    return Report.over(parts) { (number, start) in
      var report = Report()
      let torn = vaults[number]
      for length in start..<min(start + 64, torn.after.end) {
        let name = { @Sendable in "torn checkpoint \(number), cut to \(length) bytes" }
        self.judge(Array(torn.after.bytes[..<length]), torn, .served(torn.before.newest), name, &report)
      }
      return report
    }
  }
}
