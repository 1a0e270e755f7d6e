internal import VaultCrypto
internal import VaultFormat

/// What one record says: an operation on a name, and in a put or an event its value.
public struct VaultEntry: ~Copyable, Sendable {
  /// What was done.
  public enum Operation: Sendable {
    /// The name was given the value.
    case put
    /// The name was deleted; there is no value.
    case delete
    /// Something happened to the name, which the value tells.
    case event
  }

  /// What was done.
  public let operation: Operation
  /// Number of the write in the vault's life, from 1.
  public let version: UInt64
  /// When, in microseconds since 1970.
  public let time: Int64
  /// The value is a legacy sealed record, which only its own key opens.
  public let isLegacy: Bool
  /// Offset of the record's frame in the file.
  package let offset: UInt64
  package let previous: UInt64
  /// Bytes of that frame.
  package let frameLength: Int
  private let plaintext: SecretBytes
  private let nameRange: Range<Int>
  private let valueRange: Range<Int>
  /// The value of a deflated record.
  private let inflated: SecretBytes?

  /// - Parameter plaintext: of the record frame at `offset`.
  init(_ plaintext: consuming SecretBytes, at offset: UInt64, in header: FileHeader) throws(FormatError) {
    let record = try Record(parsing: plaintext.span, at: offset, in: header)
    let inflated: SecretBytes?
    if record.isDeflated {
      inflated = try Deflate.inflate(plaintext.span.extracting(record.valueRange), limit: Limits.hardValue)
    } else {
      inflated = nil
    }
    self.init(plaintext, record, inflated, at: offset)
  }

  private init(
    _ plaintext: consuming SecretBytes, _ record: Record, _ inflated: consuming SecretBytes?, at offset: UInt64
  ) {
    operation = Operation(record.operation)
    version = record.version
    time = record.time
    isLegacy = record.isLegacy
    previous = record.previous
    frameLength = Frame.overhead + plaintext.count
    nameRange = record.nameRange
    valueRange = record.valueRange
    self.offset = offset
    self.plaintext = plaintext
    self.inflated = inflated
  }

  /// The name, 1 to 1024 bytes.
  public var name: Span<UInt8> {
    @_lifetime(borrow self)
    get { plaintext.span.extracting(nameRange) }
  }

  /// Whether this is the record of `name`.
  func isNamed(_ name: Span<UInt8>) -> Bool { self.name.equals(name) }

  /// The value; empty in a deletion.
  public var value: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      if inflated != nil { return inflatedSpan }
      return plaintext.span.extracting(valueRange)
    }
  }

  private var inflatedSpan: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      switch inflated {
      case .some(let value): value.span
      case .none: plaintext.span.extracting(valueRange)
      }
    }
  }
}
