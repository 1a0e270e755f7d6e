package import VaultCrypto
package import VaultFormat

/// What went wrong with a vault, and what to do about it.
///
/// Two errors are equal when their codes are. The sentence and the remedy may name the vault's path; they never hold a
/// token, a key, a passphrase or the name of a record.
public struct VaultError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of failure. More may be added: switch over it with a default.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String {
      case wrongKey = "wrong-key"
      case noKey = "no-key"
      case headerDamaged = "header-damaged"
      case slotDamaged = "slot-damaged"
      case commitmentMismatch = "commitment-mismatch"
      case frameDamaged = "frame-damaged"
      case chainBroken = "chain-broken"
      case indexDamaged = "index-damaged"
      case tailDamaged = "tail-damaged"
      case rollback = "rollback"
      case limitExceeded = "limit-exceeded"
      case unsupportedVersion = "unsupported-version"
      case unsupportedFeature = "unsupported-feature"
      case conflict = "conflict"
      case notFound = "not-found"
      case locked = "locked"
      case noVault = "no-vault"
      case notAVaultFile = "not-a-vault-file"
      case unsafePermissions = "unsafe-permissions"
      case readOnly = "read-only"
      case cannotCreate = "cannot-create"
      case diskFull = "disk-full"
      case io = "io"
      case handleFailed = "handle-failed"
      case invalidName = "invalid-name"
      case valueTooLarge = "value-too-large"
      case invalidToken = "invalid-token"
      case unavailable = "unavailable"
      case reauthNeeded = "reauth-needed"
      case usage = "usage"
      case cryptoFailure = "crypto-failure"
      case cancelled = "cancelled"
    }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// The credential opens no slot, in a vault whose slots are whole.
    public static let wrongKey = Code(value: .wrongKey)
    /// No credential was given where one is needed.
    public static let noKey = Code(value: .noKey)
    /// The first 128 bytes are not a vault's header.
    public static let headerDamaged = Code(value: .headerDamaged)
    /// A key slot is damaged.
    public static let slotDamaged = Code(value: .slotDamaged)
    /// A data key is not the one that was committed to.
    public static let commitmentMismatch = Code(value: .commitmentMismatch)
    /// A frame's bytes were changed.
    public static let frameDamaged = Code(value: .frameDamaged)
    /// A frame does not stand where it belongs.
    public static let chainBroken = Code(value: .chainBroken)
    /// The index in the file is damaged; records are served all the same.
    public static let indexDamaged = Code(value: .indexDamaged)
    /// The end of the file is neither whole nor an interrupted append.
    public static let tailDamaged = Code(value: .tailDamaged)
    /// The vault is older than its pin.
    public static let rollback = Code(value: .rollback)
    /// Something in the file, or asked for, is over its limit.
    public static let limitExceeded = Code(value: .limitExceeded)
    /// The file has a format version that this library does not read.
    public static let unsupportedVersion = Code(value: .unsupportedVersion)
    /// The file uses a feature that this library does not know.
    public static let unsupportedFeature = Code(value: .unsupportedFeature)
    /// It exists already, or is not in the state that the caller required. Nothing was written.
    public static let conflict = Code(value: .conflict)
    /// There is no such name. Calls that look something up return `nil` instead.
    public static let notFound = Code(value: .notFound)
    /// Another process holds the lock for longer than the caller wanted to wait. Nothing was written; try again.
    public static let locked = Code(value: .locked)
    /// There is no file at the path.
    public static let noVault = Code(value: .noVault)
    /// The path names a symbolic link, a directory, a FIFO or a device.
    public static let notAVaultFile = Code(value: .notAVaultFile)
    /// Others may read a file that only its owner should.
    public static let unsafePermissions = Code(value: .unsafePermissions)
    /// The vault, or this handle, can't be written.
    public static let readOnly = Code(value: .readOnly)
    /// A file or directory can't be made.
    public static let cannotCreate = Code(value: .cannotCreate)
    /// There is no room on the disk. Nothing was written; the vault is as it was.
    public static let diskFull = Code(value: .diskFull)
    /// A system call failed.
    public static let io = Code(value: .io)
    /// An earlier write of this handle failed, it was closed, or it belongs to the parent of a forked process: it acknowledges
    /// nothing more. Open the vault again.
    public static let handleFailed = Code(value: .handleFailed)
    /// A name is empty, too long, or holds a zero byte.
    public static let invalidName = Code(value: .invalidName)
    /// A value is over the limit.
    public static let valueTooLarge = Code(value: .valueTooLarge)
    /// What should be a token's JSON is not.
    public static let invalidToken = Code(value: .invalidToken)
    /// A program or a source that was asked for something failed.
    public static let unavailable = Code(value: .unavailable)
    /// There is no token any more that can be used or refreshed: the user has to give consent anew.
    public static let reauthNeeded = Code(value: .reauthNeeded)
    /// The request makes no sense.
    public static let usage = Code(value: .usage)
    /// OpenSSL failed.
    public static let cryptoFailure = Code(value: .cryptoFailure)
    /// The task was cancelled before its write had begun. Nothing was written.
    public static let cancelled = Code(value: .cancelled)

    /// True when bytes of the vault are not what was written: never because of a wrong key.
    public var isDamage: Bool {
      switch value {
      case .headerDamaged, .slotDamaged, .commitmentMismatch, .frameDamaged, .chainBroken, .indexDamaged, .tailDamaged:
        true
      default: false
      }
    }

    /// The name, such as `frame-damaged`, as test vectors and findings print it.
    public var description: String { value.rawValue }

    init(_ code: FormatError.Code) {
      // The format's names for damage are these names; what only legacy records meet has none here.
      value = Value(rawValue: code.description) ?? .invalidToken
    }
  }

  /// The kind of failure.
  public let code: Code
  /// One sentence for a person.
  public let sentence: String
  /// What to do about it, where there is something.
  public let remedy: String?
  /// Byte offset in the vault file, where it is known.
  public let offset: UInt64?
  /// Sequence of the frame, where it is known.
  public let sequence: UInt64?
  /// `errno` of the system call that failed, if one did.
  public let systemError: Int32?

  /// An error of this or a higher layer.
  public init(
    _ code: Code, _ sentence: String, remedy: String? = nil, offset: UInt64? = nil, sequence: UInt64? = nil,
    systemError: Int32? = nil
  ) {
    self.code = code
    self.sentence = sentence
    self.remedy = remedy
    self.offset = offset
    self.sequence = sequence
    self.systemError = systemError
  }

  /// Compares the codes alone.
  public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

  /// The code, the place and the sentence in one line.
  public var description: String {
    var place = ""
    if let offset { place += " at byte \(offset)" }
    if let sequence { place += " (frame \(sequence))" }
    return "\(code)\(place): \(sentence)"
  }
}

extension VaultError {
  /// What the codec found in the vault's bytes.
  package init(_ error: FormatError) {
    let code = Code(error.code)
    self.init(
      code, error.sentence, remedy: Self.remedy(for: code), offset: error.offset, sequence: error.sequence)
  }

  package init(_ error: CryptoError) { self.init(.cryptoFailure, error.sentence) }

  /// A generation behind the first without the anchor that completes it.
  static var unfinished: VaultError {
    VaultError(
      .chainBroken, "the file is a copy that was never finished: no checkpoint tells of the generation before it")
  }

  /// What an owner of a damaged vault can do.
  package static let afterDamage =
    "keep the file, and restore a backup; without one, 'tokenvault salvage' takes out what still opens"

  private static func remedy(for code: Code) -> String? {
    switch code {
    case .headerDamaged:
      "see that the path is the vault's; if it is, nothing was changed; \(afterDamage)"
    case .slotDamaged, .commitmentMismatch, .frameDamaged, .chainBroken, .tailDamaged:
      "nothing was changed; look at it with 'tokenvault verify'; \(afterDamage)"
    case .unsupportedVersion, .unsupportedFeature: "use a newer release of tokenvault"
    default: nil
    }
  }
}

/// Runs `body`, which works on the vault's bytes.
func format<Result: ~Copyable>(_ body: () throws(FormatError) -> Result) throws(VaultError) -> Result {
  do {
    return try body()
  } catch {
    throw VaultError(error)
  }
}

/// Runs `body`, which works with keys.
package func crypto<Result: ~Copyable>(_ body: () throws(CryptoError) -> Result) throws(VaultError) -> Result {
  do {
    return try body()
  } catch {
    throw VaultError(error)
  }
}
