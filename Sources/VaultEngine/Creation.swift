internal import VaultCrypto
internal import VaultFormat

/// How a vault's first generation comes into being.
enum Creation {
  /// Name and version of what writes, for the genesis frame.
  static let writer = (name: "tokenvault", version: "0.1.0")

  /// Makes the file under a temporary name, reads it back, and gives it its own name.
  static func create(
    _ environment: Environment, credential: borrowing Credential, cost: KeySlot.Kind, wait: Duration
  ) throws(VaultError) -> View {
    let storage = environment.storage
    guard try storage.identity() == nil else { throw exists(storage) }
    let lock = try storage.lock(.exclusive, wait: wait)
    defer { withExtendedLifetime(lock) {} }
    // Another process may have made one while this one waited.
    guard try storage.identity() == nil else { throw exists(storage) }
    storage.sweep()
    var random = try crypto(environment.makeRandom)
    let keys = try GenerationKeys.first(for: credential, cost: cost, at: environment.now(), random: &random)
    var writer = try GenerationWriter.begin(environment, keys, random: random)
    try writer.publish()
    lock?.leave(SyncNote.saying(writer.view))
    return writer.view
  }

  private static func exists(_ storage: any Storage) -> VaultError {
    VaultError(
      .conflict, "there is something at \(storage.path) already; nothing was changed",
      remedy: "name another path with --vault")
  }
}
