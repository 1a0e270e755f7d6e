internal import CSystemShims
internal import Glibc

/// One function per system call: retries where the call was interrupted, and turns `errno` into a sentence with the path.
enum SystemCall {
  /// open(2). Never follows a symbolic link, and never returns one of the three standard descriptors.
  static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(VaultError) -> Int32 {
    let descriptor = retry { unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode) }
    guard descriptor >= 0 else { throw failure("open", path) }
    guard descriptor > 2 else {
      _ = Glibc.close(descriptor)
      throw VaultError(
        .io, "standard input, output or error is closed, and the vault must not take its place",
        remedy: "start the program with all three open, /dev/null if need be")
    }
    return descriptor
  }

  /// open(2) of a file that is not there yet, for its owner alone whatever the process's mask says.
  static func create(_ path: String) throws(VaultError) -> Int32 {
    let descriptor = try open(path, O_RDWR | O_CREAT | O_EXCL)
    guard fchmod(descriptor, 0o600) == 0 else {
      let error = failure("fchmod", path)
      _ = Glibc.close(descriptor)
      unlink(path)
      throw error
    }
    return descriptor
  }

  /// Has reads leave the time of the file's last reading alone, where it is this user's: else the next sync would write it.
  static func keepReadingTime(of descriptor: Int32) {
    // `O_NOATIME`, which the module lacks.
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK | 0o1000000)
  }

  /// fstat(2).
  static func status(of descriptor: Int32, _ path: String) throws(VaultError) -> stat {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat", path) }
    return status
  }

  /// The clock by which the kernel stamps files, in nanoseconds since 1970; clock_gettime(2), without a system call.
  static func fileTime() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return time.nanoseconds
  }

  /// lstat(2); `nil` when there is nothing at the path.
  static func status(at path: String) throws(VaultError) -> stat? {
    var status = stat()
    if unsafe lstat(path, &status) == 0 { return status }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw failure("lstat", path)
  }

  /// Which file stands at the path, whatever it is; statx(2) without its times, since who asks for those makes the next sync
  /// dearer by half. `nil` when there is nothing.
  static func identity(at path: String) throws(VaultError) -> FileIdentity? {
    var (device, inode): (UInt64, UInt64) = (0, 0)
    if unsafe tv_identity(path, &device, &inode) == 0 { return FileIdentity(device: device, inode: inode) }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw failure("statx", path)
  }

  /// Bytes of a file; statx(2) without its times.
  static func length(of descriptor: Int32, _ path: String) throws(VaultError) -> UInt64 {
    var length: UInt64 = 0
    guard unsafe tv_length(descriptor, &length) == 0 else { throw failure("statx", path) }
    return length
  }

  /// pread(2), until `output` is full or the file ends.
  static func read(
    _ descriptor: Int32, at offset: UInt64, into output: inout OutputSpan<UInt8>, _ path: String
  ) throws(VaultError) {
    try unsafe output.withUnsafeMutableBufferPointer { (buffer, count) throws(VaultError) in
      var place = offset
      while count < buffer.count {
        let start = unsafe buffer.baseAddress.map { unsafe $0 + count }
        let room = buffer.count - count
        let read = retry { unsafe pread(descriptor, start, room, off_t(place)) }
        guard read >= 0 else { throw failure("pread", path) }
        if read == 0 { return }
        count += read
        place += UInt64(read)
      }
    }
  }

  /// pwrite(2), until all is written.
  static func write(_ descriptor: Int32, _ bytes: Span<UInt8>, at offset: UInt64, _ path: String) throws(VaultError) {
    try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(VaultError) in
      var done = 0
      while done < buffer.count {
        let start = unsafe buffer.baseAddress.map { unsafe $0 + done }
        let left = buffer.count - done
        let written = retry { unsafe pwrite(descriptor, start, left, off_t(offset) + off_t(done)) }
        guard written > 0 else { throw failure("pwrite", path) }
        done += written
      }
    }
  }

  /// ftruncate(2).
  static func resize(_ descriptor: Int32, to length: UInt64, _ path: String) throws(VaultError) {
    guard retry({ ftruncate(descriptor, off_t(length)) }) == 0 else { throw failure("ftruncate", path) }
  }

  /// fdatasync(2). An interruption is a failure too: what was written then is not known.
  static func sync(_ descriptor: Int32, _ path: String) throws(VaultError) {
    guard fdatasync(descriptor) == 0 else { throw failure("fdatasync", path) }
  }

  /// fsync(2) of a directory, which makes the names in it durable.
  static func syncDirectory(_ path: String) throws(VaultError) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
  }

  /// renameat2(2) that does not replace; link(2) and unlink(2) on file systems without it.
  static func renameWithoutReplacing(_ source: String, _ target: String) throws(VaultError) {
    if unsafe tv_rename_without_replacing(source, target) == 0 { return }
    if errno == EINVAL || errno == ENOSYS {
      guard unsafe link(source, target) == 0 else { throw failure("link", target) }
      unlink(source)
      return
    }
    throw failure("rename", target)
  }

  /// rename(2), which replaces what has the name.
  static func rename(_ source: String, _ target: String) throws(VaultError) {
    guard unsafe Glibc.rename(source, target) == 0 else { throw failure("rename", target) }
  }

  /// unlink(2). That there is nothing to remove, or that it can't be removed, is not an error.
  static func unlink(_ path: String) { unsafe _ = Glibc.unlink(path) }

  /// flock(2) without waiting; false when another holds the lock.
  static func tryLock(_ descriptor: Int32, _ mode: LockMode, _ path: String) throws(VaultError) -> Bool {
    let operation = (mode == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB
    if retry({ flock(descriptor, operation) }) == 0 { return true }
    if errno == EWOULDBLOCK { return false }
    throw failure("flock", path)
  }

  /// flock(2): gives the lock up, also for a child process that has inherited the descriptor.
  static func unlock(_ descriptor: Int32) { _ = flock(descriptor, LOCK_UN) }

  private static func retry<Number: SignedInteger>(_ call: () -> Number) -> Number {
    while true {
      let result = call()
      if result != -1 || errno != EINTR { return result }
    }
  }

  /// The error of a call that has just failed.
  static func failure(_ call: StaticString, _ path: String) -> VaultError {
    let number = errno
    let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    let sentence = "\(path): \(reason) (\(call))"
    switch number {
    case ENOSPC, EDQUOT, EFBIG:
      return VaultError(
        .diskFull, sentence, remedy: "make room and try again; the vault is as it was", systemError: number)
    case ENOENT: return VaultError(.noVault, sentence, systemError: number)
    case ELOOP: return VaultError(.notAVaultFile, "\(path) is a symbolic link", systemError: number)
    case EEXIST: return VaultError(.conflict, "\(path) exists already", systemError: number)
    case EROFS: return VaultError(.readOnly, sentence, systemError: number)
    default: return VaultError(.io, sentence, systemError: number)
    }
  }
}
