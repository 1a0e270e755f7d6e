internal import VaultCrypto
internal import VaultFormat

/// What can be said of a vault without any key: see ``Vault/inspect(at:)``.
public struct Inspection: Sendable {
  /// One key slot.
  public struct Slot: Sendable {
    /// Number, unique in the vault.
    public let number: UInt32
    /// `key` or `passphrase`.
    public let kind: String
    /// What a guess costs: `HKDF-SHA-256`, or scrypt with its parameters.
    public let cost: String
    /// Microseconds since 1970.
    public let created: Int64
  }

  /// All frames of one type.
  public struct Kind: Sendable {
    /// What the frames are: `record`, `key slot`, ...
    public let name: String
    /// How many there are.
    public let frames: UInt64
    /// Their bytes together.
    public let bytes: UInt64
  }

  /// One frame.
  public struct FrameSummary: Sendable {
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
  }

  /// Hexadecimal; the same in all generations.
  public let vaultID: String
  /// Hexadecimal; fresh in each generation.
  public let fileID: String
  /// From 1.
  public let generation: UInt64
  /// Version of the format.
  public let majorVersion: Int
  /// Informs.
  public let minorVersion: Int
  /// Records' plaintexts are multiples of this many bytes.
  public let padding: Int
  /// Whether values may be deflated.
  public let allowsDeflate: Bool
  /// Bytes of the file.
  public let fileLength: UInt64
  /// Bytes up to the end of the last whole batch.
  public let committedLength: UInt64
  /// Whole batches.
  public let batches: UInt64
  /// The newest link, in hexadecimal.
  public let head: String
  /// The slots that count. Empty when they are damaged.
  public let slots: [Slot]
  /// Frames by type, in the order of the types' numbers.
  public let kinds: [Kind]
  /// Every whole frame, in the order of the file.
  public let frames: [FrameSummary]
  /// What is wrong behind the last whole batch or with the slots; `nil` when nothing is.
  public let damage: VaultError?
}

extension Vault {
  /// Describes a vault without opening anything in it. Changes nothing.
  ///
  /// - Throws: `no-vault`, `not-a-vault-file`, `unsafe-permissions`, `header-damaged`, `unsupported-version`,
  ///   `unsupported-feature`, `io`. Damage behind the header is not thrown, but part of the answer.
  public static func inspect(at path: String) throws(VaultError) -> Inspection {
    let file = try FileStorage(path: path).open(writable: false)
    var window = try FileWindow(file)
    let generation = try window.generation()
    var frames: [Inspection.FrameSummary] = []
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation) { (header) in
      frames.append(.init(header))
    }
    let (slots, damage) = slots(&window)
    let header = generation.header
    return Inspection(
      vaultID: header.vaultID.hex, fileID: header.fileID.hex, generation: header.generation,
      majorVersion: Int(FileHeader.majorVersion), minorVersion: Int(header.minorVersion), padding: header.padding,
      allowsDeflate: header.allowsDeflate, fileLength: window.length, committedLength: walk.committed.offset,
      batches: walk.batches, head: walk.committed.link.hex, slots: slots, kinds: kinds(of: frames), frames: frames,
      damage: damage)
  }

  private static func slots(_ window: inout FileWindow) -> ([Inspection.Slot], VaultError?) {
    do {
      let structure = try Opening.structure(&window)
      return (try Opening.slots(structure, &window).map { .init($0.slot) }, nil)
    } catch {
      return ([], error)
    }
  }

  private static func kinds(of frames: [Inspection.FrameSummary]) -> [Inspection.Kind] {
    let names = (1...7).map { FrameType(rawValue: $0).name } + ["ancillary"]
    return names.compactMap { (name) in
      let all = frames.filter { $0.type == name }
      guard !all.isEmpty else { return nil }
      return .init(name: name, frames: UInt64(all.count), bytes: all.reduce(0) { $0 + UInt64($1.length) })
    }
  }
}

extension Inspection.Slot {
  init(_ slot: KeySlot) {
    number = slot.number
    created = slot.created
    switch slot.kind {
    case .raw:
      kind = "key"
      cost = "HKDF-SHA-256"
    case .scrypt(let logN, let r, let p):
      kind = "passphrase"
      cost = "scrypt, N = 2^\(logN), r = \(r), p = \(p)"
    }
  }
}

extension Inspection.FrameSummary {
  fileprivate init(_ header: FrameHeader) {
    offset = header.offset
    sequence = header.sequence
    type = header.type.name
    position = header.position
    endsBatch = header.endsBatch
    term = header.term
    length = header.frameLength
  }
}

extension FrameType {
  /// The word for a person.
  fileprivate var name: String {
    switch self {
    case .record: "record"
    case .keySlot: "key slot"
    case .dataKey: "data key"
    case .genesis: "genesis"
    case .indexPage: "index page"
    case .indexRoot: "index root"
    case .anchor: "anchor"
    default: "ancillary"
    }
  }
}
