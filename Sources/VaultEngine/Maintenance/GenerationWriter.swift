internal import VaultCrypto
internal import VaultFormat

/// Writes a new file under a temporary name: a founding batch, batches of records, a checkpoint. Each batch is synced, read
/// back, opened and compared with what it was made of before the next is written, which is sealed meanwhile.
///
/// Nothing that fails or is killed here touches the vault: the file has its name only after ``replaceVault()`` or
/// ``publish()``, and is removed if neither was called.
struct GenerationWriter: ~Copyable {
  /// Bytes of a batch that is written before the caller goes on: a thread would not be worth it.
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
    try settle()
    let (file, check, start, generation) = (file, check, view.chain.offset, view.generation)
    let work = { @Sendable () throws(VaultError) in
      try Self.write(sealed.bytes, at: start, to: file)
      try check.compare(blocks, with: sealed, from: start, of: generation)
    }
    let isSmall = sealed.bytes.count < Self.smallBatch
    if isSmall { try work() } else { temporary.writing = WorkAside(work) }
    growing.change(aside: !isSmall) { $0.append(.records(sealed)) }
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
  func settle() throws(VaultError) { try temporary.writing.take()?.finish() }

  // MARK: The checkpoint

  /// Writes a checkpoint with the index of all records so far.
  ///
  /// - Parameter history: earlier generations, newest first. The generation before this one stands there in the last checkpoint,
  ///   and in that alone: it makes the file complete.
  mutating func checkpoint(history: [Anchor.Ancestor]) throws(VaultError) {
    try settle()
    var checkpoint = try Checkpoint(after: view, slots: slots, history: history, random: &random)
    while let batch = try checkpoint.nextBatch(after: view, random: &random) {
      try Self.write(batch.bytes, at: view.chain.offset, to: file)
      growing.change(aside: false) { $0.append(.index(batch)) }
    }
  }

  /// Writes a batch, syncs it, and compares what the file then holds with it. That a reader will take these bytes for the batch
  /// was found out when it was sealed.
  private static func write(_ bytes: [UInt8], at start: UInt64, to file: any StorageFile) throws(VaultError) {
    try file.write(bytes.span, at: start)
    try file.sync()
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

/// A file without a name of its own yet, removed with this object unless it got one.
private final class TemporaryFile {
  let storage: any Storage
  let file: any StorageFile
  var hasName = false
  /// The batch that is on its way to the disk and back.
  var writing: WorkAside?

  init(of storage: any Storage) throws(VaultError) {
    self.storage = storage
    file = try storage.createTemporary()
  }

  deinit {
    writing = nil
    if !hasName { storage.discard(file) }
  }
}
