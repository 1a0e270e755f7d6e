import VaultEngine

extension StructureAttack {
  /// A vault and eight of its frames that stand side by side.
  private struct Row: Sendable {
    let vault: VaultSample
    let first: Int
  }

  private struct Part: Sendable {
    let row: Row
    let assembly: Assembly
    let numbers: Range<Int>
  }

  /// All 40 320 orders of eight frames: of eight batches, of one batch, of the file's beginning, of a checkpoint.
  func permutations() throws -> Report {
    let rows = try [eightBatches(), oneBatch(), beginning(), checkpoint()]
    let parts = rows.flatMap { (row) in
      Assembly.allCases.flatMap { (assembly) in
        stride(from: 0, to: 40_320, by: 560).map { Part(row: row, assembly: assembly, numbers: $0..<$0 + 560) }
      }
    }
    return Report.over(parts) { (part) in
      var report = Report()
      let oracle = StructureOracle([part.row.vault])
      for number in part.numbers {
        self.trying("permutation \(number)", &report) { (report) in
          try self.permute(part.row, number, part.assembly, oracle, &report)
        }
      }
      return report
    }
  }

  private func permute(
    _ row: Row, _ number: Int, _ assembly: Assembly, _ oracle: StructureOracle, _ report: inout Report
  ) throws {
    let vault = row.vault
    var frames = vault.parts
    let order = Self.order(number)
    for (place, source) in order.enumerated() { frames[row.first + place] = vault.parts[row.first + source] }
    let file = try assembly.file(header: vault.header, frames)
    var attempt = Case(
      kind: "permutations-\(assembly)", name: { "\(vault.name), \(assembly) order \(order)" }, file: file,
      expected: oracle.expectation(of: file, isFitted: assembly == .fitted), names: vault.names, ways: assembly.ways)
    // What the key opens was judged; a verification, which goes over the file twice more, is asked of a part of them.
    if assembly == .fitted, number % 8 != 0 { attempt.ways = .open }
    judge(attempt, &report)
  }

  /// The order of that number among those of eight things; 0 is the right one.
  static func order(_ number: Int) -> [Int] {
    var (rest, left) = (number, Array(0..<8))
    return (1...8).reversed().map { (count) in
      defer { rest /= count }
      return left.remove(at: rest % count)
    }
  }

  // MARK: The rows

  private func eightBatches() throws -> Row {
    let maker = try SampleMaker(seed: seed)
    for number in 0..<8 as Range<UInt8> { try maker.commit([.put(Name(bytes: [65 + number]), [number])]) }
    return Row(vault: maker.sample("eight batches"), first: 3)
  }

  private func oneBatch() throws -> Row {
    let maker = try SampleMaker(seed: seed + 1)
    try maker.commit([.put("before", [1])])
    try maker.commit(
      (0..<8 as Range<UInt8>).map { .put(Name(bytes: [65 + $0]), Array(repeating: $0, count: 20 * Int($0))) })
    return Row(vault: maker.sample("one batch"), first: 4)
  }

  private func beginning() throws -> Row {
    let maker = try SampleMaker(seed: seed + 2)
    for number in 0..<6 as Range<UInt8> { try maker.commit([.put(Name(bytes: [65 + number % 4]), [number])]) }
    return Row(vault: maker.sample("the beginning"), first: 0)
  }

  /// Four slots, a data key, the anchor, a page and the root.
  private func checkpoint() throws -> Row {
    let maker = try SampleMaker(seed: seed + 3)
    try maker.addKey(8)
    try maker.addKey(9)
    try maker.commit([.put("alice", [1])])
    try maker.addKey(10)
    try maker.commit([.put("bob", [2])])
    let vault = maker.sample("a checkpoint")
    return Row(vault: vault, first: vault.frames.count - 9)
  }
}
