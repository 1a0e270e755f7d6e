internal import CSystemShims
internal import Glibc
internal import VaultCrypto
internal import VaultEngine

/// A program that prints a key or passphrase, started without a shell.
struct KeyCommand {
  let words: [String]

  /// Runs the program with nothing on standard input and its standard error passed on, and gives its standard output.
  ///
  /// - Throws: `unavailable` when it can't be started, fails, or prints more than a key source may.
  func output() throws(VaultError) -> SecretBytes {
    var ends: [Int32] = [-1, -1]
    guard unsafe tv_pipe(&ends) == 0 else { throw failed("can't be started: \(systemMessage(errno))") }
    defer { close(ends[0]) }
    let (child, number) = spawn(output: ends[1])
    close(ends[1])
    guard number == 0 else { throw failed("can't be started: \(systemMessage(number))") }
    return try collect(from: ends[0], child: child)
  }

  private func collect(from descriptor: Int32, child: pid_t) throws(VaultError) -> SecretBytes {
    let secret: SecretBytes
    do {
      secret = try SecretBytes.reading(descriptor, limit: KeyReader.limit)
    } catch {
      kill(child, SIGKILL)
      _ = wait(for: child)
      switch error {
      case .tooLong: throw failed("printed more than \(KeyReader.limit) bytes")
      case .system(let number): throw failed("can't be read: \(systemMessage(number))")
      case .memory(let sentence): throw VaultError(.cryptoFailure, sentence)
      }
    }
    // Where a process ignores SIGCHLD, the system forgets how its children ended: that is not the same as well.
    guard let status = wait(for: child) else { throw failed("ended, and it can't be learned how") }
    guard status & 0x7f == 0 else { throw failed("was ended by signal \(status & 0x7f)") }
    guard status == 0 else { throw failed("failed with exit code \((status >> 8) & 0xff)") }
    guard secret.count > 0 else { throw failed("printed nothing") }
    return secret
  }

  /// The status that `child` ended with; `nil`, if the system does not tell.
  private func wait(for child: pid_t) -> Int32? {
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    return status
  }

  private func spawn(output: Int32) -> (pid_t, Int32) {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    // What the process ignores and a thread holds back would be inherited, and the program could not be ended by its terminal.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe sigaddset(&signals, SIGXFSZ)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    let number = unsafe posix_spawnp(&child, words[0], &actions, &attributes, &arguments, environ)
    return (child, number)
  }

  private func failed(_ what: String) -> VaultError {
    VaultError(.unavailable, "the program of \(KeySource.command(words)) \(what)")
  }
}

/// Words as a command line has them.
package enum CommandLineText {
  /// Splits at white space; what stands in single or double quotes stays together. `nil` when there is no word, or a quote is
  /// left open.
  package static func words(_ text: String) -> [String]? {
    var words: [[UInt8]] = []
    var word: [UInt8]?
    var quote: UInt8?
    for byte in text.utf8 {
      if byte == quote {
        quote = nil
      } else if quote == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
        word = word ?? []
      } else if quote == nil, byte == UInt8(ascii: " ") || (9...13).contains(byte) {
        if let ended = word { words.append(ended) }
        word = nil
      } else {
        word = (word ?? []) + [byte]
      }
    }
    if let word { words.append(word) }
    guard quote == nil, let program = words.first, !program.isEmpty else { return nil }
    return words.map { String(decoding: $0, as: UTF8.self) }
  }

  /// `text` as one word for a POSIX shell, in single quotes unless it needs none.
  package static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { (byte) in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "/._-+:,@%=".utf8.contains(byte)
      }
    }
    if isPlain, !text.isEmpty { return text }
    var quoted: [UInt8] = [UInt8(ascii: "'")]
    for byte in text.utf8 {
      if byte == UInt8(ascii: "'") { quoted += Array("'\\''".utf8) } else { quoted.append(byte) }
    }
    return String(decoding: quoted + [UInt8(ascii: "'")], as: UTF8.self)
  }
}
