import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Files that hold a key.
enum KeyFile {
  /// A new random key: 64 hexadecimal digits and a line end. They never pass through a string.
  static func newKey() throws -> SecretBytes {
    do {
      var random = try SystemRandom()
      let key = try random.secret(32)
      var digits = try SecretBytes(capacity: 65)
      digits.append { (output) in
        for index in key.span.indices {
          output.append(digit(key.span[index] >> 4))
          output.append(digit(key.span[index] & 15))
        }
        output.append(UInt8(ascii: "\n"))
      }
      return digits
    } catch {
      throw CommandFailure(.failure, "no key could be made: \(error.sentence)")
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  /// Writes `digits` to a new file that only its owner can read, and has it on the disk before returning. The file appears when
  /// it is whole: a key of which a part is missing opens nothing.
  ///
  /// - Throws: ``ExitCode/conflict`` when there is something at `path`; it is left alone.
  static func create(at path: String, digits: borrowing SecretBytes) throws {
    do throws(CommandFailure) {
      let file = try PrivateOutput(at: path, replacing: false)
      try file.write(digits.span)
      try file.finish()
    } catch {
      guard error.exit == .conflict else { throw error }
      throw CommandFailure(.conflict, "there is something at \(path) already; it was left alone")
    }
  }
}

/// What the command line needs to know of files besides the vault.
enum FileFacts {
  /// Whether there is anything at `path`, a dangling link included.
  static func exists(_ path: String) -> Bool {
    status(path) != nil
  }

  /// What is at `path`; `nil` when there is nothing, or it can't be seen.
  static func status(_ path: String, followingLinks: Bool = false) -> stat? {
    var status = stat()
    return unsafe fstatat(AT_FDCWD, path, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }

  /// The first byte of a file; `nil` when it has none or can't be read.
  static func firstByte(of path: String) -> UInt8? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var byte: UInt8 = 0
    return unsafe Glibc.read(descriptor, &byte, 1) == 1 ? byte : nil
  }

  /// Makes the folder that `path` lies in, and those above it, for this user alone.
  static func makePrivateFolder(for path: String) throws(CommandFailure) {
    try makePrivate(folder(of: path))
  }

  /// Makes the folder at `path`, and those above it, for this user alone; existing ones are left as they are.
  static func makePrivate(_ path: String) throws(CommandFailure) {
    guard !exists(path) else { return }
    let above = folder(of: path)
    if above != path { try makePrivate(above) }
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw CommandFailure(.cannotCreate, "the folder \(path) can't be made: \(systemMessage(errno))")
    }
  }

  /// The path of the folder that `path` lies in.
  static func folder(of path: String) -> String {
    let bytes = Array(path.utf8)
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }

  /// A new name is lasting only when its folder is on the disk.
  static func syncFolder(of path: String) {
    let descriptor = unsafe open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }
}

/// Text files that a command writes beside its output.
enum TextFile {
  /// Writes `text` to `path`, in the place of what was there.
  ///
  /// - Throws: ``ExitCode/cannotCreate``, ``ExitCode/io``.
  static func write(_ text: String, to path: String) throws(CommandFailure) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CommandFailure(.cannotCreate, "\(path) can't be written: \(systemMessage(errno))")
    }
    let bytes = Array(text.utf8)
    var number = Output.write(bytes.span, to: descriptor)
    if close(descriptor) != 0, number == 0 { number = errno }
    guard number == 0 else { throw CommandFailure(.io, "\(path) can't be written: \(systemMessage(number))") }
  }
}
