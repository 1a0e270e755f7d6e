import Glibc

/// Who holds a lock on a file, as the kernel tells.
enum LockHolders {
  /// Whether the process has a flock(2) on the file at `path`.
  static func holds(_ process: pid_t, _ path: String) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, let bytes = SmallFile.read("/proc/locks") else { return false }
    // 1: FLOCK  ADVISORY  WRITE 4711 fd:00:131 0 EOF
    return bytes.split(separator: UInt8(ascii: "\n")).contains { (line) in
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard words.count > 5, words[1] == "FLOCK" else { return false }
      return words[4] == "\(process)" && words[5].hasSuffix(":\(status.st_ino)")
    }
  }
}
