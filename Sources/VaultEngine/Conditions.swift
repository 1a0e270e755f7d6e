internal import VaultCrypto
internal import VaultFormat

/// What names hold once the writes are done that were accepted so far, so that a later request's conditions are asked of
/// that.
struct Conditions: ~Copyable {
  private let view: View
  /// Version of the newest put of a name that an accepted request writes; `nil` once one deletes it.
  private var written: [LookupTag: UInt64?] = [:]
  private var version: UInt64

  init(of view: View) {
    self.view = view
    version = view.greatestVersion
  }

  /// Accepts the writes of `batch`, all of them or none.
  ///
  /// - Throws: `conflict` when a condition does not hold, `not-found` when a name to be deleted is not there.
  mutating func accept(_ batch: borrowing VaultBatch) throws(VaultError) {
    let before = (written, version)
    do throws(VaultError) {
      for operation in batch.operations { try accept(operation, batch.span(operation.name)) }
    } catch {
      (written, version) = before
      throw error
    }
  }

  private mutating func accept(_ operation: VaultBatch.Operation, _ name: Span<UInt8>) throws(VaultError) {
    version += 1
    guard operation.kind != .event else { return }
    let tag = try view.keyring.tag(of: name)
    if operation.kind == .delete, try !isThere(tag) {
      throw VaultError(.notFound, "there is nothing of that name to delete")
    }
    try check(operation.condition, tag, name)
    written.updateValue(operation.kind == .delete ? nil : version, forKey: tag)
  }

  private func check(_ condition: WriteCondition, _ tag: LookupTag, _ name: Span<UInt8>) throws(VaultError) {
    switch condition {
    case .any: return
    case .absent:
      guard try isThere(tag) else { return }
      throw VaultError(.conflict, "there is something of that name already")
    case .version(let wanted):
      let found = try currentVersion(tag, name)
      guard found != wanted else { return }
      let state = found.map { "it has version \($0)" } ?? "it is not there"
      throw VaultError(.conflict, "version \(wanted) was asked for, but \(state)")
    }
  }

  private func isThere(_ tag: LookupTag) throws(VaultError) -> Bool {
    if let version = written[tag] { return version != nil }
    return try view.place(of: tag) != nil
  }

  private func currentVersion(_ tag: LookupTag, _ name: Span<UInt8>) throws(VaultError) -> UInt64? {
    if let version = written[tag] { return version }
    guard let entry = try view.entry(named: name) else { return nil }
    return entry.version
  }
}
