import Testing
import VaultCrypto
import VaultLaboratory

@testable import VaultEngine

/// A source of random bytes that fails: nothing is ever sealed with fewer.
@Suite struct FailingRandomTests {
  enum Doing: CaseIterable, Sendable {
    case create, commit, addKey, compact, rotate, rekey

    func run(on environment: Environment) throws {
      switch self {
      case .create: try Vault.create(environment, credential: key()).close()
      case .commit: try Vault.open(environment, credential: key()).commit([.put("next", [1]), .put("one", [2])])
      case .addKey: try Vault.open(environment, credential: key()).addKey(key(8))
      case .compact: try Verb.compact.run(on: environment)
      case .rotate: try Verb.rotate.run(on: environment)
      case .rekey: try Verb.rekey.run(on: environment)
      }
    }
  }

  // Defends: whichever draw fails, that is the error, the vault is as it was, and no file is left behind.
  @Test(arguments: Doing.allCases) func everyDraw(_ doing: Doing) throws {
    let image = doing == .create ? DiskImage() : try Trace(Trace.ordinary, seed: 181).disk.cache
    var failures = 0
    while failures < 1000 {
      let (disk, draws) = (SimulatedDisk(image), failures)
      var environment = Environment.simulated(disk, seed: 182)
      environment.makeRandom = { () throws(CryptoError) in
        AnyRandomSource(EndingRandom(random: SeededRandom(seed: 183), left: draws))
      }
      let failed = try code { try doing.run(on: environment) }
      if failed == nil { break }
      #expect(failed == .cryptoFailure, "draw \(draws)")
      #expect(disk.cache.names == image.names && disk.cache["vault"] == image["vault"], "draw \(draws)")
      failures += 1
    }
    #expect((2..<1000).contains(failures))
  }
}
