import Glibc
import Testing
import VaultLaboratory

@testable import VaultEngine

/// A real file system without room.
@Suite struct FullDiskTests {
  /// A file system of 256 KiB, mounted as long as the object lives.
  private final class SmallDisk {
    let directory: TemporaryDirectory
    let root: String
    let filler: DiskFiller

    /// Whether this process may mount; only root may, and not in every container.
    static let isPermitted = (try? SmallDisk()) != nil

    init() throws {
      directory = try TemporaryDirectory()
      root = directory.path("small")
      filler = DiskFiller(in: root)
      guard unsafe mkdir(root, 0o700) == 0 else { throw HelperError.system(errno) }
      guard unsafe mount("tmpfs", root, "tmpfs", 0, "size=256k") == 0 else {
        throw HelperError.system(errno)
      }
    }

    deinit { unsafe _ = umount(root) }

    /// What `body` gives. What it throws is thrown on, and what the disk looked like then is recorded: an empty disk has been said
    /// to be full once.
    func explaining<Value>(_ body: () throws -> Value) throws -> Value {
      do {
        return try body()
      } catch {
        var status = statvfs()
        unsafe _ = statvfs(root, &status)
        Issue.record("\(status.f_bfree) of \(status.f_blocks) blocks free, \(status.f_ffree) inodes; \(try names())")
        throw error
      }
    }

    func names() throws -> [String] { try directory.names(in: "small") }
  }

  // Defends: on a full disk nothing of a batch is visible, the error says so, and the same handle works once there is room;
  // a torn tail that can't be kept aside is not cut, and attempts leave no litter.
  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a small file system needs root"))
  func aDiskWithoutRoom() throws {
    let disk = try SmallDisk()
    let path = "\(disk.root)/vault"
    let vault = try disk.explaining { try Vault.create(at: path, credential: key()) }
    try vault.commit([.put("alice", [1])])
    let large = [UInt8](repeating: 2, count: 100_000)

    try disk.filler.fill(leaving: 40_000)
    for _ in 0..<3 {
      #expect(try code { try vault.commit([.put("small", [1]), .put("large", large)]) } == .diskFull)
      #expect(try vault.contents() == ["alice": [1]])
    }
    #expect(try Vault.verify(at: path, credential: key()).tornBytes == 0)
    disk.filler.empty()
    try vault.commit([.put("small", [1]), .put("large", large)])
    #expect(try vault.contents() == ["alice": [1], "small": [1], "large": large])

    let torn = try disk.directory.read("small/vault").dropLast(10)
    try disk.directory.overwrite("small/vault", with: Array(torn))
    try disk.filler.fill(leaving: 40_000)
    let writer = try Vault.open(at: path, credential: key())
    for _ in 0..<3 { #expect(try code { try writer.commit([.put("bob", [1])]) } == .diskFull) }
    #expect(try disk.names() == [DiskFiller.name, "vault", "vault.lock"])
    #expect(try disk.directory.read("small/vault") == Array(torn))
    disk.filler.empty()
    try writer.commit([.put("bob", [1])])
    #expect(try writer.contents() == ["alice": [1], "bob": [1]])
  }

  // Defends: on a full disk no vault is made, nor a part of one.
  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a small file system needs root"))
  func creatingWithoutRoom() throws {
    let disk = try SmallDisk()
    try disk.filler.fill(leaving: 0)
    #expect(try code { _ = try Vault.create(at: "\(disk.root)/vault", credential: key()) } == .diskFull)
    #expect(try disk.names() == [DiskFiller.name, "vault.lock"])
    disk.filler.empty()
    _ = try disk.explaining { try Vault.create(at: "\(disk.root)/vault", credential: key()) }
  }
}
