import Glibc
import TokenVault
import VaultCrypto
import VaultEngine
import VaultFormat

/// What a folder holds, by words that say what: files byte for byte, vaults name by name for each key that opens them.
typealias FolderState = [String: [UInt8]]

/// A folder with a vault and all that a command may want beside it, in the same state as often as it is asked for.
final class CallFolder {
  private let program: String
  private let root: WorkFolder
  private let base: [String: [UInt8]]

  /// Bytes that are in every secret here, and in no message.
  static let secretMark = "s3cr3t"
  private static let keys = ["key", "new.key", "removed.key"]
  private static let legacyKey = [UInt8](repeating: 9, count: 32)

  var path: String { root / "work" }
  private var errors: String { root / "errors" }
  var trace: String { root / "trace" }

  private init(_ program: String, _ root: WorkFolder, _ base: [String: [UInt8]]) {
    (self.program, self.root, self.base) = (program, root, base)
  }

  deinit { root.remove() }

  /// A copy, elsewhere.
  func copy() throws -> CallFolder {
    let copy = CallFolder(program, try WorkFolder(), base)
    guard unsafe mkdir(copy.path, 0o700) == 0 else { throw HelperError.system(errno) }
    try copy.reset()
    return copy
  }

  /// A vault of some tokens, with a second key, an account, an audit trail, a pin, and a backup that is older; and one with a
  /// legacy record.
  static func prepared(_ program: String) throws -> CallFolder {
    let folder = CallFolder(program, try WorkFolder(), [:])
    guard unsafe mkdir(folder.path, 0o700) == 0 else { throw HelperError.system(errno) }
    let token = #"{"access_token":"s3cr3t-@","refresh_token":"s3cr3t-r-@","token_type":"Bearer"}"#
    let old = #"{"access_token":"s3cr3t-old","refresh_token":"s3cr3t-r-old","expires_in":1}"#
    let line = { (name: String) in #"{"user_id":"\#(name)","provider":"p","access_token":"s3cr3t-\#(name)"}"# + "\n" }
    try folder.write("nothing", "")
    try folder.write("token.json", token)
    try folder.write("old.json", old)
    try folder.write("tokens.jsonl", (1...4).map { line("many-\($0)") }.joined())
    try folder.write("users.jsonl", (1...6).map { line("user-\($0)") }.joined())
    try folder.write("rows.jsonl", (1...4).map { line("row-\($0)") }.joined())
    try folder.write("text", "nothing to be found in here\n")
    try folder.write("template", "token = {{tv://user-1/access_token?provider=p}}\n")
    try SmallFile.write(legacyKey, to: folder.path + "/legacy.key")
    for key in keys { try folder.demand(["keygen", "--out", "@/" + key]) }
    try folder.demand(["init"])
    try folder.demand(["key", "add", "--new-key", "file:@/removed.key"])
    try folder.demand(["put", "--jsonl"], input: "users.jsonl")
    try folder.demand(["link", "linked", "--provider", "p", "--account", "a1"], input: "token.json")
    try folder.demand(["put", "old", "--provider", "p"], input: "old.json")
    try folder.demand(["backup", "@/copy.tv"])
    try folder.demand(["delete", "user-6", "--provider", "p", "--yes"])
    try folder.demand(["pin", "write", "@/kept.pin"])
    try folder.demand(["put", "user-2", "--provider", "p"], input: "token.json")
    try folder.demand(["init", "--vault", "@/legacy.tv"])
    try folder.addLegacyRecord()
    try folder.write("kept.jsonl", "former\n")
    for name in ["vault.tv.lock", "legacy.tv.lock"] { unsafe _ = unlink(folder.path + "/" + name) }
    var base: [String: [UInt8]] = [:]
    for name in WorkFolder.names(in: folder.path) { base[name] = SmallFile.read(folder.path + "/" + name) }
    return try CallFolder(program, WorkFolder(), base).copy()
  }

  private func write(_ name: String, _ text: String) throws {
    try SmallFile.write(Array(text.utf8), to: path + "/" + name)
  }

  private func demand(_ words: [String], input: String = "nothing") throws {
    let outcome = try run(words, input: input)
    guard outcome.code == 0 else { throw CallFailure(sentence: "\(words.joined(separator: " ")): \(outcome.errors)") }
  }

  private func addLegacyRecord() throws {
    let text = Array(#"{"access_token":"s3cr3t-legacy"}"#.utf8)
    let secret = try SecretBytes(copying: Self.legacyKey.span)
    let record = try LegacyRecord.seal(text.span, .gcmRaw, with: secret, salt: [], iv: [UInt8](repeating: 5, count: 16))
    let (name, bytes) = (Array("legacy".utf8), record.serialized())
    var batch = try VaultBatch()
    try batch.put(name.span, legacyRecord: bytes.span)
    try open("legacy.tv", with: "key", readOnly: false).commit(batch)
  }

  /// Makes the folder what it was, and waits until its vaults have come to rest: of one that has just changed a command asks less,
  /// and whether it finds it so would depend on how fast the processor is.
  func reset() throws {
    for name in WorkFolder.names(in: path) where base[name] == nil { unsafe _ = unlink(path + "/" + name) }
    for (name, bytes) in base {
      unsafe _ = unlink(path + "/" + name)
      try SmallFile.write(bytes, to: path + "/" + name)
    }
    for name in base.keys where name.hasSuffix(".tv") {
      let vault = try FileStorage(path: path + "/" + name).open(writable: false)
      while try vault.stamp() == nil { usleep(1_000) }
    }
  }

  /// The bytes of a file as they are at first; `nil` of one that is not there then.
  func bytes(of path: String) -> [UInt8]? { base[String(path.dropFirst(self.path.count + 1))] }

  // MARK: Running

  struct Outcome {
    let code: Int32
    let output: [UInt8]
    let errors: String
  }

  /// Runs the command, below other programs if `wrapping` names some, for twenty seconds at most.
  func run(_ words: [String], input: String = "nothing", wrapping: [String] = []) throws -> Outcome {
    let words = words.map { (word) in
      word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).joined(separator: path)
    }
    let process = try ChildProcess(
      ["/usr/bin/timeout", "-s", "KILL", "20"] + wrapping + [program] + words,
      environment: [
        "PATH": "/usr/bin:/bin", "HOME": path, "TOKENVAULT_FILE": path + "/vault.tv",
        "TOKENVAULT_KEY": "file:" + path + "/key",
      ], input: path + "/" + input, errors: errors)
    let (output, code) = process.finish()
    return Outcome(code: code, output: output, errors: String(decoding: SmallFile.read(errors) ?? [], as: UTF8.self))
  }

  /// The lines of the newest trace.
  func traced() -> [Substring] {
    String(decoding: SmallFile.read(trace) ?? [], as: UTF8.self).split(separator: "\n")
  }

  // MARK: Looking

  private func open(_ name: String, with key: String, readOnly: Bool = true) throws(VaultError) -> Vault {
    var options = VaultOptions()
    options.readOnly = readOnly
    return try Vault.open(
      at: path + "/" + name, credential: KeySource.file(path + "/" + key).credential(.key), options: options)
  }

  /// Names of files that somebody was making.
  var temporaries: [String] { WorkFolder.names(in: path).filter { $0.contains(".tmp") } }

  /// What is there, but for lock files and temporaries, copies of torn tails among them.
  func state() throws -> FolderState {
    var state: FolderState = [:]
    for name in WorkFolder.names(in: path) {
      guard !name.hasSuffix(".lock"), !name.hasSuffix(".refresh"), !name.contains(".tmp"), !name.contains(".torn-")
      else { continue }
      if name.hasSuffix(".tv") { try look(at: name, &state) } else { state[name] = SmallFile.read(path + "/" + name) }
    }
    return state
  }

  private func look(at name: String, _ state: inout FolderState) throws {
    state[name] = Array("opened by none".utf8)
    for key in Self.keys + [name + ".key"] where SmallFile.read(path + "/" + key) != nil {
      let vault: Vault
      do throws(VaultError) {
        vault = try open(name, with: key)
      } catch {
        guard error.code == .wrongKey else { throw error }
        continue
      }
      let report = try Vault.verify(
        at: path + "/" + name, credential: KeySource.file(path + "/" + key).credential(.key))
      if let finding = report.findings.first { throw CallFailure(sentence: "\(name): \(finding.sentence)") }
      state[name] = Array("opened".utf8)
      state["\(name), \(key)"] = Array("generation \(report.generation), \(report.events?.count ?? 0) events".utf8)
      for (entry, value) in try vault.contents() where entry != "later" {
        state["\(name), \(key), \(String(decoding: entry.bytes, as: UTF8.self))"] = value
      }
    }
  }

  /// Somebody writes to the vault, with a key that opens it.
  func writeLater() throws {
    for key in Self.keys {
      do {
        try open("vault.tv", with: key, readOnly: false).commit([.put("later", [1])])
        return
      } catch let error as VaultError where error.code == .wrongKey {
        continue
      }
    }
    throw CallFailure(sentence: "no key opens the vault")
  }
}

/// Why something could not be tried.
struct CallFailure: Error, CustomStringConvertible {
  let sentence: String
  var description: String { sentence }
}
