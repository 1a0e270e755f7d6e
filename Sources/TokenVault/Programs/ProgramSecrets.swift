internal import Glibc
package import VaultCrypto
package import VaultEngine

/// The secrets that a program is started with: in environment variables, on its standard input, on other descriptors, and in files
/// in memory. None is ever on a disk or among its arguments.
package struct ProgramSecrets: ~Copyable {
  /// The variables that a pristine environment keeps.
  package static let pristine: Set<String> = ["PATH", "HOME", "TERM", "LANG", "USER", "TMPDIR"]
  /// What Linux takes for one variable, in bytes: its name, its value and two more.
  private static let longestVariable = 128 << 10
  /// Numbers of memory files: above those that scripts use.
  private static let firstFile: Int32 = 20

  private var environment: ChildEnvironment
  private var descriptors: [Int32: Int32] = [:]

  /// - Parameters:
  ///   - removed: variables that the program does not inherit, beside those that hold a key or passphrase (``SecretVariables``).
  ///   - isPristine: whether it inherits those in ``pristine`` alone.
  /// - Throws: `crypto-failure` when there is no memory.
  package init(without removed: Set<String>, isPristine: Bool) throws(VaultError) {
    environment = try crypto { () throws(CryptoError) in
      try ChildEnvironment(
        without: removed.union(SecretVariables.names), only: isPristine ? Self.pristine : nil)
    }
  }

  deinit {
    for (_, file) in descriptors { close(file) }
  }

  /// Sets the variable `name`, which was not set before.
  ///
  /// - Throws: `usage` for a secret that no variable can hold.
  package mutating func setVariable(_ name: String, to secret: borrowing SecretBytes) throws(VaultError) {
    let remedy = "give it on standard input, a descriptor or in a memory file"
    for index in secret.span.indices where secret.span[index] == 0 {
      throw VaultError(.usage, "the secret holds a zero byte, which no environment variable can", remedy: remedy)
    }
    guard name.utf8.count + secret.count + 2 <= Self.longestVariable else {
      throw VaultError(
        .usage, "the secret has \(secret.count) bytes, which is more than an environment variable can hold",
        remedy: remedy)
    }
    do throws(CryptoError) {
      try environment.set(name, to: secret.span)
    } catch {
      throw VaultError(error)
    }
  }

  /// Puts a secret on the descriptor `number`, which has none yet: 0, or 3 and more.
  ///
  /// - Throws: `usage` for a number that this process may not have; `io`.
  package mutating func setDescriptor(_ number: Int32, to secret: borrowing SecretBytes) throws(VaultError) {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard rlim_t(number) < limit.rlim_cur else {
      throw VaultError(.usage, "no descriptor can have the number \(number): \(limit.rlim_cur) is the limit here")
    }
    precondition(descriptors[number] == nil)
    let file = try MemoryFile(secret.span)
    let copy = fcntl(file.descriptor.number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw VaultError(.io, "no descriptor is left: \(systemMessage(errno))") }
    descriptors[number] = copy
  }

  /// Puts a secret into a memory file, and the file's path into the variable `name`. Descriptors that are given numbers of their
  /// own come first.
  ///
  /// - Throws: as ``setDescriptor(_:to:)``.
  package mutating func setFile(_ name: String, to secret: borrowing SecretBytes) throws(VaultError) {
    var number = Self.firstFile
    while descriptors[number] != nil { number += 1 }
    try setDescriptor(number, to: secret)
    let path = Array("/proc/self/fd/\(number)".utf8)
    let bytes = try SecretBytes(path.span)
    try setVariable(name, to: bytes)
  }

  /// Starts the program beside this process, in its session and group, with its own standard descriptors. The secrets are wiped
  /// here when this value goes away.
  ///
  /// - Returns: the child's process id.
  package func start(_ words: [String]) throws(ProgramFailure) -> Int32 {
    try launch(words).start(environment)
  }

  /// Puts the program in the place of this process, and returns only when that failed.
  package func replaceProcess(_ words: [String]) -> ProgramFailure {
    launch(words).replaceProcess(environment)
  }

  private func launch(_ words: [String]) -> ProgramLaunch {
    var launch = ProgramLaunch(words)
    launch.descriptors = descriptors
    return launch
  }
}
