private import FoundationEssentials
internal import VaultCrypto

/// Makes all test vectors of our own. The same program makes the same bytes.
package enum VectorGenerator {
  /// One file.
  package struct File: Sendable {
    /// `vaults/header_good.tv-vector`
    package let path: String
    /// All of it.
    package let bytes: [UInt8]
  }

  /// Every file of `vaults` and `records`.
  ///
  /// - Throws: ``VectorError`` when a primitive fails.
  package static func files() throws(VectorError) -> [File] {
    do throws(CryptoError) {
      var files: [File] = []
      for recipe in Recipe.all {
        files.append(File(path: "vaults/\(recipe.name).tv-vector", bytes: try recipe.scenario().serialized()))
      }
      return try files + RecordVectors.files()
    } catch {
      throw .unreadable("the vectors can't be made: \(error.sentence)")
    }
  }

  /// Writes every file into the folder `path`, which is made where it is missing. What is not generated stays.
  ///
  /// - Returns: the number of files.
  package static func generate(into path: String) throws(VectorError) -> Int {
    let files = try files()
    do {
      for folder in ["vaults", "records"] {
        try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
      }
      for file in files { try Data(file.bytes).write(to: URL(filePath: "\(path)/\(file.path)")) }
    } catch {
      throw .unreadable("the vectors can't be written to \(path)")
    }
    return files.count
  }
}
