internal import Synchronization
internal import VaultCrypto
internal import VaultFormat

/// Opens legacy records with one secret, on any number of threads. Keys that took long to derive are kept for records of the same
/// salt.
final class LegacyOpener: Sendable {
  private final class Kept: Sendable {
    let key: LegacyKey

    init(_ key: consuming LegacyKey) { self.key = key }
  }

  private struct Derived {
    let profile: LegacyProfile
    var bySalt: [[UInt8]: Kept] = [:]
  }

  /// Keys of one profile that are kept; with a salt for each row it makes no difference which.
  private static let limit = 4096

  private let secret: LegacySecret
  private let derived = Mutex<[Derived]>([])

  init(_ secret: consuming LegacySecret) { self.secret = secret }

  /// - Throws: `legacy-unopened`, `limit-exceeded`.
  func open(_ record: LegacyRecord) throws(FormatError) -> SecretBytes {
    guard record.profile.derivesKey else { return try secret.open(record) }
    if let kept = kept(record) { return try record.open(with: kept.key) }
    let kept = Kept(try secret.key(of: record))
    derived.withLock { (derived) in
      let place = derived.firstIndex { $0.profile == record.profile } ?? derived.count
      if place == derived.count { derived.append(Derived(profile: record.profile)) }
      if derived[place].bySalt.count >= Self.limit { derived[place].bySalt.removeAll() }
      derived[place].bySalt[record.salt] = kept
    }
    return try record.open(with: kept.key)
  }

  private func kept(_ record: LegacyRecord) -> Kept? {
    derived.withLock { $0.first { $0.profile == record.profile }?.bySalt[record.salt] }
  }

  /// Lets go of all keys that are kept.
  func forget() { derived.withLock { $0 = [] } }
}
