import Foundation
import Testing
import VaultLaboratory

/// The samples of the README and of the articles in the documentation.
@Suite struct DocumentationTests {
  // Defends: what is copied from an article compiles. Each block sees those before it in its article, and what the articles take
  // for granted.
  @Test func everySampleCompiles() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let catalog = root.appending(path: "Sources/TokenVault/TokenVault.docc")
    let articles = try FileManager.default.contentsOfDirectory(at: catalog, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "md" }.sorted { $0.path < $1.path }
    var source = Self.givens
    var count = 0
    for (number, article) in ([root.appending(path: "README.md")] + articles).enumerated() {
      let text = try String(contentsOf: article, encoding: .utf8)
      let blocks = text.matches(of: /```swift\n((?:(?!```)(?:.|\n))*)```/).map { String($0.1) }
      source += Self.function("samples\(number)", article.lastPathComponent, blocks)
      count += blocks.count
    }
    #expect(count > 20)
    let folder = FileManager.default.temporaryDirectory.appending(path: "tokenvault-samples-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "samples.swift")
    try source.write(to: file, atomically: true, encoding: .utf8)
    let outcome = try Self.typecheck(file, root)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  /// A function with an article's blocks, each in the scope of the one before.
  private static func function(_ name: String, _ article: String, _ blocks: [String]) -> String {
    var text = "func \(name)() async throws {\n"
    for (number, block) in blocks.enumerated() {
      let lines = block.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("import ") }
      text += "#sourceLocation(file: \"\(article), sample \(number + 1)\", line: 1)\n"
      text += lines.joined(separator: "\n") + "\n#sourceLocation()\ndo {\n"
    }
    return text + String(repeating: "}\n", count: blocks.count + 1)
  }

  /// What the samples take for granted: values that their reader has.
  private static let givens = """
    import TokenVault

    func given<Value: ~Copyable>() -> Value { preconditionFailure() }
    var answer: [UInt8] { given() }
    var vault: Vault { given() }
    var key: Credential { given() }
    var newKey: Credential { given() }
    var secret: LegacySecret { given() }
    var tokens: TokenStore { given() }
    var old: any TokenStorage { given() }
    var new: any TokenStorage { given() }
    var mara: TokenID { given() }
    var users: [TokenID] { given() }
    var token: OAuthToken { given() }
    var newer: OAuthToken { given() }
    var older: OAuthToken { given() }
    func answerOfEndpoint(_ refreshToken: String) async throws -> [UInt8] { given() }

    """

  /// Has the compiler check a file against the modules that these tests were built with.
  private static func typecheck(_ file: URL, _ root: URL) throws -> (status: Int32, errors: String) {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let products = URL(filePath: program).deletingLastPathComponent()
    let maps = [
      products.appending(path: "CSystemShims.build/module.modulemap"),
      root.appending(path: "Sources/COpenSSL/module.modulemap"), root.appending(path: "Sources/CZlib/module.modulemap"),
    ]
    var words = ["/bin/sh", "-c", "exec swiftc \"$@\" 2>&1", "swiftc"]
    words += ["-typecheck", "-swift-version", "6", "-suppress-warnings", "-parse-as-library"]
    words += ["-module-cache-path", file.deletingLastPathComponent().appending(path: "cache").path]
    words += ["-I", products.appending(path: "Modules").path]
    for map in maps { words += ["-Xcc", "-fmodule-map-file=" + map.path] }
    let compiler = try ChildProcess(
      words + [file.path], environment: ProcessInfo.processInfo.environment, input: "/dev/null")
    let (output, code) = compiler.finish()
    return (code, String(decoding: output, as: UTF8.self))
  }
}
