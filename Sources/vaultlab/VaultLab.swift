import ArgumentParser
import Glibc
import VaultCrypto
import VaultLaboratory

/// The command `vaultlab`: tries to break what TokenVault promises.
@main
struct VaultLab: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vaultlab",
    abstract: "Try to break every promise of a vault: spec/TESTING.md says which, and how.",
    discussion: "Each part prints what it tried and what it found, and exits with 1 when a promise did not hold.",
    subcommands: [
      PowerCutsCommand.self, NestedCutsCommand.self, LyingDiskCommand.self, NoncesCommand.self, KillsCommand.self,
      KillsChildCommand.self, FailingCallsCommand.self, CallsCommand.self, ModelCommand.self, BytesCommand.self,
      StructureCommand.self,
    ])

  static func main() {
    CryptoLibrary.startLean()
    main(nil)
  }
}

extension Report {
  /// Writes one line for each count and each violation.
  ///
  /// - Throws: the exit code 1 when a promise did not hold, or when nothing was tried at all.
  func finish(_ part: String, since start: ContinuousClock.Instant) throws {
    let seconds = Int((ContinuousClock.now - start) / .seconds(1))
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) { print("\(part) \(name) \(count)") }
    for violation in violations { print("\(part) VIOLATION \(violation)") }
    print("\(part) violations \(violationCount)")
    print("\(part) seconds \(seconds)")
    fflush(nil)
    if violationCount > 0 || counts.isEmpty { throw ExitCode(1) }
  }
}
