import VaultEngine

extension StructureAttack {
  private struct Mix: Sendable {
    let fork: Int
    let assembly: Assembly
    let choices: Range<Int>
  }

  /// Two forks of one vault: behind where they parted, each frame of the one or of the other, in every combination.
  func forks() throws -> Report {
    let forks = try shapes.map { try forked([[.put("alice", [1])], [.put("bob", [2]), .event("bob", [3])]], $0) }
    let parts = forks.indices.flatMap { (fork) in
      let combinations = 1 << (forks[fork].0.frames.count - Self.common)
      return Assembly.allCases.flatMap { (assembly) in
        stride(from: 0, to: combinations, by: 128).map {
          Mix(fork: fork, assembly: assembly, choices: $0..<min($0 + 128, combinations))
        }
      }
    }
    return Report.over(parts) { (part) in
      var report = Report()
      let (one, other) = forks[part.fork]
      let oracle = StructureOracle([one, other])
      for choice in part.choices {
        self.trying("shape \(part.fork), choice \(choice)", &report) { (report) in
          let frames = one.frames.indices.map { (number) in
            let isOther = number >= Self.common && choice >> (number - Self.common) & 1 == 1
            return isOther ? other.parts[number] : one.parts[number]
          }
          let file = try part.assembly.file(header: one.header, frames)
          self.judge(
            Case(
              kind: "fork-mixes", name: { "shape \(part.fork), \(part.assembly) mix \(choice)" }, file: file,
              expected: oracle.expectation(of: file, isFitted: part.assembly == .fitted), names: one.names,
              ways: part.assembly.ways, pinned: [one, other]), &report)
        }
      }
      return report
    }
  }

  /// Frames before the forks part: the founding batch, and three records.
  private static let common = 6

  /// What both go on with: batches of one frame, of four, of twelve, and a checkpoint between commits.
  private var shapes: [[[Write]?]] {
    let puts = (0..<12 as Range<UInt8>).map { Write.put(Name(bytes: [97 + $0 % 5]), [$0, $0]) }
    return [
      puts.map { [$0] }, [Array(puts[..<4]), Array(puts[4..<8]), Array(puts[8...])], [puts],
      [[puts[0]], [puts[1], puts[2]], nil, [puts[3]], [.delete("alice"), .event("bob", [1])]],
    ]
  }
}
