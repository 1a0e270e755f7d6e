internal import VaultCrypto

/// What must be true of a name for a write to happen.
public enum WriteCondition: Equatable, Sendable {
  /// Nothing.
  case any
  /// The name is not there: never put, or deleted.
  case absent
  /// The name is there, and its newest put has this version.
  case version(UInt64)
}

/// Writes that become visible together or not at all.
///
/// Names and values are copied into memory that is wiped with the batch.
public struct VaultBatch: ~Copyable, Sendable {
  struct Operation: Sendable {
    enum Kind: Sendable { case put, legacyPut, delete, event }

    let kind: Kind
    let name: Range<Int>
    let value: Range<Int>
    let condition: WriteCondition
  }

  private(set) var operations: [Operation] = []
  private var bytes: SecretBytes
  /// Bytes that are allocated behind the batch before it is written, for a write that is to follow it and must not fail for
  /// want of room. No promise: others may write there first, and a checkpoint does.
  package var roomBehind = 0

  /// An empty batch.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  public init() throws(VaultError) { bytes = try crypto { () throws(CryptoError) in try SecretBytes(capacity: 512) } }

  /// Makes room for so many writes more, whose names and values have so many bytes in all: a large batch that grows by itself
  /// is copied, and its old memory wiped, again and again.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  public mutating func reserve(writes: Int, bytes count: Int) throws(VaultError) {
    let total = bytes.count + count
    try crypto { () throws(CryptoError) in try bytes.reserve(total) }
    operations.reserveCapacity(operations.count + writes)
  }

  /// Whether nothing was added.
  public var isEmpty: Bool { operations.isEmpty }

  /// The number of writes.
  public var count: Int { operations.count }

  /// Gives `name` a value.
  ///
  /// - Parameters:
  ///   - name: 1 to 1024 bytes.
  ///   - value: up to 1 MiB.
  ///   - condition: is asked when the batch is committed; earlier writes of the same batch count.
  /// - Throws: `invalid-name`, `value-too-large`.
  public mutating func put(
    _ name: Span<UInt8>, value: Span<UInt8>, if condition: WriteCondition = .any
  ) throws(VaultError) {
    try add(.put, name, value, condition)
  }

  /// Gives `name` a value that another program sealed, as it is: only that program's key opens it.
  ///
  /// - Parameter record: a legacy record in binary form (FORMAT.md, "Legacy records").
  /// - Throws: `invalid-name`, `value-too-large`.
  package mutating func put(
    _ name: Span<UInt8>, legacyRecord record: Span<UInt8>, if condition: WriteCondition = .any
  ) throws(VaultError) {
    try add(.legacyPut, name, record, condition)
  }

  /// Deletes `name`, which must be there when the batch is committed.
  ///
  /// - Throws: `invalid-name`.
  public mutating func delete(_ name: Span<UInt8>, if condition: WriteCondition = .any) throws(VaultError) {
    try add(.delete, name, Span(), condition)
  }

  /// Records that something happened to `name`, which need not be there.
  ///
  /// - Throws: `invalid-name`, `value-too-large`.
  public mutating func event(_ name: Span<UInt8>, value: Span<UInt8>) throws(VaultError) {
    try add(.event, name, value, .any)
  }

  private mutating func add(
    _ kind: Operation.Kind, _ name: Span<UInt8>, _ value: Span<UInt8>, _ condition: WriteCondition
  ) throws(VaultError) {
    guard name.count > 0 else { throw VaultError(.invalidName, "a name is empty: it has 1 to 1024 bytes") }
    guard name.count <= VaultLimits.name else {
      throw VaultError(.invalidName, "a name has \(name.count) bytes; \(VaultLimits.name) is the limit")
    }
    guard value.count <= VaultLimits.value else {
      throw VaultError(.valueTooLarge, "the value has \(value.count) bytes; \(VaultLimits.value) is the limit")
    }
    let start = bytes.count
    try crypto { () throws(CryptoError) in try bytes.reserve(start + name.count + value.count) }
    bytes.append(name)
    bytes.append(value)
    let nameEnd = start + name.count
    operations.append(
      Operation(kind: kind, name: start..<nameEnd, value: nameEnd..<nameEnd + value.count, condition: condition))
  }

  /// Adds the writes of another batch, without their conditions.
  mutating func append(contentsOf other: borrowing VaultBatch) throws(VaultError) {
    let start = bytes.count
    try crypto { () throws(CryptoError) in try bytes.reserve(start + other.bytes.count) }
    bytes.append(other.bytes.span)
    for operation in other.operations {
      operations.append(
        Operation(
          kind: operation.kind, name: operation.name.moved(by: start), value: operation.value.moved(by: start),
          condition: .any))
    }
  }

  /// Bytes of all names and values.
  var byteCount: Int { bytes.count }

  /// Whether something must be true of a name for the batch to be committed.
  var hasConditions: Bool { operations.contains { $0.condition != .any || $0.kind == .delete } }

  /// Whether a condition is about more than whether a name is there.
  var asksForVersions: Bool {
    operations.contains { if case .version = $0.condition { true } else { false } }
  }

  /// Bytes of a name or a value.
  @_lifetime(borrow self)
  func span(_ range: Range<Int>) -> Span<UInt8> { bytes.span.extracting(range) }
}

extension Range<Int> {
  fileprivate func moved(by distance: Int) -> Range { lowerBound + distance..<upperBound + distance }
}
