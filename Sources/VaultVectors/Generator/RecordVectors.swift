internal import VaultCrypto

/// Sealed records under the three suites, in Wycheproof's schema.
enum RecordVectors {
  static func files() throws(CryptoError) -> [VectorGenerator.File] { [] }
}
