import Foundation
import Testing

/// Every maintenance command on the smallest vaults there are.
@Suite struct SmallestVaultsTests {
  enum Kind: CaseIterable { case empty, oneToken, allDeleted }

  private func bench(_ kind: Kind) throws -> Bench {
    let bench = try Bench()
    try #require(bench.run("keygen", "--out", bench.folder + "/second.key").code == 0)
    switch kind {
    case .empty: break
    case .oneToken: try bench.put("ada")
    case .allDeleted:
      for name in ["ada", "bob"] {
        try bench.put(name)
        try #require(bench.run("delete", name, "--yes").code == 0)
      }
    }
    return bench
  }

  /// Commands that the vault is as good after as before, one group to a vault; `@` is the folder, and a code stands before those
  /// that don't end with 0.
  private static let groups = [
    [
      "verify", "verify --json", "inspect", "inspect --frames", "inspect --json", "doctor", "key list",
      "compact --dry-run", "5 key remove 1", "upgrade --legacy-key file:@/second.key --dry-run",
      "upgrade --legacy-key file:@/second.key",
      "pin write @/pin", "pin show @/pin", "verify --pin @/pin", "pin write @/pin",
    ],
    ["compact", "compact --shred"], ["rotate"], ["rekey --new-key file:@/vault.tv.key"],
    ["key add --new-key file:@/second.key", "key remove 2"],
    ["key change --new-key file:@/second.key", "key change --key file:@/second.key --new-key file:@/vault.tv.key"],
    ["backup @/copy.tv", "verify --vault @/copy.tv", "restore @/copy.tv --dry-run", "restore @/copy.tv"],
    ["backup @/copy.tv", "restore @/copy.tv --vault @/restored.tv"],
    ["salvage @/vault.tv @/saved.tv --dry-run", "salvage @/vault.tv @/saved.tv", "verify --vault @/saved.tv"],
  ]

  // Defends: each command does its work where there is nothing, or next to nothing, to do it on; the vault is whole then, holds
  // what it held, and takes the next token.
  @Test(arguments: groups, Kind.allCases)
  func everyCommand(_ group: [String], _ kind: Kind) throws {
    let bench = try bench(kind)
    let list = try bench.run("list", "--json").text
    for command in group {
      let code = Int32(command.prefix { $0.isNumber }) ?? 0
      let outcome = try bench.run(Call(line: command.drop { $0.isNumber }.description, on: bench))
      #expect(outcome.code == code, "\(command): \(outcome.text)\(outcome.errors)")
    }
    #expect(try bench.run("list", "--json").text == list)
    #expect(try bench.run("get", "ada").code == (kind == .oneToken ? 0 : 3))
    #expect(try bench.run("verify").code == 0)
    try bench.put("next")
    #expect(try bench.run("get", "next").text == "secret-value\n")
    for name in ["copy.tv", "restored.tv", "saved.tv"] {
      let path = bench.folder + "/" + name
      guard FileManager.default.fileExists(atPath: path) else { continue }
      #expect(try bench.run("list", "--json", "--vault", path).lines.count == (kind == .oneToken ? 1 : 0))
    }
  }
}
