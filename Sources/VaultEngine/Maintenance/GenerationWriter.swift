internal import VaultCrypto
internal import VaultFormat

/// Writes a new file under a temporary name: a founding batch, batches of records, a checkpoint. Each batch is synced, read
/// back, opened and compared with what it was made of while the next is written, and the one behind that is sealed.
///
/// Nothing that fails or is killed here touches the vault: the file has its name only after ``replaceVault()`` or
/// ``publish()``, and is removed if neither was called.
struct GenerationWriter: ~Copyable {
  /// Bytes of a batch that is written and checked before the caller goes on: threads would not be worth it.
  private static let smallBatch = 1 << 20
  /// Bytes that are read back at once.
  private static let piece = 1 << 18

  private let temporary: TemporaryFile
  private let slots: [KeySlot.Sealed]
  private var random: AnyRandomSource
  /// Opens what was written, with keys that were read back from the file.
  private let check: GenerationCheck
  private let growing: Growing<View>
  /// What was written, or is just being written; waits until it has taken in the last batch.
  var view: View { growing.value }

  private var file: any StorageFile { temporary.file }

  /// Makes the file, and writes its founding batch.
  ///
  /// The vault's lock must be held: a temporary file tells others, who would sweep it or make another, that somebody is at work.
  ///
  /// - Throws: `cannot-create`, `disk-full`, `io`.
  static func begin(
    _ environment: Environment, _ keys: GenerationKeys, random: AnyRandomSource
  ) throws(VaultError) -> GenerationWriter {
    let generation = try format { () throws(FormatError) in try Generation(header: keys.header) }
    var random = random
    let bytes = try foundingBytes(keys, generation, at: environment.now(), &random)
    let temporary = try TemporaryFile(of: environment.storage)
    let file = temporary.file
    try file.write(bytes.span, at: 0)
    try file.sync()
    let check = try GenerationCheck(founding: bytes, in: file, keys)
    var window = try FileWindow(file)
    var view = View(file: file, generation: generation, keyring: keys.keyring, isUnfinished: true)
    try view.replay(Walk(&window, from: view.chain, in: generation), &window)
    return GenerationWriter(
      temporary: temporary, slots: keys.slots, random: random, check: check, growing: Growing(view))
  }

  private static func foundingBytes(
    _ keys: GenerationKeys, _ generation: Generation, at time: Int64, _ random: inout AnyRandomSource
  ) throws(VaultError) -> [UInt8] {
    let genesis = Genesis(
      created: time, madeBy: keys.madeBy, writer: Creation.writer.name, version: Creation.writer.version)
    do throws(FormatError) {
      var encoder = try BatchEncoder(after: Chain(startOf: generation), in: generation)
      for slot in keys.slots { try encoder.append(slot) }
      try keys.keyring.sealDataKeys(into: &encoder, random: &random)
      try keys.keyring.seal(genesis, into: &encoder, random: &random)
      return keys.header.serialized() + encoder.bytes
    } catch {
      throw VaultError(error)
    }
  }

  // MARK: Records

  /// Writes records as one batch. They keep their versions, which must ascend, and their times; each is linked to the record
  /// before it in this file. A deletion of a name that this file does not have is left out.
  ///
  /// - Parameter blocks: at most 65 536 records and 256 MiB of frames.
  /// - Throws: `disk-full`, `io`, also of the batch before; `limit-exceeded`.
  mutating func append(_ blocks: [RecordBlock]) throws(VaultError) {
    let blocks = try CopyPlan.withoutIdleDeletions(blocks, of: view)
    guard let sealed = try CopySealer.seal(blocks, after: view, random: &random) else { return }
    let (check, start, generation) = (check, view.chain.offset, view.generation)
    try write(sealed.bytes, at: start) { () throws(VaultError) in
      try check.compare(blocks, with: sealed, from: start, of: generation)
    }
    growing.change(aside: sealed.bytes.count >= Self.smallBatch) { $0.append(.records(sealed)) }
  }

  /// Writes the event that tells of the new file, as a batch of its own.
  ///
  /// - Parameter version: above all that the vault has given.
  /// - Throws: as ``append(_:)``.
  mutating func append(
    event: (name: [UInt8], value: [UInt8]), version: UInt64, at time: Int64
  ) throws(VaultError) {
    let record = Record(
      .event, time: time, version: version, previous: 0, nameLength: event.name.count, valueLength: event.value.count)
    let tag = try view.keyring.tag(of: event.name.span)
    let padding = view.generation.header.padding
    let block = try crypto { () throws(CryptoError) in
      let plaintext = try record.plaintext(name: event.name.span, value: event.value.span, padding: padding)
      var builder = try RecordBlock.Builder(capacity: plaintext.count)
      try builder.append(record, plaintext.span, tag: tag)
      return builder.block()
    }
    try append([block])
  }

  /// Waits until all that was appended is synced and checked.
  ///
  /// - Throws: what went wrong with it.
  func settle() throws(VaultError) { try temporary.settle() }

  // MARK: The checkpoint

  /// Writes a checkpoint with the index of all records so far.
  ///
  /// - Parameter history: earlier generations, newest first. The generation before this one stands there in the last checkpoint,
  ///   and in that alone: it makes the file complete.
  mutating func checkpoint(history: [Anchor.Ancestor]) throws(VaultError) {
    var checkpoint = try Checkpoint(after: view, slots: slots, history: history, random: &random)
    while let batch = try checkpoint.nextBatch(after: view, random: &random) {
      try write(batch.bytes, at: view.chain.offset)
      growing.change(aside: false) { $0.append(.index(batch)) }
    }
  }

  /// Writes a batch, syncs it, and compares what the file then holds with it. That a reader will take these bytes for the batch
  /// was found out when it was sealed.
  ///
  /// - Parameter check: what else is asked of the file then.
  private func write(
    _ bytes: [UInt8], at start: UInt64, check: @escaping @Sendable () throws(VaultError) -> Void = {}
  ) throws(VaultError) {
    let file = file
    let writing = { @Sendable () throws(VaultError) in try file.write(bytes.span, at: start) }
    let checking = { @Sendable () throws(VaultError) in
      try file.sync()
      try Self.compare(bytes, with: file, from: start)
      try check()
    }
    if bytes.count >= Self.smallBatch {
      try temporary.begin(writing, thenChecking: checking)
    } else {
      try settle()
      try writing()
      try checking()
    }
  }

  private static func compare(_ bytes: [UInt8], with file: any StorageFile, from start: UInt64) throws(VaultError) {
    for first in stride(from: 0, to: bytes.count, by: piece) {
      let expected = bytes.span.extracting(first..<min(first + piece, bytes.count))
      let found = try file.read(at: start + UInt64(first), count: expected.count)
      guard found.span.equals(expected) else { throw GenerationCheck.mismatch(at: start + UInt64(first)) }
    }
  }

  // MARK: The name

  /// Opens the whole file as a reader will, and compares it with what was written.
  private func checkAsReader() throws(VaultError) {
    try settle()
    let found = try Opening.view(of: file, succeeding: check.keyring)
    guard found.chain == view.chain, found.lastVersion == view.lastVersion, found.newestEvent == view.newestEvent,
      found.history == view.history, found.genesis == view.genesis
    else { throw GenerationCheck.mismatch(at: view.chain.offset) }
  }

  /// Puts the file in the place of the vault's. The vault's lock must be held.
  ///
  /// - Throws: `io`; what the file's reader would say.
  mutating func replaceVault() throws(VaultError) {
    try checkAsReader()
    try temporary.storage.replace(with: file)
    temporary.hasName = true
  }

  /// Gives the file a name that nothing has yet.
  ///
  /// - Throws: `conflict` when there is a file of that name; `io`; what the file's reader would say.
  mutating func publish() throws(VaultError) {
    try checkAsReader()
    try temporary.storage.publish(file)
    temporary.hasName = true
  }
}

/// A file without a name of its own yet, removed with this object unless it got one; and its batches on their way to the disk
/// and back.
private final class TemporaryFile {
  typealias Step = @Sendable () throws(VaultError) -> Void

  let storage: any Storage
  let file: any StorageFile
  var hasName = false
  /// The newest batch, and how it will be checked.
  private var writing: WorkAside?
  private var check: Step?
  /// The batch before.
  private var checking: WorkAside?

  init(of storage: any Storage) throws(VaultError) {
    self.storage = storage
    file = try storage.createTemporary()
  }

  deinit {
    writing = nil
    checking = nil
    if !hasName { storage.discard(file) }
  }

  /// Begins to write a batch, and to check the one before.
  ///
  /// - Throws: what went wrong with batches before.
  func begin(_ write: @escaping Step, thenChecking check: @escaping Step) throws(VaultError) {
    try writing.take()?.finish()
    try checking.take()?.finish()
    if let check = self.check { checking = WorkAside(check) }
    writing = WorkAside(write)
    self.check = check
  }

  /// Waits until all batches are checked.
  ///
  /// - Throws: what went wrong with one.
  func settle() throws(VaultError) {
    try writing.take()?.finish()
    try checking.take()?.finish()
    let check = check
    self.check = nil
    try check?()
  }
}
