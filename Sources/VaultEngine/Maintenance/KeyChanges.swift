internal import VaultCrypto
public import VaultFormat

/// The keys and passphrases that open a vault. Each change is one checkpoint, written and synced under the writers' lock:
/// after a crash it was made or it was not, and one credential or the other opens the vault.
///
/// None of these changes the root key, which the slots hold: whoever has an older copy of the file opens that copy with the
/// credentials of its time, and can take the root key from it. Only changing all keys shuts him out, and only from what is
/// written after that.
extension Vault {
  /// Number of the key slot that the handle's credential opened, or that took its place since.
  ///
  /// - Throws: as ``entry(named:)``.
  public func openedKey() throws(VaultError) -> UInt32 { try newestView().view.keyring.slot }

  /// The key slots that count, by number.
  ///
  /// - Throws: as ``entry(named:)``.
  public func keys() throws(VaultError) -> [Inspection.Slot] {
    try newestView().view.sealedSlots().map { .init($0.slot) }
  }

  /// Lets another key or passphrase open the vault too.
  ///
  /// A passphrase takes about a third of a second, during which others go on writing.
  ///
  /// - Returns: the number of its slot.
  /// - Throws: `conflict` when the vault has as many slots as it may have; otherwise as `commit(_:)`.
  @discardableResult
  public func addKey(_ credential: borrowing Credential) throws(VaultError) -> UInt32 {
    try addKey(credential, passphraseCost: .defaultScrypt)
  }

  /// - Parameter meanwhile: runs when the credential is derived and the lock is not yet asked for; for tests.
  @discardableResult
  package func addKey(
    _ credential: borrowing Credential, passphraseCost: KeySlot.Kind, meanwhile: () -> Void = {}
  ) throws(VaultError) -> UInt32 {
    try putKey(credential, passphraseCost, replacing: nil, meanwhile)
  }

  /// Lets another key or passphrase open the vault in the place of the one that this handle was opened with. The new one has
  /// a slot of a new number.
  ///
  /// - Returns: that number.
  /// - Throws: as ``addKey(_:)``; `not-found` when somebody has removed the slot that is to be changed.
  @discardableResult
  public func changeKey(to credential: borrowing Credential) throws(VaultError) -> UInt32 {
    try changeKey(to: credential, passphraseCost: .defaultScrypt)
  }

  /// - Parameter meanwhile: as in ``addKey(_:passphraseCost:meanwhile:)``.
  @discardableResult
  package func changeKey(
    to credential: borrowing Credential, passphraseCost: KeySlot.Kind, meanwhile: () -> Void = {}
  ) throws(VaultError) -> UInt32 {
    try putKey(credential, passphraseCost, replacing: openedKey(), meanwhile)
  }

  /// Takes away a slot, so that its key or passphrase no longer opens the vault. Handles that are open go on.
  ///
  /// - Parameter evenInUse: also the slot that this handle was opened with.
  /// - Throws: `not-found` when there is no slot of this number; `conflict` when it is the last, or the one in use; otherwise
  ///   as `commit(_:)`.
  public func removeKey(_ number: UInt32, evenInUse: Bool = false) throws(VaultError) {
    let used = try openedKey()
    try commits.changeSlots { (_, slots, _) throws(VaultError) in
      let left = try Self.slots(slots, without: number)
      guard !left.isEmpty else {
        throw VaultError(
          .conflict, "key slot \(number) is the vault's last: without it nobody could open the vault",
          remedy: "add another key or passphrase first")
      }
      guard number != used || evenInUse else {
        throw VaultError(.conflict, "key slot \(number) is the one that the vault was opened with just now")
      }
      return (left, nil)
    }
  }

  private func putKey(
    _ credential: borrowing Credential, _ cost: KeySlot.Kind, replacing replaced: UInt32?, _ meanwhile: () -> Void
  ) throws(VaultError) -> UInt32 {
    let kind = credential.kind == .key ? KeySlot.Kind.raw : cost
    let now = commits.time
    var random = try commits.random()
    // Passphrases take their time: nobody waits for it. What depends on the other slots comes under the lock.
    let key = try newestView().view.keyring.wrappingKey(of: credential, kind: kind, random: &random)
    meanwhile()
    var number: UInt32 = 0
    try commits.changeSlots { (view, slots, random) throws(VaultError) in
      let kept = try replaced.map { (old) throws(VaultError) in try Self.slots(slots, without: old) } ?? slots
      let highest = try view.highestSlotNumber()
      guard highest < .max else { throw VaultError(.conflict, "the vault has used up all numbers of key slots") }
      number = highest + 1
      let slot = try view.keyring.sealSlot(number, under: key, created: now, random: &random)
      try Self.checkBounds(kept + [slot])
      return (kept + [slot], replaced == nil ? nil : number)
    }
    return number
  }

  private static func slots(_ slots: [KeySlot.Sealed], without number: UInt32) throws(VaultError) -> [KeySlot.Sealed] {
    let left = slots.filter { $0.slot.number != number }
    guard left.count < slots.count else {
      throw VaultError(.notFound, "the vault has no key slot \(number)", remedy: "'tokenvault key list' shows them")
    }
    return left
  }

  /// Whoever asks for more than the format allows is told so; the vault itself is within its limits.
  private static func checkBounds(_ slots: [KeySlot.Sealed]) throws(VaultError) {
    do {
      try KeySlot.checkBounds(slots.map(\.slot))
    } catch {
      throw VaultError(
        .conflict, "another slot is more than a vault may have: \(error.sentence)",
        remedy: "remove one first, with 'tokenvault key remove'")
    }
  }
}
