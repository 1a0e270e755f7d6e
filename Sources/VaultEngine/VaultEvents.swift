internal import VaultFormat

/// The events of a vault as they were at one moment: each names the one before it, so that the newest are read without a look
/// at anything else. Keeps its file open as long as it lives.
package struct VaultEvents: Sendable {
  private let view: View

  init(_ view: View) { self.view = view }

  /// The newest version that the vault has given.
  package var lastVersion: UInt64 { view.greatestVersion }

  /// Gives the events to `body`, newest first, until it returns false: a pread(2) each.
  ///
  /// - Throws: `frame-damaged`, `chain-broken` at an event that can't be read: those before it can't be reached; what `body`
  ///   throws.
  package func forEachEvent(_ body: (borrowing VaultEntry) throws(VaultError) -> Bool) throws(VaultError) {
    // A record points to what stands before it, so this ends.
    var offset = view.newestEvent
    while offset != 0 {
      let event = try event(at: offset)
      offset = event.previous
      guard try body(event) else { return }
    }
  }

  /// The event whose frame begins at `offset`.
  ///
  /// - Throws: as ``forEachEvent(_:)``.
  package func event(at offset: UInt64) throws(VaultError) -> VaultEntry {
    let event = try view.record(at: offset)
    guard event.operation == .event else {
      throw VaultError(.chainBroken, "an event points to a record that is not one", offset: offset)
    }
    return event
  }
}

extension Vault {
  /// The events as they are now. The index is not brought into memory for it.
  ///
  /// - Throws: as ``entry(named:)``.
  package func events() throws(VaultError) -> VaultEvents { VaultEvents(try newestView()) }
}
