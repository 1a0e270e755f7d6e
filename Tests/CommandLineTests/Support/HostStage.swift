import Foundation
import Glibc
import Testing
import TokenVault
import VaultCrypto
import VaultEngine
import VaultFormat

/// A folder with everything that any command needs, made once for all tests and copied for each; every secret in it is a canary.
final class HostStage {
  static let access = "ya29.a0AfB_canary-access-of-ada-3kQz8Wm1Xv5T"
  static let refresh = "1//0gRefresh-canary-of-ada-h7Jp2Ls9Rb4N"
  static let fresh = "gho_canary-fresh-7Tq3Zx9Lw2Mv6Kb8Yp"
  static let freshRefresh = "ghr_canary-fresh-refresh-5Hd1Fs4Gj8Ra"
  static let renewed = "ya29.canary-renewed-0Pn6Ue2Ci9Wo3Qk7"
  static let passphrase = "canary passphrase of nobody 41 Vd"

  static let vectors =
    URL(filePath: #filePath).pathComponents.dropLast(4).joined(separator: "/") + "/testvectors"

  private struct Model {
    var files: [String: [UInt8]] = [:]
    var canaries: [Canary] = []
  }

  /// A command that plays the token endpoint.
  private static let endpoint =
    "#!/bin/sh\ncat >/dev/null\necho '{\"access_token\":\"\(renewed)\",\"expires_in\":3600}'\n"

  /// Made by the command itself.
  private static let model: Result<Model, any Error> = Result {
    let bench = try Bench(withVault: false)
    func run(_ line: String, _ input: String = "") throws {
      var call = Call(line: line, on: bench)
      call.input = .bytes(Array(input.utf8))
      let outcome = try bench.run(call)
      try #require(outcome.code == 0, "\(line): \(outcome.errors)")
    }
    for name in ["vault.tv.key", "second.key", "new.key", "export.key"] { try run("keygen --out @/\(name)") }
    let digits = String(repeating: "9a17c3e5", count: 8)
    for (name, text) in [
      ("passphrase", passphrase + "\n"), ("legacy.key", digits), ("template", "token = {{tv://ada}}\n"),
      ("leaked", "a line\nof \(access) here\n"), ("endpoint", endpoint),
    ] {
      try bench.write(Array(text.utf8), to: name)
    }
    try run("init --key file:@/vault.tv.key")
    try run("key add --new-key file:@/second.key")
    try run("put ada", #"{"access_token":"\#(access)","refresh_token":"\#(refresh)","expires_in":86400}"#)
    try run("put bob", #"{"access_token":"of no interest"}"#)
    try run(
      "put old",
      #"{"access_token":"canary-old-access-8Xc2","refresh_token":"canary-old-refresh-4Rt7","expires_at":1000}"#)
    try run("link mara --provider reddit --account t2_mara", #"{"refresh_token":"canary-linked-refresh-1Yb6"}"#)
    try run("backup @/copy.tv")
    try run("put eve", #"{"access_token":"of no interest"}"#)
    try run("pin write @/pin")
    try run("export --to sealed --export-key file:@/export.key --out @/sealed")
    var damaged = try bench.contents(of: bench.vault)
    damaged[damaged.count / 2] ^= 1
    try bench.write(damaged, to: "damaged.tv")
    try run("init --vault @/legacy.tv")
    try bench.putLegacy("canary-legacy-access-2Wd5", digits, at: bench.folder + "/legacy.tv")
    var model = Model()
    for name in try FileManager.default.contentsOfDirectory(atPath: bench.folder)
    where !name.hasPrefix(".") && !name.hasSuffix(".lock") {
      model.files[name] = try bench.contents(of: bench.folder + "/" + name)
    }
    model.canaries = [
      Canary("access", access), Canary("refresh", refresh), Canary("fresh", fresh), Canary("fresh", freshRefresh),
      Canary("renewed", renewed), Canary("passphrase", passphrase), Canary("old", "canary-old-access-8Xc2"),
      Canary("old refresh", "canary-old-refresh-4Rt7"), Canary("linked", "canary-linked-refresh-1Yb6"),
      Canary("legacy", "canary-legacy-access-2Wd5"),
    ]
    for name in ["vault.tv.key", "second.key", "new.key", "export.key", "legacy.key"] {
      model.canaries += Canary.key("the key of \(name)", String(decoding: model.files[name] ?? [], as: UTF8.self))
    }
    return model
  }

  let bench: Bench
  let canaries: [Canary]
  private let files: [String: [UInt8]]

  /// - Parameter prepare: is given the folder before anything is in it.
  init(_ prepare: (Bench) throws -> Void = { _ in }) throws {
    let model = try Self.model.get()
    bench = try Bench(withVault: false)
    (canaries, files) = (model.canaries, model.files)
    try prepare(bench)
    try reset()
  }

  /// Makes the folder what it was.
  func reset() throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: bench.folder) {
      try FileManager.default.removeItem(atPath: bench.folder + "/" + name)
    }
    for (name, bytes) in files where name != "endpoint" { try bench.write(bytes, to: name) }
    try bench.write(program: Self.endpoint, to: "endpoint")
  }

  /// Names of files that were not there in the beginning, or have changed, folders within searched too.
  func changed() throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: bench.folder)
    return try names.filter { (name) in
      guard !name.hasPrefix("."), try isFile(name) else { return false }
      return try files[name] != bench.contents(of: bench.folder + "/" + name)
    }
  }

  func isFile(_ name: String) throws -> Bool {
    var status = stat()
    try #require(unsafe lstat(bench.folder + "/" + name, &status) == 0)
    return status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether the vault is whole; `nil` where the command made another key the only one.
  func isWhole(_ name: String = "vault.tv") throws -> Bool {
    for key in ["vault.tv.key", "new.key", "second.key"] {
      let source = KeySource.file(bench.folder + "/" + key)
      do throws(VaultError) {
        let report = try Vault.verify(at: bench.folder + "/" + name, credential: source.credential(.key))
        return report.findings.isEmpty
      } catch {
        guard error.code == .wrongKey else { return false }
      }
    }
    return false
  }

  /// All commands that the command itself says there are, with their groups: `key add`.
  static func commands() throws -> Set<String> {
    let bench = try Bench(withVault: false)
    let told = try JSONSerialization.jsonObject(with: Data(bench.run("--experimental-dump-help").output))
    let root = try #require((told as? [String: Any])?["command"] as? [String: Any])
    var commands: Set<String> = []
    func visit(_ command: [String: Any], _ path: [String]) {
      let parts = (command["subcommands"] as? [[String: Any]] ?? []).filter { $0["commandName"] as? String != "help" }
      if parts.isEmpty { commands.insert(path.joined(separator: " ")) }
      for part in parts { visit(part, path + [part["commandName"] as? String ?? ""]) }
    }
    visit(root, [])
    return commands
  }
}

extension Bench {
  /// Stores a token that another program had sealed under the key of these digits.
  fileprivate func putLegacy(_ token: String, _ digits: String, at path: String) throws {
    let secret = try SecretBytes(copying: Array(digits.utf8).span)
    let record = try LegacyRecord.seal(
      Array(#"{"access_token":"\#(token)"}"#.utf8).span, .cbcRaw, with: Self.key(secret), salt: [],
      iv: [UInt8](repeating: 5, count: 16))
    var batch = try VaultBatch()
    try batch.put(Array("lena".utf8).span, legacyRecord: record.serialized().span)
    let vault = try Vault.open(at: path, credential: KeySource.file(keyFile).credential(.key))
    try vault.commit(batch)
    try vault.close()
  }

  private static func key(_ digits: borrowing SecretBytes) throws -> SecretBytes {
    let text = String(decoding: digits.span.indices.map { digits.span[$0] }, as: UTF8.self)
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      let start = text.index(text.startIndex, offsetBy: index)
      bytes.append(try #require(UInt8(text[start..<text.index(start, offsetBy: 2)], radix: 16)))
    }
    return try SecretBytes(copying: bytes.span)
  }
}
