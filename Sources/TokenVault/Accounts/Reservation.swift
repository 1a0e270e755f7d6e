internal import VaultEngine

/// What holds a provider's account for one user: a record under a reserved name, whose value is the name of the entry that has
/// the account (FORMAT.md, "Entries").
///
/// It is written and deleted in the batches of the entry itself. One that its entry does not bear out is as good as none: the
/// entry's time was over, or its record was damaged and another took its place.
struct Reservation {
  let name: [UInt8]

  init(of account: [UInt8], at provider: [UInt8]) {
    name = [0] + Array("account".utf8) + [0] + provider + [0] + account
  }
}

extension TokenStore {
  /// Adds what gives the account to `id`, whose entry, on which the batch depends, is `entry`.
  ///
  /// - Throws: `conflict` when another user has it.
  func reserve(
    _ account: [UInt8], for id: TokenID, having entry: StoredEntry?, in batch: inout VaultBatch
  ) throws(VaultError) {
    let reservation = Reservation(of: account, at: id.provider)
    let owner = id.recordName
    guard let held = try vault.entry(named: reservation.name.span) else {
      return try batch.put(reservation.name.span, value: owner.span, if: .absent)
    }
    let holder = held.value.array
    if holder == owner {
      // Without an entry that bears it out, another user may be taking it at this moment: then only one of the two succeeds.
      guard entry?.value.providerAccount != account else { return }
    } else if let other = TokenID(recordName: holder.span), try state(of: other).entry?.value.providerAccount == account
    {
      throw VaultError(
        .conflict, "another user of this vault has that account of the provider",
        remedy: "unlink it there first: 'tokenvault list --provider ...' shows who has it")
    }
    try batch.put(reservation.name.span, value: owner.span, if: .version(held.version))
  }

  /// Adds what gives up the account that `entry`, which goes or gets another one, has.
  func release(_ entry: StoredEntry, of id: TokenID, in batch: inout VaultBatch) throws(VaultError) {
    guard let account = entry.value.providerAccount else { return }
    let reservation = Reservation(of: account, at: id.provider)
    guard let held = try vault.entry(named: reservation.name.span), held.value.equals(id.recordName.span) else {
      return
    }
    try batch.delete(reservation.name.span, if: .version(held.version))
  }
}
