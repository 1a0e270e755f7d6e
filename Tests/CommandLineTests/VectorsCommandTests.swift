import Foundation
import Testing

/// `tokenvault vectors`, on the vectors that the project keeps.
@Suite struct VectorsCommandTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "testvectors").path

  @Test func verifiesWhatIsKept() throws {
    // Defends: the kept record vectors and the RFC texts pass, in a table, in JSON and as JUnit XML.
    let bench = try Bench(withVault: false)
    let paths = [Self.folder + "/records", Self.folder + "/published/rfc"]
    let table = try bench.run(Call(["vectors", "verify"] + paths + ["--junit", bench.folder + "/junit.xml"]))
    #expect(table.code == 0, "\(table.errors)")
    #expect(table.lines.last?.hasPrefix("all") == true)
    let xml = try String(contentsOfFile: bench.folder + "/junit.xml", encoding: .utf8)
    #expect(xml.contains("<testsuite") && !xml.contains("<failure"))
    let json = try bench.run(Call(["vectors", "verify", "--json"] + paths))
    #expect(try JSONSerialization.jsonObject(with: Data(json.output)) is [String: Any])
  }

  @Test func tellsAFailureFromAnUnreadableFile() throws {
    // Defends: exit 6 when a case fails, 64 when a file or a filter gives nothing to run; neither is ever a pass.
    let bench = try Bench(withVault: false)
    let name = Self.folder + "/published/rfc/rfc-5869-HKDF-SHA256.txt"
    let text = try String(contentsOfFile: name, encoding: .utf8)
    let changed = text.replacing(/OKM( *= *)(?:0x)?3cb25f/) { "OKM\($0.1)3db25f" }
    try #require(changed != text)
    try bench.write(Array(changed.utf8), to: "changed.txt")
    #expect(try bench.run("vectors", "verify", bench.folder + "/changed.txt").code == 6)
    try bench.write(Array("{\"algorithm\":".utf8), to: "cut.json")
    let cut = try bench.run("vectors", "verify", bench.folder + "/cut.json")
    #expect(cut.code == 64 && cut.errors.contains("line 1"))
    #expect(try bench.run("vectors", "verify", bench.folder + "/none").code == 64)
    #expect(try bench.run("vectors", "verify", name, "--filter", "no such case").code == 64)
    #expect(try bench.run("vectors", "verify").code == 64)
  }

  @Test func holdsOthersToTheSameVectors() throws {
    // Defends: --implementation runs another program; one that dies, or answers nonsense, never passes.
    let bench = try Bench(withVault: false)
    let vaults = Self.folder + "/vaults"
    let reference = URL(filePath: Self.folder).deletingLastPathComponent().appending(
      path: "spec/reference/tokenvault.py")
    let python = "cmd:python3 '\(reference.path)' serve"
    let passed = try bench.run(
      "vectors", "verify", vaults, "--filter", "/header_", "--implementation", python)
    #expect(passed.code == 0, "\(passed.text)\(passed.errors)")
    for program in ["cmd:true", "cmd:echo nonsense", "cmd:/bin/sh -c 'read x; echo {}'"] {
      let failed = try bench.run("vectors", "verify", vaults, "--filter", "/header_", "--implementation", program)
      #expect(failed.code == 6, "\(program): \(failed.errors)")
    }
    let missing = try bench.run("vectors", "verify", vaults, "--implementation", "cmd:/no/such/program")
    #expect(missing.code == 69)
    #expect(try bench.run("vectors", "verify", vaults, "--implementation", "python3").code == 64)
  }

  @Test func generatesWhatIsKept() throws {
    // Defends: anybody can make the kept vectors again, byte for byte.
    let bench = try Bench(withVault: false)
    #expect(try bench.run("vectors", "generate", bench.folder + "/new").code == 0)
    for part in ["vaults", "records"] {
      let kept = try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(part)").sorted()
      let made = try FileManager.default.contentsOfDirectory(atPath: "\(bench.folder)/new/\(part)").sorted()
      #expect(kept == made && !kept.isEmpty)
      for name in kept {
        #expect(
          try bench.contents(of: "\(Self.folder)/\(part)/\(name)")
            == bench.contents(of: "\(bench.folder)/new/\(part)/\(name)"))
      }
    }
  }
}
