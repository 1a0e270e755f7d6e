import Glibc
import TokenVault
import VaultEngine

/// The folder in which processes work on one vault, as each of them finds it.
struct KillBench: Sendable {
  /// Who takes part.
  static let (writers, readers) = (4, 2)
  /// How long a writer waits for the others.
  static let patience = Duration.milliseconds(100)
  /// The name under which every batch leaves an event that says which it is.
  static let log = "log"

  let folder: String

  init(folder: String) { self.folder = folder }

  var vault: String { folder + "/vault" }
  var backup: String { folder + "/backup" }
  var lockFile: String { vault + ".lock" }
  private var key: String { folder + "/key" }

  /// Makes the key, the vault and the marks.
  func prepare() throws {
    try SmallFile.write(Array(String(repeating: "5c", count: 32).utf8), to: key)
    try SmallFile.write([UInt8](repeating: 0, count: 8 * Self.writers), to: folder + "/marks")
    _ = try Vault.create(at: vault, credential: credential())
  }

  func credential() throws(VaultError) -> Credential { try KeySource.file(key).credential(.key) }

  func open(readOnly: Bool = false, waiting: Duration = Self.patience) throws(VaultError) -> Vault {
    var options = VaultOptions()
    options.readOnly = readOnly
    options.lockTimeout = waiting
    return try Vault.open(at: vault, credential: credential(), options: options)
  }

  /// Names of files that somebody was making.
  var temporaries: [String] { WorkFolder.names(in: folder).filter { $0.contains(".tmp-") } }
  /// Names of copies of torn tails.
  var tornCopies: [String] { WorkFolder.names(in: folder).filter { $0.contains(".torn-") } }
}

/// The version of each writer's newest commit that returned, where readers see it: whoever reads later must find that commit.
final class KillMarks {
  private let descriptor: Int32

  init(_ bench: KillBench) throws {
    descriptor = unsafe Glibc.open(bench.folder + "/marks", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw HelperError.system(errno) }
  }

  deinit { _ = close(descriptor) }

  func note(_ version: UInt64, of writer: Int) {
    var version = version
    unsafe _ = pwrite(descriptor, &version, 8, off_t(writer * 8))
  }

  /// The greatest of all.
  func newest() -> UInt64 {
    var versions = [UInt64](repeating: 0, count: KillBench.writers)
    unsafe _ = pread(descriptor, &versions, 8 * versions.count, 0)
    return versions.max() ?? 0
  }
}

/// What a process tells its supervisor: a line each, written at once.
struct KillChannel {
  init() {}

  func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    unsafe _ = write(1, bytes, bytes.count)
  }
}

/// Something in a process's way that its supervisor must notice: the test of the test.
package enum KillPlant: String, CaseIterable, Sendable {
  /// Writers acknowledge before they commit.
  case earlyAcknowledgement = "early-acknowledgement"
  /// Writers now and then write a batch twice.
  case twice
  /// Writers commit a batch in two halves.
  case half
  /// Writers write another value than they said.
  case other
  /// Readers read from an old snapshot.
  case stale
  /// The compactor puts an older copy of the file in the vault's place.
  case rollback
  /// The compactor leaves a temporary file that is held by nobody, under a name that no writer sweeps.
  case litter
}
