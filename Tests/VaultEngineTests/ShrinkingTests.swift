import Synchronization
import Testing
import VaultLaboratory

@testable import VaultEngine

/// The model test's own test: faults that are planted, and what is left of the programs that show them.
@Suite struct ShrinkingTests {
  /// What a faulty disk does wrong.
  enum Fault: CaseIterable, Sendable {
    /// Says of one write of a large value that it was made.
    case lostWrite
    /// Gives the byte that stood there before in the place of one that was written.
    case oldByte
    /// Says that it has synced what it did not.
    case noSync
  }

  // Defends: the model test sees a disk that lies, and names a program of a handful of steps that shows it, however long the
  // program was that met it.
  @Test(arguments: Fault.allCases) func aPlantedFault(fault: Fault) throws {
    let makeStorage: ModelRun.MakeStorage = { (disk) in
      WrappedStorage(SimulatedStorage(disk: disk)) { (file, _) in FaultyFile(file, fault) }
    }
    for seed: UInt64 in 1...40 {
      let program = ModelProgram(seed: seed, length: 30)
      guard let failure = ModelRun.run(program, on: makeStorage).failure else { continue }
      let shrunk = program.shrunk(failure, on: makeStorage)
      #expect(shrunk.steps.count <= 4, "\(shrunk)")
      #expect(ModelRun.run(shrunk, on: makeStorage).failure?.kind == failure.kind)
      #expect(ModelRun.run(shrunk).failure == nil, "it is the fault that is shown")
      return
    }
    Issue.record("no program showed the fault")
  }

  // Defends: shrinking ends, leaves out what it can, and makes simpler what it must leave in.
  @Test func numbers() {
    var shrinking = Shrinking<Int>(limit: 1000) {
      $0 > 0 ? [$0 / 2, $0 - 1] : []
    } fails: { (numbers) in
      numbers.contains { $0 >= 13 } && numbers.contains { $0 < 5 }
    }
    let smallest = shrinking.smallest(of: [8, 90, 4, 4, 77, 6, 90])
    #expect(smallest.sorted() == [0, 13] && shrinking.tried < 1000)
  }
}

private final class FaultyFile: StorageFile {
  private let sound: any StorageFile
  private let fault: ShrinkingTests.Fault

  init(_ sound: any StorageFile, _ fault: ShrinkingTests.Fault) { (self.sound, self.fault) = (sound, fault) }

  var identity: FileIdentity { sound.identity }
  func length() throws(VaultError) -> UInt64 { try sound.length() }
  func stamp() throws(VaultError) -> FileStamp? { try sound.stamp() }
  func resize(to length: UInt64) throws(VaultError) { try sound.resize(to: length) }
  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try sound.read(at: offset, into: &output)
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) {
    switch fault {
    case .lostWrite where (3000..<4000).contains(bytes.count): return
    case .oldByte where offset <= 2000 && offset + UInt64(bytes.count) > 2000:
      var changed = Array(bytes)
      changed[Int(2000 - offset)] = 0
      try sound.write(changed.span, at: offset)
    default: try sound.write(bytes, at: offset)
    }
  }

  func sync() throws(VaultError) { if fault != .noSync { try sound.sync() } }
}
