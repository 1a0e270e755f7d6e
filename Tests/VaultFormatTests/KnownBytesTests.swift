import Testing
import VaultCrypto
import VaultFormat

@Suite struct KnownBytesTests {
  @Test func aWholeFileIsWhatAnotherReaderOpened() throws {
    // Defends: every byte of the format, key derivations, additional data and links included. These digests are of a file
    // that a reader of its own, written in Python on `hashlib` and `cryptography` from the text of the format alone,
    // checked and opened frame by frame, comparing every field with what was sealed.
    let vault = try SmallVault(seed: 42)
    try vault.add([.put(30), .other(0x80), .put(5)])
    try vault.add(SmallVault.checkpoint)
    try vault.add([.put(1)])
    #expect(vault.bytes.count == 6688)
    let digest = try SHA256.digest(of: vault.bytes.span)
    #expect(digest.hex == "6585833547d82bf76862be357511df4a922dae9995338a7af68574cd72203806")
    #expect(vault.chain.link.hex == "68051978e4061bcd02ad537a336439db24e5f26623d8cc53ccade88f9a52ab67")
    var key = try vault.root.lookupKey(of: vault.header)
    let name = Array("name".utf8)
    #expect(try key.tag(of: name.span).hex == "ea584fe86766bdbfcac17e92")
  }
}
