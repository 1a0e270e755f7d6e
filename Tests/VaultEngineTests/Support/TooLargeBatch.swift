import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

extension Vault {
  /// Demands that a batch of so many empty events is over a limit, that nothing of it is written, and that the handle goes on.
  func refusesEvents(_ count: Int, on disk: SimulatedDisk, _ place: SourceLocation = #_sourceLocation) throws {
    let before = disk.cache
    var batch = try VaultBatch()
    let name: [UInt8] = [1]
    for _ in 0..<count { try batch.event(name.span, value: Span()) }
    let tooLarge = batch
    do {
      try commit(tooLarge)
      Issue.record("it was written", sourceLocation: place)
    } catch {
      #expect(error.code == .limitExceeded, sourceLocation: place)
    }
    #expect(disk.cache == before, sourceLocation: place)
    try commit([.put("alice", [1])])
  }
}
