internal import Synchronization
internal import VaultCrypto

/// What sealing a batch takes besides the batch: the time, and random bytes.
final class Sealing: Sendable {
  private let environment: Environment
  /// Made for the first write: reading needs none.
  private let source = Mutex<AnyRandomSource?>(nil)

  init(_ environment: Environment) { self.environment = environment }

  /// Microseconds since 1970.
  var time: Int64 { environment.now() }

  /// - Throws: `crypto-failure`.
  func random() throws(VaultError) -> AnyRandomSource {
    try source.withLock { (source) throws(VaultError) in
      if let source { return source }
      let made = try crypto(environment.makeRandom)
      source = made
      return made
    }
  }
}
