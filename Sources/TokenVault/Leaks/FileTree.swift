internal import CSystemShims
internal import Glibc

/// What a path leads to, without following symbolic links.
struct FileFact {
  enum Kind { case file, folder, link, special }

  let kind: Kind
  let device: UInt64
  let inode: UInt64
  /// Bytes of a file.
  let size: UInt64

  init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFLNK: kind = .link
    default: kind = .special
    }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = UInt64(max(0, status.st_size))
  }
}

/// System calls by paths, which are bytes. Each fails with `errno`.
enum FileTree {
  /// Why a call failed.
  struct Failure: Error {
    let number: Int32
  }

  /// lstat(2).
  static func fact(_ path: [UInt8]) throws(Failure) -> FileFact {
    var status = stat()
    let result = unsafe withPath(path) { unsafe lstat($0, &status) }
    guard result == 0 else { throw Failure(number: errno) }
    return FileFact(status)
  }

  /// open(2) of a file to read, which neither follows a link nor waits for a writer of a pipe that took its place.
  static func openFile(_ path: [UInt8]) throws(Failure) -> Int32 { try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) }

  /// close(2).
  static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  /// The paths of what is in a folder, sorted by their bytes: readdir(3).
  static func contents(of folder: [UInt8]) throws(Failure) -> [[UInt8]] {
    let descriptor = try open(folder, O_RDONLY | O_DIRECTORY)
    guard let stream = unsafe fdopendir(descriptor) else {
      let failure = Failure(number: errno)
      _ = Glibc.close(descriptor)
      throw failure
    }
    defer { unsafe _ = closedir(stream) }
    let start = folder.last == UInt8(ascii: "/") ? folder : folder + [UInt8(ascii: "/")]
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw Failure(number: errno) }
        break
      }
      let name = unsafe self.name(of: entry)
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map { start + $0 }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    unsafe withUnsafeBytes(of: &entry.pointee.d_name) { (bytes) in unsafe Array(bytes.prefix { $0 != 0 }) }
  }

  /// Whether a folder is of a file system that the kernel makes up, such as /proc: some of its files never end. statfs(2).
  static func isMadeUp(_ folder: [UInt8]) -> Bool {
    var type: UInt32 = 0
    var free: UInt64 = 0
    let result = unsafe withPath(folder) { unsafe tv_file_system($0, &type, &free) }
    return result == 0 && madeUp.contains(type)
  }

  /// By the numbers of linux/magic.h: proc, sysfs, debugfs, tracefs, cgroup, cgroup2, devpts, securityfs, bpf, configfs, pstore.
  private static let madeUp: [UInt32] = [
    0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x0027_e0eb, 0x6367_7270, 0x1cd1, 0x7363_6673, 0xcafe_4a11,
    0x6265_6570, 0x6165_676c,
  ]

  private static func open(_ path: [UInt8], _ flags: Int32) throws(Failure) -> Int32 {
    let descriptor = unsafe withPath(path) { (path) in
      var result: Int32
      repeat { result = unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW) } while result < 0 && errno == EINTR
      return result
    }
    guard descriptor >= 0 else { throw Failure(number: errno) }
    return descriptor
  }

  private static func withPath<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let characters = path.map { CChar(bitPattern: $0) } + [0]
    return unsafe characters.withUnsafeBufferPointer { (buffer) in
      // It has one element at least.
      guard let address = buffer.baseAddress else { preconditionFailure() }
      return unsafe body(address)
    }
  }
}
