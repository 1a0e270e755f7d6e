import Foundation
import Glibc
import Testing
import VaultCrypto
import VaultFormat

/// Whatever a command makes is its owner's alone.
@Suite struct ModeTests {
  /// Whether folders have default access lists here.
  private static let hasAccessLists = (try? Bench(withVault: false).openByDefault()) ?? false

  /// Commands that make or change files, in an order in which each finds what it needs; `@` is the folder.
  private static let commands = [
    "init --dev --quiet", "keygen --out @/new.key", "put ada", "put bob", "delete bob --yes", "compact",
    "compact --shred", "rotate", "key add --new-key file:@/new.key", "key remove 2", "backup @/copy.tv",
    "backup @/copy.tv --replace", "put cleo", "restore @/copy.tv --accept-rollback --reason test",
    "restore @/copy.tv --vault @/restored.tv",
    "pin write @/pin", "pin write @/pin", "rekey --new-key file:@/vault.tv.key",
    "key change --new-key file:@/new.key", "init --vault @/other.tv --key file:@/new.key",
  ]

  /// Runs a command under a mask that takes nothing away.
  private static func run(_ command: String, on bench: Bench) throws -> Outcome {
    var call = Call("-c", #"umask 000; exec "$0" "$@""#, Bench.program)
    call.program = "/bin/sh"
    call.arguments += Call(line: command, on: bench).arguments
    call.input = .bytes(Array(#"{"access_token":"t"}"#.utf8))
    return try bench.run(call)
  }

  // Defends: after each command all files in the folder are their owner's alone, whatever the process's mask says.
  @Test func filesAreTheirOwnersAlone() throws { try runAll(isListed: false) }

  // Defends: the same in a folder whose default access list gives them to others by name too.
  @Test(.enabled(if: hasAccessLists, "there are no default access lists here"))
  func filesInAnOpenFolderAreTheirOwnersAlone() throws { try runAll(isListed: true) }

  private func runAll(isListed: Bool) throws {
    let bench = try Bench(withVault: false)
    if isListed { try #require(try bench.openByDefault()) }
    for command in Self.commands {
      let outcome = try Self.run(command, on: bench)
      #expect(outcome.code == 0, "\(command): \(outcome.errors)")
      #expect(try bench.modes().values.allSatisfy { $0 == 0o600 }, "\(command)")
    }
    #expect(try Set(bench.modes().keys).isSuperset(of: ["vault.tv", "vault.tv.lock", "restored.tv", "copy.tv", "pin"]))
  }

  // Defends: and an export's, which may take no right from its owner either.
  @Test func anExportIsItsOwnersAlone() throws {
    let bench = try Bench()
    try bench.put("ada")
    for mask in ["000", "777"] {
      var call = Call("-c", "umask \(mask); exec \"$0\" \"$@\"", Bench.program)
      call.program = "/bin/sh"
      call.arguments += Call(line: "export --to jsonl --reveal --out @/out-\(mask)", on: bench).arguments
      let outcome = try bench.run(call)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(try bench.modes()["out-\(mask)"] == 0o600, "mask \(mask)")
    }
  }

  // Defends: the same of what is kept aside: the copy of a torn tail, what a salvage could not open, and the vault that it
  // makes.
  @Test(.enabled(if: hasAccessLists, "there are no default access lists here"))
  func whatIsKeptAsideIsItsOwnersAlone() throws {
    let bench = try Bench()
    try FileManager.default.removeItem(atPath: bench.vault + ".lock")
    try #require(try bench.openByDefault())
    for name in ["ada", "bob"] { try bench.put(name) }
    try FileManager.default.removeItem(atPath: bench.vault + ".lock")
    var bytes = try bench.contents(of: bench.vault)
    bytes.removeLast(60)
    try bench.write(bytes, to: "vault.tv")
    #expect(try Self.run("put cleo", on: bench).code == 0)
    bytes[900] ^= 1
    try bench.write(bytes, to: "damaged.tv")
    #expect(try Self.run("salvage @/damaged.tv @/saved.tv", on: bench).code == 6)
    let modes = try bench.modes()
    #expect(modes.values.allSatisfy { $0 == 0o600 }, "\(modes)")
    #expect(modes["saved.tv"] != nil && modes["saved.tv.unopened"] != nil)
    #expect(modes.keys.contains { $0.contains(".torn-") })
  }
}
