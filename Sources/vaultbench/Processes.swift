import ArgumentParser
import CSystemShims
import Glibc
import TokenVault
import VaultEngine

// What takes a process of its own: this program starts itself.

extension Subject {
  /// Milliseconds of a process that opens the vault and reads one token, from its start to its end: the median of 21. The file
  /// is in the page cache.
  func openColdGet() throws -> Double {
    var name: [UInt8] = []
    Workload.write(name: records / 2, to: &name)
    let words = ["cold-get", path, keyFile, String(decoding: name, as: UTF8.self)]
    let times = try (0..<21).map { _ in try seconds { _ = try OwnProcess.output(of: words) } }
    return times.sorted()[times.count / 2] * 1000
  }

  /// Bytes of memory for each name, in a process that has opened the vault and read all of it.
  func memoryPerName() throws -> Double {
    let output = try OwnProcess.output(of: ["index-memory", emptyPath, path, keyFile])
    guard let bytes = Double(output) else { throw BenchFailure(sentence: "no figure came back") }
    return bytes
  }
}

/// Opens a vault and reads one token.
struct ColdGet: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cold-get", shouldDisplay: false)

  @Argument var vault: String
  @Argument var keyFile: String
  @Argument var name: String

  func run() throws {
    var options = VaultOptions()
    options.readOnly = true
    let credential = try KeySource.file(keyFile).credential(.key)
    let vault = try Vault.open(at: vault, credential: credential, options: options)
    let name = Array(name.utf8)
    guard try vault.entry(named: name.span) != nil else { throw BenchFailure(sentence: "there is no such name") }
  }
}

/// Prints by how many bytes for each name this process grows when it opens a vault.
struct IndexMemory: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "index-memory", shouldDisplay: false)

  @Argument var empty: String
  @Argument var vault: String
  @Argument var keyFile: String

  func run() throws {
    let source = KeySource.file(keyFile)
    // What every process needs once, whatever vault it opens, does not count.
    let first = try Vault.open(at: empty, credential: source.credential(.key))
    let before = try resident()
    let vault = try Vault.open(at: vault, credential: source.credential(.key))
    let names = try readAll(vault)
    let after = try resident()
    print(Double(max(0, after - before)) / Double(max(1, names)))
    withExtendedLifetime((first, vault)) {}
  }

  private func readAll(_ vault: Vault) throws(VaultError) -> Int {
    var names = 0
    try vault.snapshot().forEachEntry { (_) throws(VaultError) in names += 1 }
    return names
  }

  /// Bytes of this process that are in memory, after free ones were given back.
  private func resident() throws -> Int {
    tv_trim_memory()
    let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 256)
    let count = unsafe read(descriptor, &text, text.count)
    let fields = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { throw BenchFailure(sentence: "/proc can't be read") }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }
}

/// This program in another process.
enum OwnProcess {
  /// Runs it to its end.
  ///
  /// - Returns: the first line of its standard output, up to 256 bytes.
  /// - Throws: when it can't be started, or fails.
  static func output(of arguments: [String]) throws(BenchFailure) -> String {
    var ends: [Int32] = [-1, -1]
    guard unsafe tv_pipe(&ends) == 0 else { throw BenchFailure(sentence: "no pipe can be made") }
    defer { close(ends[0]) }
    let child = spawn(arguments, output: ends[1])
    close(ends[1])
    guard let child else { throw BenchFailure(sentence: "this program can't be started again") }
    var line = [UInt8](repeating: 0, count: 256)
    let count = unsafe read(ends[0], &line, line.count)
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw BenchFailure(sentence: "\(arguments[0]) failed in its own process") }
    return String(decoding: line.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  private static func spawn(_ arguments: [String], output: Int32) -> pid_t? {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    var child: pid_t = 0
    var words = unsafe (["vaultbench"] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    guard unsafe posix_spawn(&child, "/proc/self/exe", &actions, nil, &words, environ) == 0 else { return nil }
    return child
  }
}
