private import FoundationEssentials
private import Glibc

/// Finds and reads vector files.
package enum VectorFolder {
  private static let extensions = [".rsp", ".txt", ".json", ".tv-vector"]
  /// Bytes; far above every published file.
  private static let largestFile = 1 << 28

  /// `path` itself if it is a file; if it is a folder, the vector files at any depth in it, sorted.
  ///
  /// - Throws: ``VectorError/Code/unreadable`` when there is nothing at `path`, or no vector file in the folder.
  package static func files(at path: String) throws(VectorError) -> [String] {
    guard try status(of: path).st_mode & S_IFMT == S_IFDIR else { return [path] }
    let found: [String]
    do {
      found = try FileManager.default.subpathsOfDirectory(atPath: path)
    } catch {
      throw .unreadable("the folder can't be listed")
    }
    let names = found.filter(isVectorFile).sorted()
    guard !names.isEmpty else { throw .unreadable("no .rsp, .txt, .json or .tv-vector file is in this folder") }
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    return names.map { "\(folder)/\($0)" }
  }

  /// By the name alone. What stands beside vectors to be read by people is not one of them.
  private static func isVectorFile(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    guard !name.hasPrefix("README"), !name.hasPrefix("LICENSE"), !name.hasPrefix(".") else { return false }
    return extensions.contains { name.hasSuffix($0) }
  }

  /// The bytes of the file at `path`.
  ///
  /// - Throws: ``VectorError/Code/unreadable`` when it is not an ordinary file, too large, or can't be read.
  package static func contents(of path: String) throws(VectorError) -> [UInt8] {
    let status = try status(of: path)
    // A named pipe would keep the reader waiting.
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("this is not an ordinary file") }
    guard status.st_size <= largestFile else { throw .unreadable("the file is larger than 256 MiB") }
    guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable("the file can't be read") }
    return Array(data)
  }

  /// `stat` of what `path` leads to, through symbolic links.
  private static func status(of path: String) throws(VectorError) -> stat {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .unreadable(unsafe String(cString: strerror(errno)))
    }
    return status
  }
}
