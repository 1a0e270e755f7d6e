internal import Glibc
internal import Synchronization
package import VaultCrypto

/// What the engine asks the world for: a disk, the time, and random bytes. Tests give their own.
package struct Environment: Sendable {
  package var storage: any Storage
  /// Microseconds since 1970.
  package var now: @Sendable () -> Int64
  package var makeRandom: @Sendable () throws(CryptoError) -> AnyRandomSource

  package init(
    storage: any Storage, now: @escaping @Sendable () -> Int64,
    makeRandom: @escaping @Sendable () throws(CryptoError) -> AnyRandomSource
  ) {
    self.storage = storage
    self.now = now
    self.makeRandom = makeRandom
  }

  /// The real file at `path`, the system's clock and OpenSSL's generator.
  package static func system(path: String) -> Environment {
    Environment(
      storage: FileStorage(path: path), now: microsecondsSince1970,
      makeRandom: { () throws(CryptoError) in AnyRandomSource(try SystemRandom()) })
  }

  static func microsecondsSince1970() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// A random source of any type, behind a lock.
package struct AnyRandomSource: RandomSource, Sendable {
  private final class Box<Source: RandomSource & ~Copyable & Sendable>: Sendable {
    let source: Mutex<Source>

    init(_ source: consuming sending Source) { self.source = Mutex(source) }
  }

  private let body: @Sendable (inout OutputSpan<UInt8>) throws(CryptoError) -> Void

  package init<Source: RandomSource & ~Copyable & Sendable>(_ source: consuming sending Source) {
    let box = Box(source)
    body = { (output) throws(CryptoError) in
      try box.source.withLock { (source) throws(CryptoError) in try source.fill(&output) }
    }
  }

  package mutating func fill(_ output: inout OutputSpan<UInt8>) throws(CryptoError) { try body(&output) }
}

extension Vault {
  /// The system's clock, by which records are stamped: microseconds since 1970.
  public static func currentTime() -> Int64 { Environment.microsecondsSince1970() }
}
