import Foundation
import Testing

/// One way of running one command, and where the secrets that it handles belong.
struct HostScenario: Sendable, CustomTestStringConvertible {
  /// Where a secret may get to.
  enum Place: Hashable, Sendable {
    case output, environment, pipe, memoryFile
    case file(String)
  }

  /// The command, as it is called: `key add`.
  let command: String
  /// All words of the call; `@` is the folder.
  let words: String
  var input = ""
  var code: Int32 = 0
  /// Which canaries belong where; to write any other anywhere is a fault.
  var belongs: [String: Set<Place>] = [:]
  /// A file of the folder that holds a new key in the end.
  var makesKey: String?
  /// Whether it has to do with neither a vault nor a secret.
  var isPublic = false
  /// Whether what it prints is another program's.
  var runsProgram = false
  /// Files that it makes, by names that it is given.
  var makes: [String] = []
  /// Canaries of which the memory may hold copies when the command ends; HostMemoryTests says why.
  var leaves: Set<String> = []
  var testDescription: String { words }

  func call(on stage: HostStage) -> Call {
    var call = Call(line: words, on: stage.bench)
    call.input = .bytes(Array(input.utf8))
    return call
  }
}

extension HostScenario {
  private static let fresh = #"{"access_token":"\#(HostStage.fresh)","refresh_token":"\#(HostStage.freshRefresh)"}"#
  private static let row = #"{"user_id":"zoe","access_token":"\#(HostStage.fresh)"}"#
  private static let both: Set<String> = ["access", "refresh"]

  /// At least one for every command.
  static let all: [HostScenario] = tokens + uses + vaults + exchanges + others

  private static let tokens: [HostScenario] = [
    .init(command: "put", words: "put zoe", input: fresh, leaves: ["fresh"]),
    .init(command: "put", words: "put --jsonl --json", input: row + "\n", leaves: ["fresh"]),
    .init(command: "get", words: "get ada", belongs: ["access": [.output]], leaves: both),
    .init(
      command: "get", words: "get ada --format json", belongs: ["access": [.output], "refresh": [.output]], leaves: both
    ),
    .init(command: "get", words: "get ada --format header", belongs: ["access": [.output]], leaves: both),
    .init(command: "has", words: "has ada", leaves: both),
    .init(command: "show", words: "show ada", leaves: both),
    .init(command: "list", words: "list"),
    .init(command: "delete", words: "delete bob --yes --json"),
    .init(command: "history", words: "history ada"),
    .init(
      command: "refresh", words: "refresh old --valid-for 5m --print -- @/endpoint",
      belongs: [
        "old": [.pipe, .file("/dev/null")], "old refresh": [.pipe, .file("/dev/null")], "renewed": [.pipe, .output],
      ],
      leaves: ["old", "old refresh", "renewed"]),
    .init(
      command: "link", words: "link nina --provider reddit --account t2_nina --keep-access-token --json", input: fresh,
      leaves: ["fresh"]),
    .init(command: "revoke", words: "revoke mara --provider reddit --json"),
    .init(command: "unlink", words: "unlink mara --provider reddit --yes --json"),
  ]

  private static let uses: [HostScenario] = [
    .init(command: "audit log", words: "audit log"),
    .init(command: "audit verify", words: "audit verify"),
    .init(command: "audit reads", words: "audit reads on --json"),
    .init(
      command: "exec", words: "exec --env TOKEN=ada --stdin ada.refresh_token --file FILE=ada --fd 9=ada -- /bin/true",
      belongs: ["access": [.environment, .memoryFile, .pipe], "refresh": [.memoryFile, .pipe]], runsProgram: true,
      leaves: both),
    .init(
      command: "exec", words: "exec --replace --env TOKEN=ada -- /bin/true", belongs: ["access": [.environment]],
      runsProgram: true, leaves: both),
    .init(
      command: "inject", words: "inject --in @/template --out @/filled", belongs: ["access": [.file("filled")]],
      makes: ["filled"], leaves: both),
    .init(
      command: "inject", words: "inject --in @/template", belongs: ["access": [.output]], leaves: both),
    .init(
      command: "redact", words: "redact", input: "x \(HostStage.access) y \(HostStage.refresh) z\n",
      leaves: both.union(["old", "old refresh", "linked"])),
    .init(
      command: "leak-check", words: "leak-check", input: "x \(HostStage.access) y\n", code: 6,
      leaves: both.union(["old", "old refresh", "linked"])),
    .init(command: "scan", words: "scan @/leaked", code: 6, leaves: both.union(["old", "old refresh", "linked"])),
  ]

  private static let vaults: [HostScenario] = [
    .init(
      command: "init", words: "init --dev --vault @/made.tv --json", makesKey: "made.tv.key",
      makes: ["made.tv", "made.tv.key"]),
    .init(
      command: "init", words: "init --passphrase file:@/passphrase --vault @/made.tv --json", makes: ["made.tv"]),
    .init(command: "keygen", words: "keygen --out @/made.key --json", makesKey: "made.key", makes: ["made.key"]),
    .init(command: "keygen", words: "keygen"),
    .init(command: "key list", words: "key list"),
    .init(command: "key add", words: "key add --new-key file:@/new.key --json"),
    .init(command: "key add", words: "key add --new-passphrase file:@/passphrase"),
    .init(command: "key remove", words: "key remove 2 --json"),
    .init(command: "key change", words: "key change --new-key file:@/new.key --json"),
    .init(command: "verify", words: "verify"),
    .init(command: "pin write", words: "pin write @/made.pin --json", makes: ["made.pin"]),
    .init(command: "pin show", words: "pin show @/pin"),
    .init(command: "inspect", words: "inspect"),
    .init(command: "doctor", words: "doctor"),
    .init(command: "stats", words: "stats"),
    .init(command: "compact", words: "compact --json"),
    .init(command: "compact", words: "compact --shred"),
    .init(command: "rotate", words: "rotate --json"),
    .init(command: "rekey", words: "rekey --new-key file:@/new.key --json"),
  ]

  private static let exchanges: [HostScenario] = [
    .init(command: "backup", words: "backup @/made.tv --json", makes: ["made.tv"]),
    .init(command: "restore", words: "restore @/copy.tv --accept-rollback --reason test --json"),
    .init(
      command: "salvage", words: "salvage @/damaged.tv @/made.tv --json", code: 6, makes: ["made.tv"], leaves: []),
    .init(
      command: "upgrade", words: "upgrade --vault @/legacy.tv --legacy-key file:@/legacy.key", leaves: ["legacy"]),
    .init(
      command: "import", words: "import --from jsonl --json", input: row + "\n", leaves: ["fresh"]),
    .init(
      command: "import", words: "import --from sealed --export-key file:@/export.key @/sealed --on-conflict replace",
      leaves: both.union(["old", "old refresh", "linked"])),
    .init(
      command: "export", words: "export --to jsonl --reveal --out @/made.jsonl",
      belongs: [
        "access": [.file("made.jsonl")], "refresh": [.file("made.jsonl")], "old": [.file("made.jsonl")],
        "old refresh": [.file("made.jsonl")], "linked": [.file("made.jsonl")],
      ], makes: ["made.jsonl"], leaves: both.union(["old", "old refresh", "linked"])),
    .init(
      command: "export", words: "export --to sealed --export-key file:@/export.key",
      leaves: both.union(["old", "old refresh", "linked"])),
    .init(
      command: "export", words: "export --to dynamodb --export-key file:@/export.key --out @/made.jsonl",
      makes: ["made.jsonl"], leaves: both.union(["old", "old refresh", "linked"])),
  ]

  private static let others: [HostScenario] = [
    .init(command: "demo", words: "demo @/stage", makesKey: "stage/vault.tv.key", makes: ["stage"]),
    .init(command: "vectors verify", words: "vectors verify \(HostStage.vectors)/records", isPublic: true),
    .init(command: "vectors generate", words: "vectors generate @/made", isPublic: true, makes: ["made"]),
  ]
}
