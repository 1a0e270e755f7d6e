import Foundation
import Glibc
import Testing
import VaultLaboratory

/// A folder of its own in which the real command runs, without a terminal; it goes away with the value.
final class Bench {
  let folder: String
  var vault: String { folder + "/vault.tv" }
  var keyFile: String { vault + ".key" }
  private var runs = 0

  /// An empty folder, or one with a vault and its key file beside it.
  init(withVault: Bool = true) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tokenvault-cli-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    guard withVault else { return }
    try #require(run("init", "--dev", "--quiet").code == 0)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  static let program = TestedCommand.path

  /// Runs the command on the bench's vault and key file, and waits for its end.
  @discardableResult
  func run(_ arguments: String..., input: String = "") throws -> Outcome {
    var call = Call(arguments)
    call.input = .bytes(Array(input.utf8))
    return try run(call)
  }

  /// Runs `call`, and waits for its end.
  func run(_ call: Call) throws -> Outcome {
    runs += 1
    let output = folder + "/.output\(runs)"
    let errors = folder + "/.errors\(runs)"
    var actions = try Spawning()
    switch call.input {
    case .closed: actions.close(0)
    case .path(let path): actions.open(0, path, O_RDONLY)
    case .bytes(let bytes):
      try write(bytes, to: ".input\(runs)")
      actions.open(0, folder + "/.input\(runs)", O_RDONLY)
    }
    switch call.output {
    case .kept: actions.open(1, output, O_WRONLY | O_CREAT | O_TRUNC)
    case .closed: actions.close(1)
    case .path(let path): actions.open(1, path, O_WRONLY)
    }
    actions.open(2, errors, O_WRONLY | O_CREAT | O_TRUNC)
    for (descriptor, path) in call.descriptors { actions.open(descriptor, path, O_RDONLY) }
    let child = try actions.spawn(call.program, call.arguments + call.bytes, environment(of: call))
    return Outcome(
      code: Spawning.wait(for: child), output: (try? contents(of: output)) ?? [],
      errors: String(decoding: try contents(of: errors), as: UTF8.self))
  }

  /// Nothing of the environment that the tests run in.
  func environment(of call: Call) -> [String: String] {
    var environment = ["PATH": "/usr/bin:/bin", "HOME": folder, "TOKENVAULT_FILE": vault]
    if call.givesKey, FileManager.default.fileExists(atPath: keyFile) {
      environment["TOKENVAULT_KEY"] = "file:" + keyFile
    }
    return environment.merging(call.environment) { $1 }
  }

  /// Stores `json` under `name`.
  func put(_ name: String, _ json: String = #"{"access_token":"secret-value"}"#) throws {
    let outcome = try run("put", name, input: json)
    try #require(outcome.code == 0, "\(outcome.errors)")
  }

  /// Writes a file of mode 600 in the folder.
  func write(_ bytes: [UInt8], to name: String) throws {
    let path = folder + "/" + name
    try Data(bytes).write(to: URL(filePath: path))
    try #require(unsafe chmod(path, 0o600) == 0)
  }

  /// Writes a program of mode 700 in the folder.
  ///
  /// Another process writes it: whatever this one has open for writing, a child that another test starts at that moment has open
  /// too, for a moment longer, in which the file is busy and can't be run.
  func write(program text: String, to name: String) throws {
    var call = Call("-c", #"cat >"$0" && chmod 700 "$0""#, folder + "/" + name)
    call.program = "/bin/sh"
    call.input = .bytes(Array(text.utf8))
    try #require(run(call).code == 0)
  }

  /// Puts the vault of a published scenario, and its key, in the place of the bench's; its pin, if it has one, in the file
  /// `pin`.
  func writeScenario(_ name: String) throws {
    let root = URL(filePath: #filePath).pathComponents.dropLast(4).joined(separator: "/")
    let bytes = try contents(of: root + "/testvectors/vaults/\(name).tv-vector")
    let head = try #require(bytes.firstRange(of: Array("\n\n".utf8)))
    let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).split(separator: "\n")
    let key = try #require(lines.first { $0.hasPrefix("key: ") })
    try write(Array(bytes[head.upperBound...]), to: "vault.tv")
    try write(Array(key.dropFirst(5).utf8), to: "vault.tv.key")
    guard let pin = lines.first(where: { $0.hasPrefix("pin: ") }) else { return }
    try write(Array((pin.dropFirst(5) + "\n").utf8), to: "pin")
  }

  func contents(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}

/// One call of the command.
struct Call {
  enum Input {
    case bytes([UInt8])
    case path(String)
    case closed
  }

  enum Output {
    case kept, closed
    case path(String)
  }

  var arguments: [[UInt8]]
  /// Arguments that are not text, behind the others.
  var bytes: [[UInt8]] = []
  var program = Bench.program
  var input = Input.bytes([])
  var output = Output.kept
  /// Whether the bench's key file is named in the environment.
  var givesKey = true
  var environment: [String: String] = [:]
  /// Further descriptors, opened for reading.
  var descriptors: [Int32: String] = [:]

  init(_ arguments: [String]) { self.arguments = arguments.map { Array($0.utf8) } }
  init(_ arguments: String...) { self.init(arguments) }

  /// The words of a line, in which `@` stands for the bench's folder.
  init(line: String, on bench: Bench) {
    self.init(line.split(separator: " ").map { String($0).replacing("@", with: bench.folder) })
  }
}

/// How a call ended.
struct Outcome {
  /// The exit code; 128 and the signal's number, if it was a signal.
  let code: Int32
  let output: [UInt8]
  let errors: String

  var text: String { String(decoding: output, as: UTF8.self) }
  var lines: [String] { text.split(separator: "\n").map { String($0) } }
}

/// What must not change: content, size and inode of a file.
struct Fingerprint: Equatable {
  private let inode: UInt64
  private let bytes: Data

  init(_ path: String) throws {
    var status = stat()
    try #require(unsafe lstat(path, &status) == 0)
    inode = UInt64(status.st_ino)
    let isFile = status.st_mode & S_IFMT == S_IFREG
    bytes = isFile ? try Data(contentsOf: URL(filePath: path)) : Data()
  }
}
