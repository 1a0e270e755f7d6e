/// A command line whose system calls are made to fail. `@` stands for the folder.
struct CallCommand: Sendable {
  let name: String
  let words: [String]
  /// A file of the folder that it reads.
  let input: String
  /// Whether its output says something of the machine, too, and may be another one then.
  let isTalkative: Bool
  /// Whether it also leaves a note of what it is about to do, or of how far it came.
  let leavesNotes: Bool
  /// A file that it makes before all others, and that is of use to the next attempt.
  let firstFile: String?
  /// Whether it starts a program, whose system calls fail as its own do.
  var startsProgram: Bool { name == "exec" || name == "refresh" }
  /// Whether it can be run again at once after it has failed.
  var isRepeatable: Bool { name != "refresh" }

  init(
    _ name: String, _ line: String, input: String = "nothing", isTalkative: Bool = false, leavesNotes: Bool = false,
    firstFile: String? = nil
  ) {
    (self.name, self.input, self.isTalkative, self.leavesNotes) = (name, input, isTalkative, leavesNotes)
    self.firstFile = firstFile
    words = line.split(separator: " ").map { String($0) }
  }

  /// Every command that touches a vault.
  static let all = [
    CallCommand("init", "init --vault @/fresh.tv"),
    CallCommand("init-dev", "init --dev --vault @/fresh.tv", firstFile: "fresh.tv.key"),
    CallCommand("put", "put ada", input: "token.json"),
    CallCommand("put-again", "put user-1 --provider p", input: "token.json"),
    CallCommand("put-lines", "put --jsonl", input: "tokens.jsonl"),
    CallCommand("get", "get user-1 --provider p"),
    CallCommand("has", "has user-1 --provider p"),
    CallCommand("show", "show user-1 --provider p"),
    CallCommand("list", "list --prefix user"),
    CallCommand("history", "history user-1 --provider p"),
    CallCommand("delete", "delete user-1 --provider p --yes"),
    CallCommand("link", "link ada --provider p --account a7", input: "token.json"),
    CallCommand("revoke", "revoke linked --provider p"),
    CallCommand("unlink", "unlink linked --provider p --yes"),
    CallCommand(
      "refresh",
      "refresh old --provider p --valid-for 5m -- /bin/echo "
        + #"{"access_token":"s3cr3t-new","refresh_token":"s3cr3t-next","expires_at":99999999999}"#, leavesNotes: true),
    CallCommand("exec", "exec --provider p --env T=user-1 -- /bin/true"),
    CallCommand("redact", "redact", input: "text"),
    CallCommand("leak-check", "leak-check @/text"),
    CallCommand("verify", "verify", isTalkative: true),
    CallCommand("verify-pin", "verify --pin @/kept.pin", isTalkative: true),
    CallCommand("inspect", "inspect", isTalkative: true),
    CallCommand("stats", "stats", isTalkative: true),
    CallCommand("doctor", "doctor", isTalkative: true),
    CallCommand("audit-log", "audit log"),
    CallCommand("audit-verify", "audit verify"),
    CallCommand("audit-reads", "audit reads sampled --one-in 5"),
    CallCommand("key-list", "key list"),
    CallCommand("key-add", "key add --new-key file:@/new.key"),
    CallCommand("key-change", "key change --new-key file:@/new.key"),
    CallCommand("key-remove", "key remove 2"),
    CallCommand("compact", "compact"),
    CallCommand("compact-shred", "compact --shred"),
    CallCommand("rotate", "rotate"),
    CallCommand("rekey", "rekey --new-key file:@/new.key"),
    CallCommand("backup", "backup @/made.tv"),
    CallCommand("backup-replace", "backup @/copy.tv --replace"),
    CallCommand("restore", "restore @/copy.tv --accept-rollback --reason test"),
    CallCommand("restore-elsewhere", "restore @/copy.tv --vault @/fresh.tv"),
    CallCommand("salvage", "salvage @/vault.tv @/saved.tv"),
    CallCommand("upgrade", "upgrade --vault @/legacy.tv --legacy-key file:@/legacy.key"),
    CallCommand(
      "export", "export --to sealed --export-key file:@/new.key --out @/out.jsonl", leavesNotes: true),
    CallCommand(
      "export-replace", "export --to sealed --export-key file:@/new.key --out @/kept.jsonl --force", leavesNotes: true),
    CallCommand("import", "import --from jsonl @/rows.jsonl --rejects @/rejects.jsonl"),
    CallCommand("inject", "inject -i @/template -o @/filled"),
    CallCommand("pin-write", "pin write @/made.pin"),
    CallCommand("pin-write-again", "pin write @/kept.pin"),
    CallCommand("pin-show", "pin show @/kept.pin"),
    CallCommand("keygen", "keygen --out @/another.key"),
  ]
}
