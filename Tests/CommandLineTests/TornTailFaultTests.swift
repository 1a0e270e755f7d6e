import FoundationEssentials
import Testing
import VaultLaboratory

/// How a real command keeps a torn tail, call by call.
@Suite(.enabled(if: StoppedWriter.isPossible, "watching system calls needs strace"))
struct TornTailFaultTests {
  private static let call: Call = {
    var call = Call("put", "carol")
    call.input = .bytes(Array(#"{"access_token":"t"}"#.utf8))
    return call
  }()

  /// A bench, and a way to tear its vault's tail again.
  private func torn() throws -> (bench: Bench, tear: () throws -> Void) {
    let bench = try Bench()
    try bench.put("alice")
    try bench.put("bob")
    let bytes = try Data(contentsOf: URL(filePath: bench.vault)).dropLast(5)
    return (
      bench,
      {
        for copy in try Self.copies(on: bench) { try FileManager.default.removeItem(atPath: copy) }
        try bench.write(Array(bytes), to: "vault.tv")
      }
    )
  }

  private static func copies(on bench: Bench) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { $0.contains(".torn-") }
      .map { bench.folder + "/" + $0 }
  }

  // Defends: a torn tail is copied, the copy synced and its name too, before anything is cut off the vault.
  @Test func theOrderOfCalls() throws {
    let (bench, tear) = try torn()
    try tear()
    let sites = try TracedCall.sites(of: Self.call, on: bench)
    func first(_ name: String, _ part: String) throws -> Int {
      try #require(sites.firstIndex { $0.name == name && $0.line.contains(part) }, "no \(name) of \(part)")
    }
    let order = try [
      first("pwrite64", ".torn-"), first("fdatasync", ".torn-"), first("fsync", ""), first("ftruncate", ""),
    ]
    #expect(order == order.sorted() && Set(order).count == 4, "\(sites.map(\.line))")
    #expect(try Self.copies(on: bench).count == 1)
  }

  // Defends: where one of these calls fails, the command says so, the vault has its tail still, and no half of a copy is left.
  @Test func everyCallFails() throws {
    let (bench, tear) = try torn()
    try tear()
    let sites = try TracedCall.sites(of: Self.call, on: bench)
    let cut = try #require(sites.firstIndex { $0.name == "ftruncate" })
    var failed = 0
    for site in sites[..<cut] where ["pwrite64", "fdatasync", "fsync"].contains(site.name) {
      try tear()
      let before = try Data(contentsOf: URL(filePath: bench.vault))
      let outcome = try TracedCall.fail(Self.call, at: site, with: "EIO", on: bench).outcome
      #expect(outcome.code != 0, "\(site.line)")
      #expect(try Data(contentsOf: URL(filePath: bench.vault)) == before, "\(site.line)")
      if site.line.contains(".torn-") { #expect(try Self.copies(on: bench).isEmpty, "\(site.line)") }
      failed += 1
    }
    #expect(failed >= 3)
  }
}
