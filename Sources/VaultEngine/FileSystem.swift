internal import CSystemShims
internal import Glibc

/// The file system that a path lies on: statfs(2).
package struct FileSystem: Sendable {
  /// What a vault can expect of it.
  package enum Kind: Sendable {
    /// A disk of this machine: locks and flushes hold.
    case local
    /// It is gone when the machine stops.
    case memory
    /// Locks and flushes are another machine's affair, or another program's.
    case network
    /// Of a container, whose upper layer usually goes away with it.
    case layered
    /// Not one that is known here.
    case unknown
  }

  /// Its name, such as `xfs`; its magic number where that is not known.
  package let name: String
  package let kind: Kind
  /// Bytes that this user may still write.
  package let free: UInt64

  /// - Throws: `io`, `no-vault` when there is nothing at `path`.
  package init(of path: String) throws(VaultError) {
    var type: UInt32 = 0
    var free: UInt64 = 0
    guard unsafe tv_file_system(path, &type, &free) == 0 else { throw SystemCall.failure("statfs", path) }
    let known = Self.known[type]
    name = known?.name ?? "0x" + String(type, radix: 16)
    kind = known?.kind ?? .unknown
    self.free = free
  }

  /// By the numbers of linux/magic.h, and of the file systems' own headers.
  private static let known: [UInt32: (name: String, kind: Kind)] = [
    0xef53: ("ext2, 3 or 4", .local), 0x5846_5342: ("xfs", .local), 0x9123_683e: ("btrfs", .local),
    0x2fc1_2fc1: ("zfs", .local), 0xf2f5_2010: ("f2fs", .local), 0xca45_1a4e: ("bcachefs", .local),
    0x0102_1994: ("tmpfs", .memory), 0x8584_58f6: ("ramfs", .memory),
    0x6969: ("nfs", .network), 0xff53_4d42: ("cifs", .network), 0xfe53_4d42: ("smb2", .network),
    0x0102_1997: ("9p", .network), 0x00c3_6400: ("ceph", .network), 0x6573_5546: ("fuse", .network),
    0x5346_414f: ("afs", .network), 0x0bd0_0bd0: ("lustre", .network), 0x794c_7630: ("overlay", .layered),
  ]
}
