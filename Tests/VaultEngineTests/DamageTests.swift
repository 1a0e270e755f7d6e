import Testing
import VaultLaboratory

@testable import VaultEngine

/// Vaults whose bytes were changed.
@Suite struct DamageTests {
  /// A small vault, and what it holds after each of its batches, the founding one first.
  private struct Sample {
    let bytes: [UInt8]
    /// Where each batch ends, with the contents up to there.
    let ends: [(end: Int, contents: Contents)]

    init() throws {
      let disk = SimulatedDisk()
      let vault = try Vault.create(.simulated(disk, seed: 11), credential: key())
      var contents: Contents = [:]
      var ends = [(disk.cache[SimulatedStorage.name]?.count ?? 0, contents)]
      for batch: [Write] in [[.put("a", [1])], [.put("b", [2]), .event("a", [3])], [.put("a", [4]), .delete("b")]] {
        try vault.commit(batch)
        for write in batch { write.apply(to: &contents) }
        ends.append((disk.cache[SimulatedStorage.name]?.count ?? 0, contents))
      }
      bytes = disk.cache[SimulatedStorage.name] ?? []
      self.ends = ends
    }
  }

  /// What came of opening these bytes and reading all of them.
  private func outcome(_ bytes: [UInt8]) throws -> (code: VaultError.Code?, contents: Contents) {
    let disk = SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: bytes]))
    var contents: Contents = [:]
    let code = try code {
      let vault = try Vault.open(.simulated(disk, seed: 1), credential: key(), options: .reading)
      contents = try vault.contents()
    }
    #expect(disk.journal.isEmpty, "reading changed the disk")
    return (code, contents)
  }

  // Defends: no flipped bit goes unnoticed, and none is taken for a wrong key; a reader changes nothing.
  @Test func everyFlippedBit() throws {
    let sample = try Sample()
    for bit in 0..<sample.bytes.count * 8 {
      var bytes = sample.bytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = try outcome(bytes).code
      #expect(found?.isDamage == true, "bit \(bit): \(String(describing: found))")
    }
  }

  // Defends: no byte set to 00 or ff goes unnoticed.
  @Test(arguments: [UInt8(0), 0xFF])
  func everyByteOverwritten(value: UInt8) throws {
    let sample = try Sample()
    for offset in sample.bytes.indices where sample.bytes[offset] != value {
      var bytes = sample.bytes
      bytes[offset] = value
      let found = try outcome(bytes).code
      #expect(found?.isDamage == true, "byte \(offset): \(String(describing: found))")
    }
  }

  // Defends: a vault cut at any byte holds the batches before the cut, or says that its first batch is damaged; a writer
  // goes on behind them.
  @Test func everyTruncation() throws {
    let sample = try Sample()
    for length in 0..<sample.bytes.count {
      let bytes = Array(sample.bytes.prefix(length))
      let found = try outcome(bytes)
      guard let whole = sample.ends.last(where: { $0.end <= length }) else {
        #expect(found.code?.isDamage == true, "cut to \(length): \(String(describing: found.code))")
        continue
      }
      #expect(found.code == nil && found.contents == whole.contents, "cut to \(length)")
      let image = DiskImage(names: [SimulatedStorage.name: 1], files: [1: bytes])
      if length % 8 == 0 { #expect(try Recovery(of: image, seed: 2).before == whole.contents) }
    }
  }

  // Defends: a byte in the zeros behind the last batch loses nothing, whether it is called damage or a torn tail.
  @Test func everyByteOfTheZeroTail() throws {
    let sample = try Sample()
    let zeros = [UInt8](repeating: 0, count: 1536)
    #expect(try outcome(sample.bytes + zeros).contents == sample.ends.last?.contents)
    for place in zeros.indices {
      var bytes = sample.bytes + zeros
      bytes[sample.bytes.count + place] = 0xF5
      let found = try outcome(bytes)
      let isServed = found.code == nil && found.contents == sample.ends.last?.contents
      #expect(isServed || found.code == .tailDamaged || found.code == .frameDamaged, "byte \(place) of the zeros")
    }
  }

  // Defends: what a checksum covers is found without a key, wherever it is changed; describing a damaged file never traps;
  // neither makes or changes a file.
  @Test func everyFlippedBitWithoutAKey() throws {
    let sample = try Sample()
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    try directory.write(sample.bytes, to: "vault")
    #expect(try Vault.verify(at: path, credential: nil).isDamaged == false)
    #expect(try Vault.verify(at: path, credential: key()).liveNames == 1)
    for bit in 0..<sample.bytes.count * 8 {
      var bytes = sample.bytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      try directory.overwrite("vault", with: bytes)
      #expect(try Vault.verify(at: path, credential: nil).isDamaged, "bit \(bit)")
      let inspected = try code { _ = try Vault.inspect(at: path) }
      #expect(inspected == (bit / 8 < 128 ? .headerDamaged : nil), "bit \(bit)")
      if bit % 64 == 0 { #expect(try directory.read("vault") == bytes) }
    }
    #expect(try directory.names() == ["vault"])
  }

  // Defends: a truncated or extended file is described and verified without a trap, with and without the key.
  @Test func everyTruncationVerified() throws {
    let sample = try Sample()
    let directory = try TemporaryDirectory()
    for length in stride(from: 0, to: sample.bytes.count, by: 3) {
      try directory.write(Array(sample.bytes.prefix(length)), to: "vault")
      let path = directory.path("vault")
      let isWhole = sample.ends[0].end <= length
      let report = try Vault.verify(at: path, credential: key())
      #expect(report.isDamaged == !isWhole, "cut to \(length): \(report.findings)")
      #expect(report.usedKey == isWhole)
      let end = sample.ends.last { $0.end <= length }
      #expect(report.tornBytes + report.zeroBytes == UInt64(end.map { length - $0.end } ?? 0), "cut to \(length)")
      _ = try code { _ = try Vault.inspect(at: path) }
    }
  }
}
