import ArgumentParser
import Glibc
import TokenVault
import VaultEngine
import VaultFormat

/// Shows on one screen what a vault does.
struct Demo: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", _superCommandName: "tokenvault",
    abstract: "Make a vault to play with, and show what happened and what to type next.")

  @Argument(help: "The folder for it; a new temporary one unless told.")
  var folder: String?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let stage = try DemoStage(folder: folder)
    try stage.makeVault()
    let report = try stage.play()
    try Output.write(DemoScreen(stage: stage, report: report).text)
  }
}

/// The folder of a demonstration, and what is done in it.
struct DemoStage {
  /// Where it happens.
  let folder: String
  /// The vault in it.
  var vault: String { folder + "/vault.tv" }
  /// The file with its key.
  var keyFile: String { vault + ".key" }

  /// The name that is read back.
  static let reader = "ada@example.com"
  /// The name that is deleted.
  static let leaver = "build-bot"

  /// Tokens as providers send them; the values are made up, and open nothing.
  private static let tokens: [(name: String, json: String)] = [
    (
      reader,
      #"{"access_token":"gho_demo4Zk1mQ8vXw2Ry6Tn","token_type":"bearer","scope":"repo,gist","refresh_token":"#
        + #""ghr_demoB7cL0pS5hJ9dFq3","refresh_token_expires_in":15811200,"x-team":{"id":7,"tags":["a","b"]}}"#
    ),
    ("王小明", #"{"access_token":"ya29.demo-a0AfB","expires_in":3599,"id_token":"eyJhbGciOiJSUzI1NiJ9.e30.demo"}"#),
    (leaver, #"{"ok":true,"access_token":"xoxb-demo-17653672481","token_type":"bot","team":{"name":"Ünïcode"}}"#),
  ]

  /// - Throws: ``ExitCode/cannotCreate`` when the folder can't be made.
  init(folder named: String?) throws(CommandFailure) {
    folder = if let named { try Self.named(named) } else { try Self.temporary() }
  }

  private static func named(_ path: String) throws(CommandFailure) -> String {
    try FileFacts.makePrivate(path)
    guard let resolved = unsafe realpath(path, nil) else {
      throw CommandFailure(.cannotCreate, "the folder can't be used: \(systemMessage(errno))")
    }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  private static func temporary() throws(CommandFailure) -> String {
    var template = Array(((Variable.text("TMPDIR") ?? "/tmp") + "/tokenvault-demo-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw CommandFailure(.cannotCreate, "no temporary folder can be made: \(systemMessage(errno))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Makes the key and the vault.
  func makeVault() throws {
    guard !FileFacts.exists(vault) else {
      throw CommandFailure(.conflict, "there is a vault in \(folder) already; it was left alone")
    }
    try KeyFile.create(at: keyFile, digits: KeyFile.newKey())
    try Vault.create(at: vault, credential: credential()).close()
  }

  /// Stores, reads back, deletes and verifies.
  func play() throws -> VerifyReport {
    let vault = try Vault.open(at: vault, credential: credential())
    let store = TokenStore(vault)
    for (name, json) in Self.tokens {
      let bytes = Array(json.utf8)
      _ = try store.put(OAuthToken(json: bytes.span), for: TokenID(user: name))
    }
    let read = try store.token(for: TokenID(user: Self.reader))?.token.json
    guard read == Self.tokens[0].json, try store.delete(TokenID(user: Self.leaver)) else {
      throw CommandFailure(.failure, "what was read back is not what was stored")
    }
    try vault.close()
    return try Vault.verify(at: self.vault, credential: credential())
  }

  private func credential() throws(VaultError) -> Credential {
    try KeySource.file(keyFile).credential(.key)
  }
}

/// One screen of 24 lines.
struct DemoScreen {
  /// Where it happened.
  let stage: DemoStage
  /// What the check found.
  let report: VerifyReport

  /// The whole screen.
  var text: String {
    let result =
      report.isDamaged ? "DAMAGED" : "whole: \(report.frames) frames opened, \(report.batches) batches linked"
    return """
      A vault to play with, in \(stage.folder)

        made      vault.tv, one encrypted file, and vault.tv.key, which opens it
        stored    tokens of \(DemoStage.reader), 王小明 and \(DemoStage.leaver), as JSON
        read      \(DemoStage.reader): what came back is what went in, byte for byte
        deleted   \(DemoStage.leaver); its history tells of it
        verified  \(result)

      Next, copy these into this shell:

      \(exports.map { "  " + $0 }.joined(separator: "\n"))
        tokenvault list
        tokenvault get \(DemoStage.reader)
        tokenvault show \(DemoStage.reader)
        echo '{"access_token":"mine","scope":"read"}' | tokenvault put me
        tokenvault history \(DemoStage.leaver)
        tokenvault verify

      A vault of your own: 'tokenvault init' in a new shell asks for a passphrase.
      To throw this one away: rm -r \(CommandLineText.quoted(stage.folder))

      """
  }

  /// What makes the commands below work as they stand.
  private var exports: [String] {
    let vault = CommandLineText.quoted(stage.vault)
    var lines = ["export TOKENVAULT_FILE=\(vault)", #"export TOKENVAULT_KEY=file:"$TOKENVAULT_FILE".key"#]
    if let folder = Self.folderToAdd { lines.insert("PATH=\(CommandLineText.quoted(folder)):$PATH", at: 0) }
    return lines
  }

  /// The folder that the running program lies in, unless the shell finds it by its name already.
  private static var folderToAdd: String? {
    guard let resolved = unsafe realpath("/proc/self/exe", nil) else { return nil }
    defer { unsafe free(resolved) }
    let program = unsafe String(cString: resolved)
    for folder in (Variable.text("PATH") ?? "").split(separator: ":") {
      guard let candidate = unsafe realpath(folder + "/tokenvault", nil) else { continue }
      defer { unsafe free(candidate) }
      return unsafe String(cString: candidate) == program ? nil : FileFacts.folder(of: program)
    }
    return FileFacts.folder(of: program)
  }
}
