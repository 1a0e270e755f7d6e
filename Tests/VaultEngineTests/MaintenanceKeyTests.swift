import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Which keys open a new generation, and which do not.
@Suite struct MaintenanceKeyTests {
  private static let cost = KeySlot.Kind.scrypt(logN: 14, r: 8, p: 1)

  /// The terms of all record frames of a vault.
  private func terms(of disk: SimulatedDisk) throws -> Set<UInt32> {
    var window = try FileWindow(SimulatedStorage(disk: disk).open(writable: false))
    let generation = try window.generation()
    var terms: Set<UInt32> = []
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation) { (header) in
      if header.type.usesDataKey { terms.insert(header.term) }
    }
    return terms
  }

  /// The plaintext of a file's first data-key frame, which follows its one slot.
  private static func dataKey(of view: View) throws -> SecretBytes {
    var window = try FileWindow(view.file)
    let slot = try window.header(at: UInt64(FileHeader.length), in: view.generation)
    let offset = UInt64(FileHeader.length + slot.frameLength)
    let header = try window.header(at: offset, in: view.generation)
    try window.load(at: offset, count: header.frameLength)
    let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
    return try view.keyring.open(frame, in: view.generation)
  }

  // Defends: after a rotation nothing is sealed under the old term, the old data key is not in the file, and what the new one
  // sealed does not open with it; a compaction goes on with the same key.
  @Test func theOldDataKeyOpensNothing() throws {
    let trace = try Trace(Trace.ordinary, seed: 1)
    let old = try MaintenanceTests.view(of: trace.disk)
    try Verb.compact.run(on: .simulated(trace.disk, seed: 2))
    #expect(try terms(of: trace.disk) == [1])
    let report = try Verb.rotate.run(on: .simulated(trace.disk, seed: 3))
    #expect(try terms(of: trace.disk) == [2])
    #expect(report.droppedSlots.isEmpty)

    let new = try MaintenanceTests.view(of: trace.disk)
    #expect(new.keyring.newestTerm == 2 && new.keyring.termCount == 1)
    let plaintext = try Self.dataKey(of: old)
    let dataKey = try DataKey(parsing: plaintext.span, of: old.generation.header.vaultID)
    var cipher = try dataKey.cipher()
    var window = try FileWindow(new.file)
    var records = 0
    var headers: [FrameHeader] = []
    _ = try Walk(&window, from: Chain(startOf: new.generation), in: new.generation) { headers.append($0) }
    for header in headers where header.type == .record {
      records += 1
      try window.load(at: header.offset, count: header.frameLength)
      let frame = try Frame(header, in: window.bytes(at: header.offset, count: header.frameLength))
      var failed: FormatError?
      do throws(FormatError) {
        _ = try frame.open(with: &cipher, in: new.generation)
      } catch {
        failed = error
      }
      #expect(failed?.code == .frameDamaged)
    }
    #expect(records == 7)
  }

  // Defends: after a rekey the old credentials are wrong ones, not damage, the new ones open the vault, and the report lists
  // the slots that were dropped.
  @Test func rekeying() throws {
    let trace = try Trace(Trace.ordinary, seed: 4)
    let disk = trace.disk
    let contents = trace.acknowledged[trace.acknowledged.count - 1].contents
    var options = MaintenanceOptions.impatient
    options.passphraseCost = Self.cost
    let report = try Vault.rekey(
      .simulated(disk, seed: 5), credential: key(), newKey: key(8), newPassphrase: passphrase("open"), options: options)
    #expect(report.droppedSlots == [1])
    #expect(try code { _ = try Vault.open(.simulated(disk, seed: 6), credential: key()) } == .wrongKey)
    #expect(try Vault.open(.simulated(disk, seed: 6), credential: key(8)).contents() == contents)
    #expect(try Vault.open(.simulated(disk, seed: 6), credential: passphrase("open")).contents() == contents)
    _ = try disk.verify(credential: 8)

    // Of two slots the one whose credential is given again is not listed.
    let second = try Vault.rekey(
      .simulated(disk, seed: 7), credential: passphrase("open"), newKey: key(8), newPassphrase: nil, options: options)
    #expect(second.droppedSlots == [3])
    #expect(try code { _ = try Vault.open(.simulated(disk, seed: 8), credential: passphrase("open")) } == .wrongKey)
    #expect(try MaintenanceTests.view(of: disk, credential: 8).sealedSlots().map(\.slot.number) == [4])
    #expect(
      try code {
        _ = try Vault.rekey(.simulated(disk, seed: 9), credential: key(8), newKey: nil, newPassphrase: nil)
      } == .usage)
  }

  // Defends: handles that were open before a rekey say that their key is no longer right, and of damage nothing.
  @Test func openHandles() throws {
    let trace = try Trace(Trace.ordinary, seed: 10)
    let vault = try Vault.open(.simulated(trace.disk, seed: 11), credential: key())
    try Verb.rotate.run(on: .simulated(trace.disk, seed: 12))
    _ = try vault.contents()
    try Verb.rekey.run(on: .simulated(trace.disk, seed: 13))
    #expect(try code { _ = try vault.contents() } == .wrongKey)
    #expect(try code { try vault.commit([.put("alice", [1])]) } == .wrongKey)
  }
}
