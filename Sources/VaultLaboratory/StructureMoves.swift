import VaultEngine

extension StructureAttack {
  /// What is done to the frames of one vault.
  private enum Move: Sendable {
    /// A stretch of them stands a second time, before the frame of that number.
    case copy(Range<Int>, to: Int)
    /// A stretch of them is gone.
    case remove(Range<Int>)
    /// One stands elsewhere.
    case move(Int, to: Int)

    var kind: String {
      switch self {
      case .copy: "duplicates"
      case .remove: "removals"
      case .move: "moves"
      }
    }

    func apply(to frames: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>] {
      var frames = frames
      switch self {
      case .copy(let range, let place): frames.insert(contentsOf: frames[range], at: place)
      case .remove(let range): frames.removeSubrange(range)
      case .move(let source, let place):
        let frame = frames.remove(at: source)
        frames.insert(frame, at: place)
      }
      return frames
    }
  }

  /// Each frame and each batch once more at every place; every stretch of frames gone; each frame at every other place.
  func moves() throws -> Report {
    let vaults = try [
      VaultSample.ordinary(seed: seed), .indexed(seed: seed + 1), .rotated(seed: seed + 2), .pagesApart(seed: seed + 3),
    ]
    let parts = vaults.flatMap { (vault) in moves(of: vault).map { (vault, $0) } }
    return Report.over(parts) { (vault, move) in
      var report = Report()
      let oracle = StructureOracle([vault])
      for assembly in Assembly.allCases {
        self.trying("\(vault.name), \(move)", &report) { (report) in
          let file = try assembly.file(header: vault.header, move.apply(to: vault.parts))
          self.judge(
            Case(
              kind: move.kind, name: { "\(vault.name), \(assembly) \(move)" }, file: file,
              expected: oracle.expectation(of: file, isFitted: assembly == .fitted), names: vault.names,
              ways: assembly.ways, pinned: [vault]), &report)
        }
      }
      return report
    }
  }

  private func moves(of vault: VaultSample) -> [Move] {
    let count = vault.frames.count
    let batches = Set(vault.frames.map(\.batchStart)).sorted().map { (start) in
      let members = vault.frames.indices.filter { vault.frames[$0].batchStart == start }
      return members[0]..<members[members.count - 1] + 1
    }
    let stretches = (0..<count).map { $0..<$0 + 1 } + batches.filter { $0.count > 1 }
    return stretches.flatMap { (range) in (0...count).map { Move.copy(range, to: $0) } }
      + (0..<count).flatMap { (first) in (first + 1...count).map { Move.remove(first..<$0) } }
      + (0..<count).flatMap { (source) in (0..<count).filter { $0 != source }.map { Move.move(source, to: $0) } }
  }
}
