private import FoundationEssentials

/// Finds and reads vector files.
enum VectorFolder {
  private static let extensions = [".rsp", ".txt", ".json"]
  /// Bytes. NIST's largest file has 10 MB.
  private static let largestFile = 1 << 28

  /// `path` itself if it is a file; if it is a folder, the vector files at any depth in it, sorted.
  ///
  /// - Throws: ``VectorError/Code/unreadable`` when there is nothing at `path`, or no vector file in the folder.
  static func files(at path: String) throws(VectorError) -> [String] {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .unreadable("there is no file or folder at this path")
    }
    guard isFolder else { return [path] }
    let found: [String]
    do {
      found = try FileManager.default.subpathsOfDirectory(atPath: path)
    } catch {
      throw .unreadable("the folder can't be listed")
    }
    let names = found.filter { (name) in extensions.contains { name.hasSuffix($0) } }.sorted()
    guard !names.isEmpty else { throw .unreadable("no .rsp, .txt or .json file is in this folder") }
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    return names.map { "\(folder)/\($0)" }
  }

  /// The bytes of the file at `path`.
  ///
  /// - Throws: ``VectorError/Code/unreadable`` when it is not an ordinary file, too large, or can't be read.
  static func contents(of path: String) throws(VectorError) -> [UInt8] {
    let manager = FileManager.default
    // A named pipe would keep the reader waiting; what a symbolic link points to is what counts.
    let target = (try? manager.destinationOfSymbolicLink(atPath: path)) == nil ? path : resolved(path)
    guard let attributes = try? manager.attributesOfItem(atPath: target),
      attributes[.type] as? FileAttributeType == .typeRegular
    else { throw .unreadable("this is not an ordinary file") }
    guard let size = (attributes[.size] as? any BinaryInteger).map({ Int(clamping: $0) }), size <= largestFile else {
      throw .unreadable("the file is larger than 256 MiB")
    }
    guard let data = manager.contents(atPath: target) else { throw .unreadable("the file can't be read") }
    return Array(data)
  }

  private static func resolved(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().path }
}
