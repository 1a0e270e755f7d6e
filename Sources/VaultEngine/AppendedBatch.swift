internal import VaultFormat

/// A sealed batch of either kind that a writer makes, on its way to the disk.
enum AppendedBatch: Sendable {
  /// What callers asked for.
  case records(BatchSealer.Sealed)
  /// A checkpoint, or pages before one.
  case index(Checkpoint.Batch)

  /// Another batch of the same checkpoint comes behind it.
  var isFollowed: Bool {
    switch self {
    case .records: false
    case .index(let batch): batch.root == nil
    }
  }

  /// What is appended.
  var bytes: [UInt8] {
    switch self {
    case .records(let batch): batch.bytes
    case .index(let batch): batch.bytes
    }
  }

  /// The chain behind it.
  var end: Chain {
    switch self {
    case .records(let batch): batch.end
    case .index(let batch): batch.end
    }
  }
}
