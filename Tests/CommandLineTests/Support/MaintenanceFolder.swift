import Foundation
import Glibc
import Testing
import TokenVault

/// A folder in the same state as often as it is asked for.
final class MaintenanceFolder {
  let bench: Bench
  /// Where the vault and its copies are; the keys are in the bench's folder.
  private let root: String
  private var files: [String: [UInt8]] = [:]

  var vault: String { root + "/vault.tv" }
  var copy: String { root + "/copy.tv" }
  var made: String { root + "/made.tv" }
  var newKey: String { "file:" + bench.folder + "/new.key" }

  /// - Parameters:
  ///   - tokens: in the vault; one is deleted again, and three came after the backup.
  ///   - bytes: of each token.
  ///   - isCrashed: whether a writer and a maker of a generation died just before: there are a torn tail and a temporary.
  ///   - disk: where the vault is; the bench's own folder, if there is none.
  init(
    for verb: MaintenanceVerb, tokens: Int, bytes: Int = 20, isCrashed: Bool = false, on bench: Bench,
    disk: MemoryDisk? = nil
  ) throws {
    self.bench = bench
    root = disk?.folder ?? bench.folder
    for name in ["new.key", "removed.key"] {
      try #require(bench.run("keygen", "--out", bench.folder + "/" + name).code == 0)
    }
    if disk != nil { try run("init", "--key", "file:" + bench.keyFile) }
    try run("key", "add", "--new-key", "file:" + bench.folder + "/removed.key")
    try put(0..<tokens, bytes)
    try run("backup", copy)
    try put(tokens..<tokens + 3, bytes)
    try run("delete", "user-1", "--yes")
    if isCrashed {
      try put(0..<3, bytes + 1)
      try Data(bench.contents(of: vault).dropLast(60)).write(to: URL(filePath: vault))
      let target = verb == .backup ? made : vault
      try Data([1, 2, 3]).write(to: URL(filePath: target + ".tmp-0123456789abcdef"))
    }
    for name in try names() { files[name] = try bench.contents(of: root + "/" + name) }
    if verb == .restoreWhereNothingIs { files["vault.tv"] = nil }
    // What a lock file says of a vault is not true of another one of its name.
    files["vault.tv.lock"] = nil
    try reset()
  }

  /// A call on the folder's vault.
  func call(_ arguments: String...) -> Call { call(arguments) }

  func call(_ arguments: [String]) -> Call {
    var call = Call(arguments)
    call.environment = ["TOKENVAULT_FILE": vault]
    return call
  }

  private func run(_ arguments: String..., input: String = "") throws {
    var call = call(arguments)
    call.input = .bytes(Array(input.utf8))
    let outcome = try bench.run(call)
    try #require(outcome.code == 0, "\(arguments): \(outcome.errors)")
  }

  private func put(_ numbers: Range<Int>, _ bytes: Int) throws {
    let filling = String(repeating: "x", count: bytes)
    let lines = numbers.map { #"{"user_id":"user-\#($0)","access_token":"token-\#($0)-\#(filling)"}"# }
    try run("put", "--jsonl", input: lines.joined(separator: "\n"))
  }

  /// Makes the folder what it was.
  func reset() throws {
    for name in try names() { try FileManager.default.removeItem(atPath: root + "/" + name) }
    for (name, bytes) in files {
      try Data(bytes).write(to: URL(filePath: root + "/" + name))
      try #require(unsafe chmod(root + "/" + name, 0o600) == 0)
    }
  }

  /// Names in the folder, but for what runs on the bench leave there.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root).filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Names of temporaries.
  func temporaries() throws -> [String] { try names().filter { $0.contains(".tmp-") } }

  /// What is there; each vault is opened and verified by every key.
  func state() throws -> MaintenanceState {
    var state = MaintenanceState(opened: [])
    for name in ["vault.tv.key", "new.key", "removed.key"] {
      guard FileManager.default.fileExists(atPath: vault) else { break }
      let found = try contents(of: vault, key: name)
      state.opened.append(found?.names)
      state.generation = found?.generation ?? state.generation
    }
    if FileManager.default.fileExists(atPath: made) {
      state.made = try contents(of: made, key: "vault.tv.key")?.names
    }
    return state
  }

  /// Each user's token, by its hash, but for the one that ``write()`` stores; `nil` when the key opens nothing.
  private func contents(of path: String, key: String) throws -> (names: [String: Int], generation: UInt64)? {
    let source = KeySource.file(bench.folder + "/" + key)
    var options = VaultOptions()
    options.readOnly = true
    let vault: Vault
    do throws(VaultError) {
      vault = try Vault.open(at: path, credential: source.credential(.key), options: options)
    } catch {
      guard error.code == .wrongKey else { throw error }
      return nil
    }
    let report = try Vault.verify(at: path, credential: source.credential(.key))
    #expect(report.findings.isEmpty, "\(report.findings.map(\.sentence))")
    let store = TokenStore(vault)
    var names: [String: Int] = [:]
    for summary in try store.list() where summary.id.user != Array("later".utf8) {
      let token = try #require(try store.token(for: summary.id))
      names[String(decoding: summary.id.user, as: UTF8.self)] = token.token.hash
    }
    return (names, try vault.snapshot().generation)
  }

  /// Stores one more token, with whatever key opens the vault; whoever writes sweeps what was left.
  func write() throws -> Outcome {
    for key in ["vault.tv.key", "new.key"] {
      let source = "file:" + bench.folder + "/" + key
      var put = call("put", "later", "--key", source)
      put.input = .bytes(Array(#"{"access_token":"later"}"#.utf8))
      let outcome = try bench.run(put)
      if outcome.code != 77 { return outcome }
    }
    Issue.record("no key opens the vault")
    return try bench.run(call("list"))
  }
}

extension OAuthToken {
  /// Of its JSON; the same in one process for the same bytes.
  fileprivate var hash: Int {
    var hasher = Hasher()
    withJSON { (json) in
      for index in json.indices { hasher.combine(json[index]) }
    }
    return hasher.finalize()
  }
}
