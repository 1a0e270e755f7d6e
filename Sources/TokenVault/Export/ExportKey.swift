public import VaultCrypto
public import VaultEngine
internal import VaultFormat

/// The key under which tokens leave a vault sealed: 32 bytes, given for the purpose. It is not a vault's key, and opens none.
public struct ExportKey: Sendable {
  private final class Storage: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    func cipher() throws(VaultError) -> XAES256GCM {
      do throws(CryptoError) {
        let key = try bytes.copy()
        return try XAES256GCM(key: key.span)
      } catch {
        throw VaultError(error)
      }
    }
  }

  private let storage: Storage

  /// - Parameter text: 32 bytes as they are, 64 hexadecimal digits, or base64 of 32 bytes; a line end behind digits is dropped.
  /// - Throws: `no-key` for anything else; `crypto-failure` when there is no memory.
  public init(_ text: consuming SecretBytes) throws(VaultError) {
    var text = text
    if text.count != 32 { text.removeLineEnd() }
    guard let bytes = try text.key() else {
      throw VaultError(
        .noKey, "the export key is none: neither 32 bytes nor hexadecimal or base64 of 32",
        remedy: "'tokenvault keygen' makes one")
    }
    storage = Storage(bytes)
  }

  /// A cipher under this key, for one thread.
  ///
  /// - Throws: `crypto-failure`.
  func cipher() throws(VaultError) -> XAES256GCM {
    try storage.cipher()
  }
}
