import VaultEngine

extension StructureAttack {
  /// Fields of a frame header that tell where the frame stands.
  private static let places: [Range<Int>] = [6..<8, 8..<16, 16..<24, 24..<28, 40..<72, 72..<80]

  private struct Overlay: Sendable {
    let vault: VaultSample
    let source: Int
    let target: Int
  }

  /// A frame over another of the same length, with any of the fields of the header that it replaces: the link, the offset,
  /// the sequence. Checksums are right, and then the links of all that follows as well.
  func overlays() throws -> Report {
    let vaults = try [VaultSample.ordinary(seed: seed), .indexed(seed: seed + 1), .rotated(seed: seed + 2)]
    let parts = vaults.flatMap { (vault) in
      vault.frames.indices.flatMap { (target) in
        vault.frames.indices.filter {
          $0 != target && vault.frames[$0].length == vault.frames[target].length
        }.map { Overlay(vault: vault, source: $0, target: target) }
      }
    }
    return Report.over(parts) { (part) in
      var report = Report()
      for fields in 0..<1 << Self.places.count {
        self.trying("overlay \(part.source) over \(part.target)", &report) { (report) in
          try self.overlay(part, fields, &report)
        }
      }
      return report
    }
  }

  private func overlay(_ part: Overlay, _ fields: Int, _ report: inout Report) throws {
    let vault = part.vault
    let target = vault.frames[part.target]
    var frame = Array(vault.parts[part.source].dropLast(16))
    for (number, field) in Self.places.enumerated() where fields >> number & 1 == 1 {
      frame.replaceSubrange(
        field, with: vault.bytes[target.offset + field.lowerBound..<target.offset + field.upperBound])
    }
    FrameFit.setChecksum(of: &frame, try vault.zeroLink)
    frame += FrameFit.trailer(of: frame, distance: target.range.upperBound - target.batchStart)
    var plain = vault.bytes
    plain.replaceSubrange(target.range, with: frame)
    var frames = vault.parts
    frames[part.target] = frame[...]
    let oracle = StructureOracle([vault])
    for (assembly, file) in [(Assembly.plain, plain), (.fitted, try FrameFit.file(header: vault.header, frames))] {
      judge(
        Case(
          kind: "old-frames-over-new",
          name: { "\(vault.name), \(assembly) frame \(part.source) over \(part.target), fields \(fields)" }, file: file,
          // A last frame with right checksums and the right link is whole for who has no key.
          expected: oracle.expectation(
            of: file, isFitted: assembly == .fitted || part.target == vault.frames.count - 1),
          names: vault.names, ways: assembly.ways, pinned: [vault]), &report)
    }
  }
}
