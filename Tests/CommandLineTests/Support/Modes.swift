import Foundation
import Glibc
import Testing

extension Bench {
  /// Modes of all files in the folder, by name, but of those that running on the bench makes.
  func modes() throws -> [String: mode_t] {
    var modes: [String: mode_t] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !name.hasPrefix(".") {
      var status = stat()
      try #require(unsafe lstat(folder + "/" + name, &status) == 0)
      modes[name] = status.st_mode & 0o7777
    }
    return modes
  }

  /// Gives the folder a default access list by which everybody may do everything with what is made in it, one other user by
  /// name too; false where the file system has none.
  func openByDefault() throws -> Bool {
    let program = """
      import os, struct, sys
      entries = [(0x01, 7, -1), (0x02, 7, 4242), (0x04, 7, -1), (0x10, 7, -1), (0x20, 7, -1)]
      value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, bits, id & 0xffffffff) for tag, bits, id in entries)
      os.setxattr(sys.argv[1], "system.posix_acl_default", value)
      """
    var call = Call("-c", program, folder)
    call.program = "/usr/bin/python3"
    return try run(call).code == 0
  }
}
