internal import VaultCrypto

/// What is wrong with the bytes of a vault.
///
/// Two errors are equal when their codes are; the sentence and the place are for people. The codes are the vocabulary of
/// the published test vectors (FORMAT.md, "Errors").
package struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of failure. More may be added.
  package struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String {
      case wrongKey = "wrong-key"
      case headerDamaged = "header-damaged"
      case slotDamaged = "slot-damaged"
      case commitmentMismatch = "commitment-mismatch"
      case frameDamaged = "frame-damaged"
      case chainBroken = "chain-broken"
      case indexDamaged = "index-damaged"
      case tailDamaged = "tail-damaged"
      case rollback = "rollback"
      case limitExceeded = "limit-exceeded"
      case unsupportedVersion = "unsupported-version"
      case unsupportedFeature = "unsupported-feature"
      case legacyMalformed = "legacy-malformed"
      case legacyUnopened = "legacy-unopened"
      case cryptoFailure = "crypto-failure"
    }
    private let value: Value

    /// No credential opens a slot. The structure that this was judged by is whole.
    package static let wrongKey = Code(value: .wrongKey)
    /// The first 128 bytes are not a file header.
    package static let headerDamaged = Code(value: .headerDamaged)
    /// A key slot's frame, or what it holds.
    package static let slotDamaged = Code(value: .slotDamaged)
    /// A data key is not the one that was committed to.
    package static let commitmentMismatch = Code(value: .commitmentMismatch)
    /// A frame's bytes: header, trailer, checksums, authentication, or the plaintext's structure.
    package static let frameDamaged = Code(value: .frameDamaged)
    /// A frame is whole, but does not stand where it should: sequence, position, links, terms.
    package static let chainBroken = Code(value: .chainBroken)
    /// An index page or root; the records are served by replay.
    package static let indexDamaged = Code(value: .indexDamaged)
    /// The end of the file is neither whole nor an interrupted append.
    package static let tailDamaged = Code(value: .tailDamaged)
    /// The file is older than the pin, or has another history.
    package static let rollback = Code(value: .rollback)
    /// A length, count or cost is over its limit.
    package static let limitExceeded = Code(value: .limitExceeded)
    /// The file's major version is not one that this code reads.
    package static let unsupportedVersion = Code(value: .unsupportedVersion)
    /// The file uses an incompatible feature that this code does not know.
    package static let unsupportedFeature = Code(value: .unsupportedFeature)
    /// A legacy record's text or binary form can't be taken apart.
    package static let legacyMalformed = Code(value: .legacyMalformed)
    /// A legacy record does not open under the key and profile given.
    package static let legacyUnopened = Code(value: .legacyUnopened)
    /// OpenSSL failed, for want of memory or of an algorithm: nothing is known of the bytes.
    package static let cryptoFailure = Code(value: .cryptoFailure)

    /// The name in test vectors, such as `frame-damaged`.
    package var description: String { value.rawValue }
  }

  package let code: Code
  /// One sentence for a person, without secrets and without names of records.
  package let sentence: String
  /// Byte offset in the file of the structure that is wrong, where it is known.
  package var offset: UInt64?
  /// Sequence of the frame, where its header could be read.
  package var sequence: UInt64?

  package init(_ code: Code, _ sentence: String, offset: UInt64? = nil, sequence: UInt64? = nil) {
    self.code = code
    self.sentence = sentence
    self.offset = offset
    self.sequence = sequence
  }

  package static func == (left: Self, right: Self) -> Bool { left.code == right.code }

  package var description: String {
    var place = ""
    if let offset { place += " at byte \(offset)" }
    if let sequence { place += " (frame \(sequence))" }
    return "\(code)\(place): \(sentence)"
  }

  /// The same error with the place filled in where it was not known yet.
  package func at(offset: UInt64, sequence: UInt64? = nil) -> Self {
    var placed = self
    placed.offset = self.offset ?? offset
    placed.sequence = self.sequence ?? sequence
    return placed
  }
}

extension FormatError {
  /// OpenSSL failed where nothing in the file can be the reason.
  init(_ failure: CryptoError) { self.init(.cryptoFailure, failure.sentence) }
}

/// Runs `body`, whose errors say that OpenSSL failed and nothing of the bytes.
func crypto<Result: ~Copyable>(_ body: () throws(CryptoError) -> Result) throws(FormatError) -> Result {
  do {
    return try body()
  } catch {
    throw FormatError(error)
  }
}
