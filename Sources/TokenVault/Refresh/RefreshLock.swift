internal import VaultCrypto
internal import VaultEngine

/// The lock under which the token of one account is refreshed: a byte of the file `<vault>.refresh`.
struct RefreshLock: Sendable {
  private let path: String
  /// 63 bits of a hash of the account's name. Two accounts that share it wait for each other, and nothing worse.
  private let position: Int64

  /// - Throws: `crypto-failure`.
  init(of id: TokenID, in vault: Vault) throws(VaultError) {
    path = ByteLock.refreshes(of: vault.path)
    let text = Array("tokenvault refresh".utf8) + [0] + id.recordName
    let digest = try crypto { () throws(CryptoError) in try SHA256.digest(of: text.span) }.span.array
    position = Int64(digest[..<8].reduce(0) { $0 << 8 | UInt64($1) } >> 1)
  }

  /// Takes it without waiting; `nil` when somebody has it.
  ///
  /// - Throws: as ``ByteLock/take(_:at:)``.
  func take() throws(VaultError) -> ByteLock? { try ByteLock.take(path, at: position) }

  /// Whether somebody has it now.
  var isHeld: Bool { ByteLock.isHeld(path, at: position) }

  /// When the wait is over.
  var timeout: VaultError {
    VaultError(
      .locked, "the token is being refreshed by another process or task for longer than the wait allowed",
      remedy: "try again, or wait longer with --timeout; 'fuser -v \(path)' tells who holds the lock")
  }

  /// Between two tries: longer each time, up to 20 milliseconds.
  struct Pauses {
    private var next = 500

    /// The next one, in microseconds.
    mutating func take() -> Int {
      defer { next = min(next * 2, 20_000) }
      return next
    }
  }
}
