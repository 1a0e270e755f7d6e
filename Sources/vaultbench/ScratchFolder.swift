import ArgumentParser
import Glibc

/// A new folder for files that nobody needs afterwards.
struct ScratchFolder {
  /// Where it is.
  let path: String

  /// - Throws: when no folder can be made in `parent`.
  init(in parent: String) throws {
    var template = Array((parent + "/vaultbench-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw ValidationError("no folder can be made in \(parent)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes the folder and the files in it, as far as that can be done.
  func remove() {
    guard let entries = unsafe opendir(path) else { return }
    while let entry = unsafe readdir(entries) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { (name) in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { _ = unsafe unlink(path + "/" + name) }
    }
    _ = unsafe closedir(entries)
    _ = unsafe rmdir(path)
  }
}
