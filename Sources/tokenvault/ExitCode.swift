import VaultEngine

/// Every code that the command ends with. Scripts lean on them: none changes its meaning.
enum ExitCode: Int32, CaseIterable {
  case ok = 0
  case failure = 1
  case notFound = 3
  case reauthNeeded = 4
  case conflict = 5
  case finding = 6
  case usage = 64
  case damaged = 65
  case noVault = 66
  case unavailable = 69
  case cannotCreate = 73
  case io = 74
  case locked = 75
  case rollback = 76
  case wrongKey = 77
  case config = 78
  case execFailed = 125
  case cannotExecute = 126
  case programNotFound = 127
  case interrupted = 130

  /// The name in JSON errors.
  var name: String {
    switch self {
    case .ok: "ok"
    case .failure: "failure"
    case .notFound: "not_found"
    case .reauthNeeded: "reauth_needed"
    case .conflict: "conflict"
    case .finding: "finding"
    case .usage: "usage"
    case .damaged: "damaged"
    case .noVault: "no_vault"
    case .unavailable: "unavailable"
    case .cannotCreate: "cannot_create"
    case .io: "io"
    case .locked: "locked"
    case .rollback: "rollback"
    case .wrongKey: "wrong_key"
    case .config: "config"
    case .execFailed: "exec_failed"
    case .cannotExecute: "cannot_execute"
    case .programNotFound: "program_not_found"
    case .interrupted: "interrupted"
    }
  }

  /// When the command ends with it.
  var sentence: String {
    switch self {
    case .ok: "done"
    case .failure: "a failure that has no code of its own"
    case .notFound: "there is no such name, or no such member of the token"
    case .reauthNeeded: "the token has expired, expires sooner than asked or can't be refreshed; the account is revoked"
    case .conflict: "it exists already, or was changed by somebody else; nothing was written"
    case .finding:
      "a check found something: a leaked token, vectors that fail, a damaged index and nothing else, a pin too old to tell"
    case .usage: "wrong arguments, or input that is not what it should be"
    case .damaged: "the vault is damaged; offset and sequence are named, nothing was changed"
    case .noVault: "there is no file at the path"
    case .unavailable: "a program that was asked for a key or for a new token failed"
    case .cannotCreate: "a file or directory can't be made"
    case .io: "reading or writing failed, a full disk among others; the vault is intact"
    case .locked: "another process holds the lock; try again"
    case .rollback: "the vault is older than its pin"
    case .wrongKey: "no key could be had, or it opens no slot; never because of damage"
    case .config: "unsafe permissions, a format too new, no regular file, or no pin where one is named"
    case .execFailed: "exec alone: the program was not started, for any of the reasons above"
    case .cannotExecute: "exec alone: the program can't be executed"
    case .programNotFound: "exec alone: there is no such program; all other codes of exec are the program's own"
    case .interrupted: "interrupted at a prompt, or answered there with no"
    }
  }

  /// The code for what the library reports.
  init(_ code: VaultError.Code) {
    switch code {
    case .wrongKey, .noKey: self = .wrongKey
    case .rollback: self = .rollback
    case .conflict: self = .conflict
    case .notFound: self = .notFound
    case .locked: self = .locked
    case .noVault: self = .noVault
    case .unavailable: self = .unavailable
    case .reauthNeeded: self = .reauthNeeded
    case .cannotCreate: self = .cannotCreate
    case .io, .diskFull, .handleFailed, .readOnly: self = .io
    case .usage, .invalidName, .valueTooLarge, .invalidToken: self = .usage
    case .unsupportedVersion, .unsupportedFeature, .unsafePermissions, .notAVaultFile: self = .config
    // What the limits refuse is a length or a cost in the file that no writer of a sound vault puts there.
    case .limitExceeded: self = .damaged
    // Everything is served: there is something to do, and nothing is lost.
    case .indexDamaged: self = .finding
    default: self = code.isDamage ? .damaged : .failure
    }
  }

  /// The table that `tokenvault help exit-codes` prints.
  static var table: String {
    var table = Table(["CODE", "NAME", "WHEN"])
    for code in allCases { table.add(["\(code.rawValue)", code.name, code.sentence]) }
    return table.text
  }
}
