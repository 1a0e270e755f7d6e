internal import VaultFormat

/// Reading what somebody may be writing.
enum ReadingAgain {
  /// Reads what another process may be writing at this moment: before damage is reported, the lock is asked whether a
  /// writer is at work, and the file is read again (FORMAT.md, "Tail rules").
  ///
  /// - Parameter storage: `nil` for whoever holds the lock: nobody else writes then.
  static func reading<Result>(
    _ storage: (any Storage)?, _ read: () throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    guard let storage else { return try read() }
    var attempts = 0
    while true {
      let damage: VaultError
      do {
        return try read()
      } catch {
        guard error.code.isDamage else { throw error }
        damage = error
      }
      attempts += 1
      do throws(VaultError) {
        guard let lock = try storage.lock(.shared, wait: .milliseconds(attempts * 20)) else {
          // There was no lock file before the second look either: no writer made what it saw.
          if attempts > 1 { throw damage }
          continue
        }
        defer { withExtendedLifetime(lock) {} }
        return try read()
      } catch {
        // Busy: what looked like damage may be a batch that is half written. Look again, a few times.
        guard error.code == .locked, attempts < 10 else { throw error.code == .locked ? damage : error }
      }
    }
  }
}
