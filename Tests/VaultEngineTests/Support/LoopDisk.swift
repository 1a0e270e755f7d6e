import Glibc
import VaultLaboratory

/// A small ext4 on a loop device, mounted as long as the object lives.
final class LoopDisk {
  private let directory: TemporaryDirectory
  let root: String
  let filler: DiskFiller
  private let device: String

  /// Whether this process may make one: only root may, and not in every container.
  static let isPermitted = (try? LoopDisk()) != nil

  init() throws {
    directory = try TemporaryDirectory()
    root = directory.path("mounted")
    filler = DiskFiller(in: root)
    let image = directory.path("image")
    guard unsafe mkdir(root, 0o700) == 0 else { throw HelperError.system(errno) }
    let descriptor = unsafe open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600 as mode_t)
    guard descriptor >= 0, ftruncate(descriptor, 8 << 20) == 0, close(descriptor) == 0 else {
      throw HelperError.system(errno)
    }
    try Self.run("/usr/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image)
    device = try Self.run("/usr/sbin/losetup", "--find", "--show", image)
    do {
      try mount()
    } catch {
      _ = try? Self.run("/usr/sbin/losetup", "--detach", device)
      throw error
    }
  }

  deinit {
    unsafe _ = umount2(root, Int32(MNT_DETACH))
    _ = try? Self.run("/usr/sbin/losetup", "--detach", device)
  }

  @discardableResult
  private static func run(_ program: String, _ arguments: String...) throws -> String {
    let process = try ChildProcess([program] + arguments, errors: "/dev/null")
    let (output, code) = process.finish()
    guard code == 0 else { throw HelperError.system(EIO) }
    return String(decoding: output, as: UTF8.self).split(separator: "\n").first.map { String($0) } ?? ""
  }

  private func mount(_ flags: UInt = 0, _ options: String? = nil) throws {
    try Self.whenNobodyHoldsIt { unsafe Glibc.mount(device, root, "ext4", flags, options) }
  }

  /// Takes it off and mounts it again, which has the file system repair itself by its journal. Nobody may have a file of it open.
  func mountAgain() throws {
    try Self.whenNobodyHoldsIt { unsafe umount2(root, 0) }
    try mount()
  }

  /// Repeats a call that is refused while a file is open: children that other tests have just forked hold copies of all
  /// descriptors of this process, for a moment or until they are waited for.
  private static func whenNobodyHoldsIt(_ call: () -> Int32) throws {
    let end = ContinuousClock.now + .seconds(60)
    while call() != 0 {
      guard errno == EBUSY, .now < end else { throw HelperError.system(errno) }
      usleep(2000)
    }
  }

  /// Lets nobody write any more, or everybody again; nobody may have a file open for writing.
  func makeReadOnly(_ isReadOnly: Bool) throws {
    try mount(UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0))
  }

  /// What the file system does by itself when it meets damage: it writes no more, also for those who have files open.
  func abort() throws { try mount(UInt(MS_REMOUNT), "abort") }

  /// Pulls the plug: what was not synced is lost, and every call fails from now on. `EXT4_IOC_SHUTDOWN` without flushing the
  /// journal.
  func shutDown() throws {
    let descriptor = unsafe open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HelperError.system(errno) }
    defer { _ = close(descriptor) }
    var flag: UInt32 = 2
    guard unsafe ioctl(descriptor, 0x8004_587d, &flag) == 0 else { throw HelperError.system(errno) }
  }

  func names() throws -> [String] { try directory.names(in: "mounted").filter { $0 != "lost+found" } }
}
