import VaultEngine
import VaultFormat

/// A number in a frame that says how much there is of something, or where.
struct LengthField: Sendable {
  /// What it is in.
  enum Part: Sendable { case header, trailer, clear, content }

  let part: Part
  let offset: Int
  let size: Int
  /// The greatest value that the format allows.
  let maximum: UInt64

  init(_ part: Part, _ offset: Int, _ size: Int, maximum: UInt64) {
    self.part = part
    self.offset = offset
    self.size = size
    self.maximum = maximum
  }

  /// Of every frame.
  static let outside: [LengthField] = [
    LengthField(.header, 32, 4, maximum: 128), LengthField(.header, 36, 4, maximum: 1 << 26 - 144),
    LengthField(.trailer, 0, 4, maximum: 1 << 26), LengthField(.trailer, 4, 4, maximum: 1 << 28),
  ]

  /// Of what a frame of this type holds.
  static func inside(_ frame: ForgedFrame) -> [LengthField] {
    switch frame.type {
    case 1:
      [
        LengthField(.content, 2, 2, maximum: 1024), LengthField(.content, 4, 4, maximum: 1 << 24),
        LengthField(.content, 16, 8, maximum: 1 << 63 - 1), LengthField(.content, 24, 8, maximum: 1 << 48 - 1),
      ]
    case 2:
      [
        LengthField(.clear, 0, 1, maximum: 2), LengthField(.clear, 1, 1, maximum: 20),
        LengthField(.clear, 2, 1, maximum: 8), LengthField(.clear, 3, 1, maximum: 4),
        LengthField(.clear, 4, 4, maximum: 1 << 32 - 1),
      ]
    case 3: [LengthField(.content, 0, 4, maximum: 1 << 32 - 1)]
    case 4: [LengthField(.content, 9, 1, maximum: 255), LengthField(.content, 10, 1, maximum: 255)]
    case 5: [LengthField(.content, 8, 4, maximum: 1 << 32 - 1), LengthField(.content, 12, 2, maximum: 164)]
    case 6: root(frame.content)
    case 7: anchor(frame.content)
    default: []
    }
  }

  private static func root(_ plaintext: [UInt8]) -> [LengthField] {
    let counters = [0, 8, 16].map { LengthField(.content, $0, 8, maximum: 1 << 63 - 1) }
    // The first run, and its first segment.
    let run = [
      LengthField(.content, 42, 2, maximum: 1 << 16 - 1), LengthField(.content, 44, 4, maximum: 1 << 32 - 1),
      LengthField(.content, 48, 8, maximum: .max), LengthField(.content, 56, 8, maximum: 1 << 63 - 1),
      LengthField(.content, 64, 8, maximum: 1 << 63 - 1), LengthField(.content, 72, 4, maximum: 1 << 32 - 1),
      LengthField(.content, 76, 8, maximum: 1 << 48 - 1),
    ]
    return counters + [LengthField(.content, 24, 4, maximum: 64)] + (plaintext.count >= 116 ? run : [])
  }

  private static func anchor(_ plaintext: [UInt8]) -> [LengthField] {
    let history = 4 + Int(plaintext.number(at: 0, 4))
    let counts = [LengthField(.content, 0, 4, maximum: 1 << 26), LengthField(.content, history, 4, maximum: 64)]
    guard plaintext.count >= history + 108 else { return counts }
    return counts
      + [4, 44, 52].map { LengthField(.content, history + $0, 8, maximum: 1 << 63 - 1) }
  }

  /// What the field is set to, where it says `value` and `remaining` bytes follow it.
  func values(insteadOf value: UInt64, remaining: Int) -> [UInt64] {
    let rest = UInt64(remaining)
    let all: [UInt64] = [
      0, 1, maximum &- 1, maximum, maximum &+ 1, 1 << 31 - 1, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 48, 1 << 63 - 1,
      1 << 63, .max, rest &- 1, rest, rest &+ 1, rest / 16 * 16, rest / 16 * 16 &+ 16, value &- 1, value &+ 1,
      value &- 16,
      value &+ 16, value &- 32, value &+ 32,
    ]
    let mask = size == 8 ? UInt64.max : 1 << UInt64(8 * size) - 1
    return Array(Set(all.map { $0 & mask })).sorted().filter { $0 != value }
  }
}

extension StructureAttack {
  /// Whatever the holder of the keys writes: opened, or refused by a code that says what is wrong. And nothing else.
  private static let declared = Expectation.damage.union([
    .limitExceeded, .headerDamaged, .wrongKey, .unsupportedFeature, .unsupportedVersion,
  ])

  private struct Part: Sendable {
    let vault: VaultSample
    let frame: Int
  }

  /// What may be had of memory while lengths lie, in KiB.
  private static let room = 64 << 10

  /// Every length and every count, at its bounds and beyond, where who has no key makes checksums right, and who has one
  /// seals it.
  func lengths() throws -> Report {
    let vaults = try [VaultSample.ordinary(seed: seed), .indexed(seed: seed + 1), .rotated(seed: seed + 2)]
    let parts = vaults.flatMap { (vault) in vault.frames.indices.map { Part(vault: vault, frame: $0) } }
    let before = peakMemory()
    var report = Report.over(parts) { (part) in
      var report = Report()
      self.trying("\(part.vault.name), frame \(part.frame)", &report) { (report) in
        try self.keyless(part, &report)
        try self.sealed(part, &report)
      }
      return report
    }
    let growth = peakMemory() - before
    if growth > Self.room { report.violation("lengths that lie took \(growth) KiB of memory") }
    return report
  }

  // MARK: Without a key

  private func keyless(_ part: Part, _ report: inout Report) throws {
    let vault = part.vault
    let frame = vault.frames[part.frame]
    let oracle = StructureOracle([vault])
    for field in LengthField.outside {
      let isTrailer = field.part == .trailer
      let place = isTrailer ? frame.range.upperBound - 16 + field.offset : frame.offset + field.offset
      let old = vault.bytes.number(at: place, field.size)
      for value in field.values(insteadOf: old, remaining: vault.bytes.count - place - field.size) {
        for isComplemented in isTrailer && field.offset == 0 ? [true, false] : [true] {
          let bytes = try changed(vault, frame, place, field, value, isComplemented: isComplemented)
          for zeros in [0, 4096] {
            let file = bytes + [UInt8](repeating: 0, count: zeros)
            let name = { @Sendable in "\(vault.name), frame \(part.frame), byte \(place) says \(value), \(zeros) zeros"
            }
            judge(
              Case(
                kind: "lengths-with-checksums", name: name, file: file, expected: oracle.expectation(of: file),
                names: vault.names, ways: .all, pinned: [vault]), &report)
          }
        }
      }
    }
  }

  private func changed(
    _ vault: VaultSample, _ frame: SampleFrame, _ place: Int, _ field: LengthField, _ value: UInt64,
    isComplemented: Bool
  ) throws -> [UInt8] {
    var bytes = vault.bytes
    bytes.setNumber(value, at: place, field.size)
    let trailer = frame.range.upperBound - 16
    if field.part == .header {
      FrameFit.setChecksum(of: &bytes, try vault.zeroLink, at: frame.offset)
      let body = CRC32(of: bytes.span.extracting(frame.offset..<trailer))
      bytes.setNumber(UInt64(body.value), at: trailer + 8, 4)
    } else if field.offset == 0, isComplemented {
      bytes.setNumber(~value & 0xFFFF_FFFF, at: trailer + 12, 4)
    }
    return bytes
  }

  // MARK: With the keys

  private func sealed(_ part: Part, _ report: inout Report) throws {
    let forge = try Forge(part.vault.bytes, key: part.vault.newest.key)
    let frame = forge.frames[part.frame]
    for field in LengthField.outside {
      let length = 144 + frame.clear.count + frame.content.count
      for value in field.values(insteadOf: .max, remaining: length - 88) {
        var edit = FrameEdit()
        if field.part == .header {
          edit.header = { $0.setNumber(value, at: field.offset, field.size) }
        } else {
          edit.trailer = { (trailer) in
            trailer.setNumber(value, at: field.offset, 4)
            if field.offset == 0 { trailer.setNumber(~value & 0xFFFF_FFFF, at: 12, 4) }
          }
        }
        let file = try forge.file(forge.frames, editing: [part.frame: edit])
        forged(file, "sealed-lengths", "\(field.part) \(field.offset) says \(value)", part, &report)
      }
    }
    for field in LengthField.inside(frame) {
      let content = field.part == .clear ? frame.clear : frame.content
      let old = content.number(at: field.offset, field.size)
      let remaining = content.count - field.offset - field.size
      for value in field.values(insteadOf: old, remaining: remaining) {
        var frames = forge.frames
        if field.part == .clear {
          frames[part.frame].clear.setNumber(value, at: field.offset, field.size)
        } else {
          frames[part.frame].content.setNumber(value, at: field.offset, field.size)
        }
        let file = try forge.file(frames)
        forged(file, "sealed-counts", "\(field.part) \(field.offset) says \(value)", part, &report)
        if field.part == .clear { hostileCosts(file, part, frames[part.frame].clear, &report) }
      }
    }
    guard frame.type != 2 else { return }
    for count in [0, 16, 32, frame.content.count - 16, frame.content.count + 16, 1 << 16] where count >= 0 {
      var frames = forge.frames
      frames[part.frame].content.resize(to: count)
      forged(try forge.file(frames), "sealed-contents-cut", "cut to \(count)", part, &report)
    }
  }

  private func forged(
    _ file: [UInt8], _ kind: String, _ what: String, _ part: Part, _ report: inout Report
  ) {
    let name = { @Sendable in "\(part.vault.name), frame \(part.frame), sealed again, \(what)" }
    report.count(kind)
    let faults = clock.time(name) {
      var faults: [String] = []
      let opened = reading.answer { try reading.open(file, part.vault.newest.key, part.vault.names) }
      switch opened {
      case .failure(let error): if !Self.declared.contains(error.code) { faults.append("refused as \(error)") }
      case .success(let found): faults += undeclared(in: found)
      }
      for key in [part.vault.newest.key, nil] {
        let verified = reading.answer { try reading.verify(file, key) }
        if case .failure(let error) = verified, !Self.declared.contains(error.code) {
          faults.append("verifying failed: \(error)")
        }
      }
      return faults
    }
    for fault in faults { report.violation("seed \(seed), \(name()): \(fault)") }
  }

  private func undeclared(in found: Found) -> [String] {
    var errors: [VaultError] = found.values.values.compactMap(\.failure)
    errors += [found.contents.failure, found.records.failure, found.events.failure].compactMap(\.self)
    return errors.filter { !Self.declared.contains($0.code) && $0.code != .indexDamaged }.map { "reading gives \($0)" }
  }

  /// A passphrase must not be tried at a cost that the format forbids: it would take what memory and time the file asks for.
  private func hostileCosts(_ file: [UInt8], _ part: Part, _ clear: [UInt8], _ report: inout Report) {
    let isLive = part.vault.frames[part.frame].batchStart == max(part.vault.newest.checkpoint, 128)
    let isAllowed = (14...20).contains(clear[1]) && clear[2] == 8 && (1...4).contains(clear[3])
    guard clear[0] == 2, !isAllowed, isLive else { return }
    report.count("hostile-costs")
    let name = { @Sendable in "\(part.vault.name), frame \(part.frame), a passphrase slot of costs \(clear[1..<4])" }
    let faults = clock.time(name) {
      let answer = reading.answer {
        _ = try Vault.open(.reading(BytesStorage(file)), credential: passphrase("correct horse"), options: .reading)
      }
      guard case .failure(let error) = answer, error.code == .limitExceeded else { return ["\(answer)"] }
      return []
    }
    for fault in faults { report.violation("seed \(seed), \(name()): \(fault)") }
  }
}

extension Result {
  /// The error, if it is one.
  fileprivate var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}
