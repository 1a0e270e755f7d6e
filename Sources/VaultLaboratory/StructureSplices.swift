import VaultEngine

extension StructureAttack {
  /// Two vaults of one key, or two states of one.
  private struct Pair: Sendable {
    let one: VaultSample
    let other: VaultSample
  }

  private struct Splice: Sendable {
    let pair: Int
    /// Frames of the first vault.
    let count: Int
  }

  /// The beginning of one vault with the end of another, and single frames of one in the place of those of another: vaults
  /// under the same key, generations of one vault, forks.
  func splices() throws -> Report {
    let pairs = try pairs().flatMap { (pair) in
      [pair, Pair(one: pair.other, other: pair.one)]
    }
    let parts = pairs.indices.flatMap { (pair) in
      (0...pairs[pair].one.frames.count).map { Splice(pair: pair, count: $0) }
    }
    return Report.over(parts) { (part) in
      var report = Report()
      let pair = pairs[part.pair]
      for assembly in Assembly.allCases {
        for from in 0...pair.other.frames.count {
          self.trying("splice \(part)", &report) { (report) in
            let frames = pair.one.parts.prefix(part.count) + pair.other.parts.dropFirst(from)
            try self.judge(pair, "splices", (part.count, from), Array(frames), assembly, &report)
            guard part.count < pair.one.frames.count, from < pair.other.frames.count else { return }
            var replaced = pair.one.parts
            replaced[part.count] = pair.other.parts[from]
            try self.judge(pair, "replacements", (part.count, from), replaced, assembly, &report)
          }
        }
      }
      return report
    }
  }

  private func judge(
    _ pair: Pair, _ kind: String, _ place: (Int, Int), _ frames: [ArraySlice<UInt8>], _ assembly: Assembly,
    _ report: inout Report
  ) throws {
    let file = try assembly.file(header: pair.one.header, frames)
    let oracle = StructureOracle([pair.one, pair.other])
    judge(
      Case(
        kind: kind,
        name: { "\(pair.one.name) and \(pair.other.name), \(assembly) \(kind) \(place.0), \(place.1)" }, file: file,
        expected: oracle.expectation(of: file, isFitted: assembly == .fitted),
        names: pair.one.names, ways: assembly.ways, pinned: [pair.one, pair.other]), &report)
  }

  private func pairs() throws -> [Pair] {
    let ordinary = try VaultSample.ordinary(seed: seed)
    let stranger = try VaultSample.ordinary(seed: seed + 1)
    let indexed = try VaultSample.indexed(seed: seed + 2)
    let maker = try SampleMaker(seed: seed + 3)
    try maker.commit(VaultSample.mixedCommits)
    let first = maker.sample("first generation")
    try maker.compact()
    let second = maker.sample("compacted")
    try maker.commit([.put("alice", [9])])
    try maker.rotate()
    let third = maker.sample("rotated")
    let fork = try forked([[.put("alice", [1])], [.put("bob", [2]), .delete("alice")]], [[.put("carl", [3])]])
    return [
      Pair(one: ordinary, other: stranger),
      Pair(one: ordinary, other: indexed),
      Pair(one: first, other: second), Pair(one: second, other: third), Pair(one: first, other: third),
      Pair(one: fork.0, other: fork.1),
    ]
  }

  /// One vault that was copied, and with which both went on: the same shape, other bytes.
  ///
  /// - Parameters:
  ///   - base: commits before the copy.
  ///   - after: commits of both; `nil` stands for another key, which is a checkpoint.
  func forked(_ base: [[Write]], _ after: [[Write]?]) throws -> (VaultSample, VaultSample) {
    let common = try SampleMaker(seed: seed + 10)
    try common.commit(base)
    let samples = try [UInt64(20), 30].map { (draw) in
      let maker = try SampleMaker(copying: common, seed: seed + draw)
      for (number, writes) in after.enumerated() {
        guard let writes else {
          try maker.addKey(UInt8(8 + number))
          continue
        }
        try maker.commit(writes.map { $0.marked(UInt8(draw)) })
      }
      return maker.sample("fork \(draw)")
    }
    return (samples[0], samples[1])
  }
}

extension Write {
  /// The same with another first byte in its value.
  fileprivate func marked(_ mark: UInt8) -> Write {
    switch self {
    case .put(let name, let value, let condition): .put(name, [mark] + value.dropFirst(), condition)
    case .event(let name, let value): .event(name, [mark] + value.dropFirst())
    case .delete: self
    }
  }
}
