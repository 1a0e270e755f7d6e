internal import VaultCrypto
public import VaultFormat

/// One frame of a vault: see ``Vault/forEachFrame(at:credential:_:)``.
public struct FrameSummary: Sendable {
  /// What only a key tells of a record.
  public struct Record: Sendable {
    /// `put`, `delete` or `event`.
    public let operation: String
    /// Number of the write in the vault's life.
    public let version: UInt64
    /// Microseconds since 1970.
    public let time: Int64
  }

  /// Where it begins in the file.
  public let offset: UInt64
  /// Its number in the file, from 1.
  public let sequence: UInt64
  /// What it is: `record`, `key slot`, ...
  public let type: String
  /// Its number in its batch, from 0.
  public let position: UInt32
  /// Whether a batch is complete with it.
  public let endsBatch: Bool
  /// Term of the data key that seals it; 0 where none does.
  public let term: UInt32
  /// Its bytes.
  public let length: Int
  /// Of a record, and with a key.
  public let record: Record?

  init(_ header: FrameHeader, _ record: Record? = nil) {
    offset = header.offset
    sequence = header.sequence
    type = header.type.name
    position = header.position
    endsBatch = header.endsBatch
    term = header.term
    length = header.frameLength
    self.record = record
  }
}

extension FrameSummary.Record {
  /// - Returns: `nil` for another frame than a record.
  fileprivate init?(_ plaintext: Span<UInt8>, _ header: FrameHeader, _ view: View) throws(VaultError) {
    guard header.type == .record else { return nil }
    let record = try view.record(plaintext, of: header)
    operation = record.operation.name
    version = record.version
    time = record.time
  }
}

extension Vault {
  /// Gives the frames of a vault to `body`, in the order of the file. Changes nothing. However large the file is, few frames
  /// are in memory at a time; with a key, what opening needs comes to that.
  ///
  /// - Parameters:
  ///   - credential: tells more of records; without one, frames are listed as far as the structure is whole.
  ///   - body: an error that it throws ends the listing within a thousand batches, and is thrown.
  /// - Returns: what is wrong behind the last frame listed; `nil` when nothing is, a torn tail included.
  /// - Throws: as ``inspect(at:credential:)``; with a credential, what is damaged too.
  public static func forEachFrame(
    at path: String, credential: consuming Credential? = nil,
    _ body: (FrameSummary) throws(VaultError) -> Void
  ) throws(VaultError) -> VaultError? {
    let storage = FileStorage(path: path)
    let file = try storage.open(writable: false)
    guard let credential else { return try list(file, body) }
    let view = try ReadingAgain.reading(storage) { () throws(VaultError) in
      try Opening.view(of: file, with: credential, readsWhole: true)
    }
    try view.forEachFrame { (header, plaintext) throws(VaultError) in
      try body(FrameSummary(header, FrameSummary.Record(plaintext, header, view)))
    }
    return nil
  }

  /// Without keys: a walk in steps, so that nothing goes on for long for whom nobody listens to.
  private static func list(
    _ file: any StorageFile, _ body: (FrameSummary) throws(VaultError) -> Void
  ) throws(VaultError) -> VaultError? {
    var window = try FileWindow(file)
    let generation = try window.generation()
    var failure: VaultError?
    var end = Chain(startOf: generation)
    while true {
      let walk = try Walk(&window, from: end, in: generation, batchLimit: 1024) { (header) in
        guard failure == nil else { return }
        do throws(VaultError) {
          try body(FrameSummary(header))
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      end = walk.committed
      if walk.batches < 1024 { break }
    }
    do {
      _ = try Opening.structure(&window)
      return nil
    } catch {
      return error
    }
  }
}
