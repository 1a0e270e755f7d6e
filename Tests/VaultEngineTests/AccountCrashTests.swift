import Logging
import Metrics
import Testing
import TokenVault
import VaultLaboratory

@testable import VaultEngine

/// Accounts on a simulated disk.
@Suite struct AccountCrashTests {
  // Defends: at every moment at which the power may go, an entry and the event of what was done to it are both there or
  // neither is; so is a read that was gathered, with the write that took it along.
  @Test func eventIfAndOnlyIfEntry() throws {
    let disk = SimulatedDisk()
    let store = TokenStore(
      try Vault.create(.simulated(disk, seed: 1), credential: key()), logger: Logger(label: "test"),
      metrics: NOOPMetricsHandler.instance)
    let id = try TokenID(user: "mara", provider: "reddit")
    try store.setReadAuditing(.on)
    let start = disk.journal.count
    let json = Array(#"{"refresh_token":"r","access_token":"a"}"#.utf8)
    try store.link(NewAccount(ProviderAccount(id: "t2_a"), token: OAuthToken(json: json.span)), for: id)
    _ = try store.token(for: id)
    try store.revoke(id)
    try store.unlink(id)
    var met: Set<[AuditEvent.Kind]> = []
    for point in start...disk.journal.count {
      var images = CrashImages(of: disk, at: point, budget: 64, seed: UInt64(point))
      for image in images.all() {
        let vault = try Vault.open(.simulated(SimulatedDisk(image), seed: 9), credential: key(), options: .reading)
        let found = TokenStore(vault)
        var kinds: [AuditEvent.Kind] = []
        try found.events { (event) in
          kinds.append(event.kind)
          return true
        }
        let account = try found.account(of: id)
        let expected: [AuditEvent.Kind] =
          switch account.map({ $0.revoked != nil }) {
          case nil: kinds.count > 1 ? [.configured, .linked, .revoked, .read, .unlinked] : [.configured]
          case false?: [.configured, .linked]
          case true?: [.configured, .linked, .revoked, .read]
          }
        #expect(kinds == expected, "point \(point)")
        met.insert(kinds)
      }
    }
    #expect(met.count == 4)
  }
}
