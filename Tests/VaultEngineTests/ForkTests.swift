import Glibc
import Testing
import VaultLaboratory

@testable import VaultEngine

/// A process that is forked while a vault is open.
@Suite struct ForkTests {
  // Defends: a child that uses a handle of its parent's is told so, changes nothing, and the parent goes on; a handle that the
  // child opens is its own.
  @Test func aChildWithAHandleOfItsParent() throws {
    let directory = try TemporaryDirectory()
    let vault = try Vault.create(at: directory.path("vault"), credential: key())
    for number in 0..<8 { try vault.commit([.put("alice", [UInt8(number)])]) }
    let before = try directory.read("vault")
    let batch = try VaultBatch.of([.put("bob", [1])])
    // All that the child runs has run before: it has one thread, and what others were loading stays half loaded.
    #expect(try code { _ = try vault.value(of: "nobody") } == nil)
    #expect(try code { throw VaultError(.handleFailed, "") } == .handleFailed)
    let child = try Self.fork()
    if child == 0 {
      _ = alarm(60)
      _exit(Self.statusOfUse(of: vault, batch))
    }
    var status: Int32 = 0
    unsafe #expect(waitpid(child, &status, 0) == child)
    #expect(status == 0, "the child ended with \(status)")
    #expect(try directory.read("vault") == before)
    try vault.commit([.put("carol", [2])])
    #expect(try vault.contents() == ["alice": [7], "carol": [2]])
  }

  // Defends: a child that only lets go of its parent's handle, as most do at their end, leaves the file alone: the space ahead that
  // the parent will write to is not cut off.
  @Test func aChildThatLetsGo() throws {
    let directory = try TemporaryDirectory()
    var vault: Vault? = try Vault.create(at: directory.path("vault"), credential: key())
    for number in 0..<8 { try vault?.commit([.put("alice", [UInt8(number)])]) }
    let before = try directory.read("vault")
    #expect(before.last == 0, "there is space ahead")
    let child = try Self.fork()
    if child == 0 {
      _ = alarm(60)
      vault = nil
      _exit(0)
    }
    var status: Int32 = 0
    unsafe #expect(waitpid(child, &status, 0) == child)
    #expect(status == 0, "the child ended with \(status)")
    #expect(try directory.read("vault") == before)
    try vault?.commit([.put("carol", [2])])
    #expect(try vault?.contents() == ["alice": [7], "carol": [2]])
  }

  /// 0 when every use is refused.
  private static func statusOfUse(of vault: Vault, _ batch: consuming VaultBatch) -> Int32 {
    let name: [UInt8] = [1]
    do throws(VaultError) {
      _ = try vault.entry(named: name.span)
      return 1
    } catch {
      guard error.code == .handleFailed else { return 2 }
    }
    do throws(VaultError) {
      try vault.commit(batch)
      return 3
    } catch {
      guard error.code == .handleFailed else { return 4 }
    }
    do throws(VaultError) {
      try vault.close()
      return 5
    } catch {
      return error.code == .handleFailed ? 0 : 6
    }
  }

  /// fork(2), which Swift does not offer.
  static func fork() throws -> pid_t {
    guard let address = unsafe dlsym(nil, "fork") else { throw HelperError.system(errno) }
    let call = unsafe unsafeBitCast(address, to: (@convention(c) () -> pid_t).self)
    return call()
  }
}
