import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// What opens a vault, and what does not.
@Suite struct CredentialTests {
  /// The cheapest scrypt that the format allows.
  private static let cheap = KeySlot.Kind.scrypt(logN: 14, r: 8, p: 1)

  private func disk(passphrase text: String) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    let vault = try Vault.create(
      .simulated(disk, seed: 1), credential: passphrase(text), passphraseCost: Self.cheap)
    try vault.commit([.put("alice", [1])])
    return disk
  }

  private func opening(_ disk: SimulatedDisk, _ credential: borrowing Credential) -> VaultError.Code? {
    do throws(VaultError) {
      _ = try Vault.open(.simulated(disk, seed: 2), credential: credential, options: .reading)
      return nil
    } catch {
      return error.code
    }
  }

  // Defends: a passphrase opens what it made, byte for byte as it was given; anything else is a wrong key, and no damage.
  @Test func passphrases() throws {
    let disk = try disk(passphrase: "caf\u{e9} ")
    #expect(try opening(disk, passphrase("caf\u{e9} ")) == nil)
    for other in ["cafe\u{301} ", "caf\u{e9}", "caf\u{e9}  ", "CAF\u{c9} "] {
      #expect(try opening(disk, passphrase(other)) == .wrongKey)
    }
    #expect(try opening(disk, key()) == .wrongKey, "a key does not open a passphrase's slot")
  }

  // Defends: a wrong key is said to be wrong, also where a tail is torn; damage stays damage whatever the key.
  @Test func wrongKeys() throws {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", [1])])
    var image = disk.cache
    #expect(try opening(SimulatedDisk(image), key(8)) == .wrongKey)
    for file in image.files.keys { image.files[file]?.removeLast(30) }
    #expect(try opening(SimulatedDisk(image), key(8)) == .wrongKey)
    for file in image.files.keys { image.files[file]?[400] ^= 1 }
    #expect(try opening(SimulatedDisk(image), key(8))?.isDamage == true)
  }

  // Defends: a slot that asks for more than the limits allow is refused before it costs anything, whichever credential is
  // given; its checksums and links are right, so that nothing but the limit refuses it.
  @Test(arguments: [(63, 8, 1), (21, 8, 1), (13, 8, 1), (17, 9, 1), (17, 8, 5), (17, 8, 0), (255, 255, 255)])
  func hostileCosts(logN: UInt8, r: UInt8, p: UInt8) throws {
    var image = try disk(passphrase: "x").cache
    let bytes = try #require(image[SimulatedStorage.name])
    let forged = try ForgedVault.changing(bytes) { $0.replaceSubrange(217..<220, with: [logN, r, p]) }
    image.files = [1: forged]
    image.names = [SimulatedStorage.name: 1]
    #expect(try opening(SimulatedDisk(image), passphrase("x")) == .limitExceeded)
    #expect(try opening(SimulatedDisk(image), key()) == .limitExceeded)
    let directory = try TemporaryDirectory()
    try directory.write(forged, to: "vault")
    let path = directory.path("vault")
    #expect(try code { _ = try Vault.verify(at: path, credential: nil) } == .limitExceeded)
    #expect(try Vault.inspect(at: path).damage?.code == .limitExceeded)
  }
}
