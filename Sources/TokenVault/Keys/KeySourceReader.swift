internal import Glibc
package import VaultCrypto
internal import VaultEngine

/// Reads the sources that are no program and no terminal.
struct KeyReader {
  /// What a source may give at most, in bytes.
  static let limit = 1 << 16
  private let source: KeySource

  init(_ source: KeySource) { self.source = source }

  /// The value of the variable `name`, copied from the environment without passing through a string.
  func environment(_ name: String) throws(VaultError) -> SecretBytes {
    SecretVariables.note(name)
    guard let value = unsafe getenv(name) else {
      throw VaultError(.noKey, "the environment variable of the key source \(source) is not set")
    }
    let length = unsafe strlen(value)
    guard length > 0 else { throw VaultError(.noKey, "the environment variable of the key source \(source) is empty") }
    guard length <= Self.limit else { throw tooLong() }
    return try crypto { () throws(CryptoError) in
      try SecretBytes(capacity: length) { (output) in
        let bytes = unsafe UnsafeRawBufferPointer(start: value, count: length)
        for index in bytes.indices { output.append(unsafe bytes[index]) }
      }
    }
  }

  /// The bytes of the regular file at `path`. Symbolic links to it are followed, as secrets are often mounted by them.
  func file(_ path: String, mustBePrivate: Bool) throws(VaultError) -> SecretBytes {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw failed("can't be opened", errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failed("can't be examined", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw VaultError(
        .noKey, "the key source \(source) is not a regular file", remedy: "a pipe can be given as fd:N")
    }
    if mustBePrivate, status.st_mode & 0o066 != 0 {
      throw VaultError(
        .unsafePermissions, "the key source \(source) can be read or changed by others than its owner",
        remedy: "chmod 600 \(CommandLineText.quoted(KeySource.shown(path)))")
    }
    return try contents(of: descriptor)
  }

  /// What is left to read from the descriptor `number`, which is closed.
  func descriptor(_ number: Int32) throws(VaultError) -> SecretBytes {
    defer { if number > 2 { close(number) } }
    return try contents(of: number)
  }

  /// What is left to read from standard input.
  func standardInput() throws(VaultError) -> SecretBytes { try contents(of: 0) }

  /// The file `name` in the directory that the service manager made for this service. It guards its permissions.
  func credential(_ name: String) throws(VaultError) -> SecretBytes {
    guard let folder = unsafe getenv("CREDENTIALS_DIRECTORY") else {
      throw VaultError(.noKey, "there is no $CREDENTIALS_DIRECTORY, where \(source) would be")
    }
    return try file(unsafe String(cString: folder) + "/" + name, mustBePrivate: false)
  }

  private func contents(of descriptor: Int32) throws(VaultError) -> SecretBytes {
    let secret: SecretBytes
    do {
      secret = try SecretBytes.reading(descriptor, limit: Self.limit)
    } catch {
      switch error {
      case .tooLong: throw tooLong()
      case .system(let number): throw failed("can't be read", number)
      case .memory(let sentence): throw VaultError(.cryptoFailure, sentence)
      }
    }
    guard secret.count > 0 else { throw VaultError(.noKey, "the key source \(source) is empty") }
    return secret
  }

  private func tooLong() -> VaultError {
    VaultError(.noKey, "what \(source) gives is longer than \(Self.limit) bytes")
  }

  private func failed(_ what: String, _ number: Int32) -> VaultError {
    VaultError(.noKey, "the key source \(source) \(what): \(systemMessage(number))")
  }
}

/// Why a descriptor's bytes could not be had.
package enum ReadFailure: Error {
  /// There are more bytes than the limit.
  case tooLong
  /// `read` failed with this `errno`.
  case system(Int32)
  /// There is no memory.
  case memory(String)
}

extension SecretBytes {
  /// Reads `descriptor` to its end, into wiped memory only.
  ///
  /// - Throws: `tooLong` as soon as there are more than `limit` bytes.
  package static func reading(_ descriptor: Int32, limit: Int) throws(ReadFailure) -> SecretBytes {
    do {
      var secret = try SecretBytes(capacity: min(limit + 1, 4096))
      while try secret.appendSome(from: descriptor) {
        guard secret.count <= limit else { throw ReadFailure.tooLong }
        if secret.count == secret.capacity { try secret.reserve(secret.capacity * 2) }
      }
      return secret
    } catch let failure as ReadFailure {
      throw failure
    } catch {
      throw .memory("\(error)")
    }
  }

  /// One `read`, repeated when a signal came; false at the end.
  package mutating func appendSome(from descriptor: Int32) throws(ReadFailure) -> Bool {
    let before = count
    try append { (output) throws(ReadFailure) in try output.appendSome(from: descriptor) }
    return count > before
  }

  /// Drops one line end, LF or CRLF, from the end.
  package mutating func removeLineEnd() {
    let length = count
    guard length > 0, span[length - 1] == UInt8(ascii: "\n") else { return }
    let isPair = length > 1 && span[length - 2] == UInt8(ascii: "\r")
    removeLast(isPair ? 2 : 1)
  }
}

extension OutputSpan<UInt8> {
  /// One `read`, repeated when a signal came, of as much as there is room for; appends nothing at the end.
  package mutating func appendSome(from descriptor: Int32) throws(ReadFailure) {
    var result = 0
    var number: Int32 = 0
    unsafe withUnsafeMutableBufferPointer { (buffer, filled) in
      repeat {
        result = unsafe read(descriptor, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled)
        number = errno
      } while result < 0 && number == EINTR
      filled += max(result, 0)
    }
    guard result >= 0 else { throw .system(number) }
  }
}

/// The system's sentence for an `errno`.
package func systemMessage(_ number: Int32) -> String {
  guard let text = unsafe strerror(number) else { return "error \(number)" }
  return unsafe String(cString: text)
}
