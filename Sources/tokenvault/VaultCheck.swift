import TokenVault
import VaultEngine

/// A verification with its progress shown, and what its findings mean for the command that asked for it.
struct VaultCheck {
  /// What was found.
  let report: VerifyReport
  /// What the vault was held against, if that was no pin.
  private let isHead: Bool

  /// - Parameter mode: when progress is shown.
  /// - Throws: what kept it from looking.
  init(
    _ path: String, _ credential: consuming Credential?, pin: Pin? = nil, head: Head? = nil, _ mode: ProgressMode
  ) throws {
    isHead = head != nil
    var progress = ProgressLine(mode, unit: "MiB")
    defer { progress.end() }
    report = try Vault.verify(at: path, credential: credential, pin: pin, head: head) { (state) in
      progress.show(
        "verify", done: Int(state.bytesDone >> 20), total: Int(state.bytesTotal >> 20),
        part: Double(state.bytesDone) / Double(max(state.bytesTotal, 1)))
    }
  }

  /// The worst finding as the end of a command; `nil` when all is well.
  var failure: CommandFailure? {
    // A bad index is the least that can be found.
    guard let first = report.findings.first(where: { $0.code != .indexDamaged }) ?? report.findings.first else {
      return report.isRollbackExcluded == false ? untold : nil
    }
    let found = counted(report.findings.count, "finding", "findings")
    var failure: CommandFailure
    switch first.code {
    case .rollback: failure = CommandFailure(.rollback, first.sentence, remedy: rollbackRemedy)
    case .indexDamaged:
      failure = CommandFailure(.finding, "the index is damaged, the vault is not: \(found)", remedy: Self.indexRemedy)
    default:
      failure =
        report.isDamaged
        ? CommandFailure(
          .damaged, "the vault is damaged: \(found)", remedy: "nothing was changed; \(VaultError.afterDamage)")
        : CommandFailure(ExitCode(first.code), found)
    }
    failure.kind = first.code.description
    failure.offset = first.offset
    failure.sequence = first.sequence
    return failure
  }

  /// What to do about a damaged index.
  static let indexRemedy =
    "compact the vault, which makes the index anew; until then opening it reads the whole file"

  private var rollbackRemedy: String {
    let remedy = "find out who put an older or another file here; nothing was changed"
    if isHead { return remedy }
    return remedy
      + ". If it was you, and is meant, remove the pin and write a new one with 'tokenvault pin write'"
  }

  private var untold: CommandFailure {
    CommandFailure(
      .finding,
      "the \(isHead ? "head" : "pin") is of an earlier generation, and what is known does not reach back to it",
      remedy: "give the key, with which the vault's history can be read; where it has forgotten that generation, only "
        + "you can know: \(isHead ? "keep the newest head instead" : "remove the pin and write a new one")")
  }
}
