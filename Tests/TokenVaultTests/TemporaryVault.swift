import Foundation
import TokenVault

/// A vault in a folder of its own, which goes away with it.
final class TemporaryVault {
  let folder: URL
  let vault: Vault

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tokenvault-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    vault = try Vault.create(at: folder.appending(path: "vault.tv").path, credential: try Self.credential())
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The same key for every vault of the tests.
  static func credential() throws -> Credential {
    try Credential(key: [UInt8](repeating: 7, count: 32).span)
  }

  /// All bytes of the vault file.
  func bytes() throws -> Data { try Data(contentsOf: URL(filePath: vault.path)) }
}

extension OAuthToken {
  init(_ text: String) throws { try self.init(json: Array(text.utf8).span) }

  /// The JSON as it is stored.
  var json: String { withJSON { String(decoding: $0.array, as: UTF8.self) } }
}
