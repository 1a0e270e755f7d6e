internal import Synchronization
internal import VaultCrypto
internal import VaultFormat

/// The keys of one opened file. They are used in here; none comes out.
///
/// Safe to share between threads. Records, of which there are many, are sealed and opened by ciphers that serve one thread each.
package final class Keyring: Sendable {
  private struct Keys: ~Copyable {
    let root: RootKey
    var slot: UInt32
    var wrap: XAES256GCM
    var genesis: XAES256GCM
    /// Ascending: the last is the newest.
    var terms: [Term] = []

    func term(_ number: UInt32) -> Term? { terms.last { $0.dataKey.term == number } }

    func term(of header: FrameHeader) throws(FormatError) -> Term {
      if let term = term(header.term) { return term }
      throw FormatError(
        .chainBroken, "the frame's data key, of term \(header.term), is not in the file", offset: header.offset,
        sequence: header.sequence)
    }
  }

  fileprivate final class Term {
    let dataKey: DataKey
    var cipher: XAES256GCM

    init(_ dataKey: consuming DataKey) throws(CryptoError) {
      cipher = try dataKey.cipher()
      self.dataKey = dataKey
    }
  }

  private let keys: Mutex<Keys>
  private let newest = Atomic<UInt32>(0)
  /// Empty until that many threads need one at the same time.
  private let ciphers = InlineArray<8, Mutex<RecordCipher?>> { _ in Mutex(nil) }
  /// Of the file that the keys are for.
  let header: FileHeader

  /// - Parameter slot: number of the key slot that holds `root` under the credential that was given.
  /// - Throws: `crypto-failure`.
  init(root: consuming RootKey, slot: UInt32, header: FileHeader) throws(VaultError) {
    do {
      let wrap = try root.wrapKey(of: header.vaultID)
      let genesis = try root.genesisKey(of: header)
      keys = Mutex(Keys(root: root, slot: slot, wrap: wrap, genesis: genesis))
      self.header = header
    } catch {
      throw VaultError(error)
    }
  }

  /// The term that records are sealed under; 0 before the first data key.
  var newestTerm: UInt32 { newest.load(ordering: .acquiring) }

  /// The lookup tag of a name in this file.
  func tag(of name: Span<UInt8>) throws(VaultError) -> LookupTag {
    try withCipher { (cipher) throws(VaultError) in try cipher.tag(of: name) }
  }

  /// Reads the record whose frame begins at `offset`; see ``RecordCipher/entry(at:meant:of:in:with:)``.
  func entry(
    at offset: UInt64, meant: MeantRecord, of file: any StorageFile, in generation: Generation
  ) throws(VaultError) -> VaultEntry {
    try withCipher { (cipher) throws(VaultError) in
      try cipher.entry(at: offset, meant: meant, of: file, in: generation, with: self)
    }
  }

  /// Gives `body` a cipher for records of a term, which it has for itself: threads wait for each other only when more than
  /// eight are at it.
  ///
  /// - Parameter term: `nil` for the newest, which seals.
  /// - Throws: what `body` throws; `chain-broken` for a term that is not known; `crypto-failure`.
  func withCipher<Result: ~Copyable & Sendable>(
    term: UInt32? = nil, _ body: (inout RecordCipher) throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    let term = term ?? newestTerm
    for place in ciphers.indices {
      let result = try ciphers[place].withLockIfAvailable { (slot) throws(VaultError) in try use(&slot, term, body) }
      if let result { return result }
    }
    return try ciphers[0].withLock { (slot) throws(VaultError) in try use(&slot, term, body) }
  }

  private func use<Result: ~Copyable & Sendable>(
    _ slot: inout RecordCipher?, _ term: UInt32, _ body: (inout RecordCipher) throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    guard var cipher = slot.take(), cipher.term == term else {
      slot = try makeCipher(term: term)
      return try use(&slot, term, body)
    }
    let result = try body(&cipher)
    cipher.wipe()
    // After an error, or a very large record, the next one begins with a new cipher.
    if !cipher.isLarge { slot = consume cipher }
    return result
  }

  private func makeCipher(term number: UInt32) throws(VaultError) -> RecordCipher {
    try keys.withLock { (keys) throws(VaultError) in
      guard let term = keys.term(number) else {
        throw VaultError(.chainBroken, "a record stands before the first data key")
      }
      let header = header
      return try crypto { () throws(CryptoError) in
        try RecordCipher(term: number, cipher: term.dataKey.cipher(), lookup: keys.root.lookupKey(of: header))
      }
    }
  }

  /// Opens any frame but a key slot's.
  ///
  /// - Throws: `chain-broken` when its term is not known; `frame-damaged` when it does not open.
  func open(_ frame: borrowing Frame, in generation: Generation) throws(FormatError) -> SecretBytes {
    try keys.withLock { (keys) throws(FormatError) in
      let header = frame.header
      if header.type == .genesis { return try frame.open(with: &keys.genesis, in: generation) }
      guard header.type.usesDataKey else { return try frame.open(with: &keys.wrap, in: generation) }
      return try frame.open(with: &keys.term(of: header).cipher, in: generation)
    }
  }

  /// Whether a frame of the tail opens; see ``TailRules``.
  func opening(of frame: borrowing Frame, in generation: Generation) -> TailRules.Opening {
    // A slot opens with its owner's credential alone; its checksums were checked.
    if frame.header.type == .keySlot { return .opens }
    do {
      _ = try open(frame, in: generation)
      return .opens
    } catch {
      return error.code == .chainBroken ? .keyMissing : .fails
    }
  }

  /// Takes in the data key that an opened data-key frame holds, in the order of the file.
  ///
  /// - Throws: `chain-broken` for a new term that is not higher than all before, `commitment-mismatch` for a key that is not
  ///   the one committed to or not the one given before, `limit-exceeded` for too many, `frame-damaged`.
  ///
  /// - Returns: its term.
  func accept(dataKey plaintext: Span<UInt8>) throws(FormatError) -> UInt32 {
    try keys.withLock { (keys) throws(FormatError) in
      let dataKey = try DataKey(parsing: plaintext, of: header.vaultID)
      let term = dataKey.term
      if let known = keys.term(term) {
        guard known.dataKey.isSame(as: dataKey) else {
          throw FormatError(.commitmentMismatch, "the data key of term \(term) differs from the one given before")
        }
        return term
      }
      if let newest = keys.terms.last, newest.dataKey.term >= term {
        throw FormatError(.chainBroken, "the data key of term \(term) comes after that of term \(newest.dataKey.term)")
      }
      guard keys.terms.count < Limits.liveTerms else {
        throw FormatError(.limitExceeded, "the file has more than \(Limits.liveTerms) data keys")
      }
      do throws(CryptoError) {
        keys.terms.append(try Term(dataKey))
      } catch {
        throw FormatError(.cryptoFailure, error.sentence)
      }
      newest.store(term, ordering: .releasing)
      return term
    }
  }

  /// Seals one frame under the newest term: a record, a page or a root.
  ///
  /// - Returns: the frame's authTag.
  @discardableResult
  func seal(
    _ type: FrameType, _ plaintext: Span<UInt8>, into encoder: inout BatchEncoder,
    random: inout AnyRandomSource, last: Bool
  ) throws(FormatError) -> FixedBytes<16> {
    try keys.withLock { (keys) throws(FormatError) in
      guard let term = keys.terms.last else {
        throw FormatError(.chainBroken, "the file has no data key")
      }
      return try encoder.append(
        type, term: term.dataKey.term, plaintext: plaintext, key: &term.cipher, random: &random, last: last)
    }
  }

  /// The number of data keys.
  var termCount: Int { keys.withLock { $0.terms.count } }

  /// Seals the data keys of all terms, by term, as a checkpoint carries them.
  func sealDataKeys(into encoder: inout BatchEncoder, random: inout AnyRandomSource) throws(FormatError) {
    try keys.withLock { (keys) throws(FormatError) in
      for term in keys.terms {
        let plaintext: SecretBytes
        do throws(CryptoError) {
          plaintext = try term.dataKey.plaintext(for: header.vaultID)
        } catch {
          throw FormatError(.cryptoFailure, error.sentence)
        }
        try encoder.append(.dataKey, plaintext: plaintext.span, key: &keys.wrap, random: &random, last: false)
      }
    }
  }

  /// Seals the genesis of the file that the keys are for.
  func seal(
    _ genesis: Genesis, into encoder: inout BatchEncoder, random: inout AnyRandomSource
  ) throws(FormatError) {
    try keys.withLock { (keys) throws(FormatError) in
      _ = try encoder.append(
        .genesis, plaintext: genesis.plaintext().span, key: &keys.genesis, random: &random, last: true)
    }
  }

  /// Gives the newest data key to the keyring of another generation of the same vault.
  func giveDataKey(to other: Keyring) throws(VaultError) {
    let plaintext = try keys.withLock { (keys) throws(VaultError) in
      guard let newest = keys.terms.last else { throw VaultError(.chainBroken, "the file has no data key") }
      return try crypto { () throws(CryptoError) in try newest.dataKey.plaintext(for: header.vaultID) }
    }
    try other.take(dataKey: plaintext)
  }

  /// Makes a new data key, of the term behind that of `former`.
  ///
  /// - Throws: `limit-exceeded` behind the last term; `crypto-failure`.
  func makeDataKey(after former: Keyring?, at time: Int64, from random: inout AnyRandomSource) throws(VaultError) {
    let term = former?.newestTerm ?? 0
    guard term < .max else { throw VaultError(.limitExceeded, "the vault has used up its terms") }
    let plaintext = try crypto { () throws(CryptoError) in
      let dataKey = try DataKey(term: term + 1, created: time, from: &random)
      return try dataKey.plaintext(for: header.vaultID)
    }
    try take(dataKey: plaintext)
  }

  private func take(dataKey plaintext: borrowing SecretBytes) throws(VaultError) {
    do throws(FormatError) {
      _ = try accept(dataKey: plaintext.span)
    } catch {
      throw VaultError(error)
    }
  }

  /// Seals an anchor of the file that the keys are for.
  func seal(
    _ anchor: Anchor, into encoder: inout BatchEncoder, random: inout AnyRandomSource
  ) throws(FormatError) {
    try keys.withLock { (keys) throws(FormatError) in
      _ = try encoder.append(
        .anchor, clear: header.serialized(), plaintext: anchor.plaintext().span, key: &keys.wrap, random: &random,
        last: false)
    }
  }

  /// The keys of another generation of the same vault, as long as its root key is still the same.
  func keyring(for other: FileHeader) throws(VaultError) -> Keyring {
    guard other.vaultID == header.vaultID else {
      throw VaultError(
        .wrongKey, "another vault has taken this one's place", remedy: "open the vault at this path again")
    }
    return try keys.withLock { (keys) throws(VaultError) in
      let root = try crypto { () throws(CryptoError) in try keys.root.copy() }
      return try Keyring(root: root, slot: keys.slot, header: other)
    }
  }

  // MARK: Key slots

  /// Number of the key slot that the credential opened, or that took its place since.
  var slot: UInt32 {
    get { keys.withLock { $0.slot } }
    set { keys.withLock { $0.slot = newValue } }
  }

  /// What `credential` derives to for a new slot. A passphrase takes as long as `kind` says.
  ///
  /// - Throws: `crypto-failure`.
  func wrappingKey(
    of credential: borrowing Credential, kind: KeySlot.Kind, random: inout AnyRandomSource
  ) throws(VaultError) -> KeySlot.WrappingKey {
    do throws(CryptoError) {
      return try KeySlot.WrappingKey(of: credential, kind: kind, vault: header.vaultID, random: &random)
    } catch {
      throw VaultError(error)
    }
  }

  /// Wraps the root key in a new slot.
  ///
  /// - Throws: `crypto-failure`.
  func sealSlot(
    _ number: UInt32, under key: borrowing KeySlot.WrappingKey, created: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> KeySlot.Sealed {
    try keys.withLock { (keys) throws(VaultError) in
      do throws(CryptoError) {
        return try KeySlot.seal(keys.root, under: key, number: number, created: created, random: &random)
      } catch {
        throw VaultError(error)
      }
    }
  }
}
