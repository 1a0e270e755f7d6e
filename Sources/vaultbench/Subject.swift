import Glibc
import TokenVault
import VaultEngine

/// The vault that is measured.
final class Subject {
  /// The vault file.
  let path: String
  /// A vault with nothing in it.
  let emptyPath: String
  /// The key of both.
  let keyFile: String
  /// Tokens that were loaded: their names have the numbers below it.
  let records: Int
  /// Tokens that were loaded in a second, durable in the end.
  let loadRate: Double
  /// The vault after it was loaded, closed and opened again.
  let vault: Vault

  /// Writes of one batch of the load: about 10 MB.
  static let batch = 32_768

  /// Makes a vault in `folder` and loads it.
  init(in folder: String, records: Int) throws {
    path = folder + "/vault.tv"
    emptyPath = folder + "/empty.tv"
    keyFile = folder + "/key"
    self.records = records
    try Self.writeKey(to: keyFile)
    let source = KeySource.file(keyFile)
    try Vault.create(at: emptyPath, credential: source.credential(.key)).close()
    let loading = try Vault.create(at: path, credential: source.credential(.key))
    loadRate = Double(records) / (try seconds { try Self.load(records, into: loading) })
    try loading.close()
    vault = try Vault.open(at: path, credential: source.credential(.key))
  }

  private static func writeKey(to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchFailure(sentence: "\(path) can't be made") }
    defer { close(descriptor) }
    // Nobody keeps anything under it.
    let key = [UInt8](repeating: 7, count: Credential.keyLength)
    guard unsafe write(descriptor, key, key.count) == key.count else {
      throw BenchFailure(sentence: "\(path) can't be written")
    }
  }

  private static func load(_ records: Int, into vault: Vault) throws(VaultError) {
    var name: [UInt8] = []
    var token: [UInt8] = []
    // One is sealed while the one before it is being written.
    var pending: PendingCommit?
    for start in stride(from: 0, to: records, by: batch) {
      var batch = try VaultBatch()
      let end = min(start + Self.batch, records)
      try batch.reserve(writes: end - start, bytes: (end - start) * 256)
      for number in start..<end {
        Workload.write(name: number, to: &name)
        Workload.write(token: number, to: &token)
        try batch.put(name.span, value: token.span)
      }
      let next = try vault.submit(batch)
      try pending?.wait()
      pending = next
    }
    try pending?.wait()
  }
}

/// Why there is no figure.
struct BenchFailure: Error, CustomStringConvertible {
  /// One sentence.
  let sentence: String
  /// The sentence.
  var description: String { sentence }
}
