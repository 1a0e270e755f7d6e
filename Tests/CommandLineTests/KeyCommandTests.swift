import Foundation
import Testing

/// `key list`, `add`, `remove` and `change`, by the real command.
@Suite struct KeyCommandTests {
  /// A vault with a token and a second key file.
  private func bench() throws -> (bench: Bench, second: String) {
    let bench = try Bench()
    try bench.put("ada")
    let second = bench.folder + "/second.key"
    #expect(try bench.run("keygen", "--out", second).code == 0)
    return (bench, "file:" + second)
  }

  // Defends: what was added opens the vault, what was removed does not, and list shows both, with a key which one it opens.
  @Test func addListRemove() throws {
    let (bench, second) = try bench()
    let added = try bench.run("key", "add", "--new-key", second, "--json")
    #expect(added.code == 0 && added.text == #"{"slot":2}"# + "\n", "\(added.errors)")
    #expect(try bench.run("get", "ada", "--key", second).text == "secret-value\n")
    let list = try bench.run("key", "list", "--json", "--key", second).lines
    #expect(list.count == 2 && list[0].contains(#""given":false"#) && list[1].contains(#""given":true"#))
    var keyless = Call("key", "list", "--json")
    keyless.givesKey = false
    #expect(try bench.run(keyless).lines.allSatisfy { $0.hasSuffix(#""given":null}"#) })
    #expect(try bench.run("key", "list").lines[1].hasSuffix("the one given"))
    #expect(try bench.run("key", "remove", "2").code == 0)
    #expect(try bench.run("get", "ada", "--key", second).code == 77)
    #expect(try bench.run("get", "ada").code == 0)
  }

  // Defends: change puts the new key in the place of the given one in one step, and no other.
  @Test func change() throws {
    let (bench, second) = try bench()
    let changed = try bench.run("key", "change", "--new-key", second, "--json")
    #expect(changed.text == #"{"slot":2,"removed":1}"# + "\n", "\(changed.errors)")
    #expect(try bench.run("get", "ada").code == 77)
    #expect(try bench.run("get", "ada", "--key", second).code == 0)
    #expect(try bench.run("verify", "--key", second).code == 0)
  }

  // Defends: a passphrase may open what a key made; the source of either is never on standard input twice.
  @Test func passphrases() throws {
    let (bench, _) = try bench()
    var call = Call("key", "add", "--new-passphrase", "env:NEW")
    call.environment = ["NEW": "correct horse"]
    #expect(try bench.run(call).code == 0)
    call = Call("get", "ada", "--passphrase", "env:NEW")
    call.environment = ["NEW": "correct horse", "TOKENVAULT_KEY": ""]
    #expect(try bench.run(call).text == "secret-value\n")
    let both = try bench.run("key", "add", "--key", "stdin", "--new-key", "stdin")
    #expect(both.code == 64 && both.errors.contains("both credentials"))
    #expect(try bench.run("key", "add", "--new-key", "env:A", "--new-passphrase", "env:B").code == 64)
    #expect(try bench.run("key", "add").code == 77, "there is no terminal to ask on")
  }

  // Defends: the last slot stays, the one in use is asked about by a flag, and a refusal changes no byte.
  @Test func refusals() throws {
    let (bench, second) = try bench()
    let before = try Fingerprint(bench.vault)
    #expect(try bench.run("key", "remove", "1").code == 5)
    #expect(try bench.run("key", "remove", "1", "--even-in-use").errors.contains("last"))
    #expect(try bench.run("key", "remove", "7").code == 3)
    #expect(try bench.run("key", "add", "--new-key", "file:/nowhere").code == 77)
    #expect(try bench.run("key", "add", "--key", second, "--new-key", second).code == 77)
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("key", "add", "--new-key", second).code == 0)
    let asked = try bench.run("key", "remove", "1")
    #expect(asked.code == 5 && asked.errors.contains("--even-in-use"))
    #expect(try bench.run("key", "remove", "1", "--even-in-use").code == 0)
    #expect(try bench.run("get", "ada").code == 77)
  }

  // Defends: while a passphrase is derived, others can write: the memory that it takes is taken and given back before the
  // lock is held.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "seeing another process's system calls needs strace"),
    arguments: ["add", "change"])
  func noLockIsHeldDuringADerivation(_ verb: String) throws {
    let (bench, _) = try bench()
    var call = Call("key", verb, "--new-passphrase", "env:NEW")
    call.environment = ["NEW": "correct horse"]
    var isLocked = false
    var derivation: [Substring] = []
    var locks = 0
    for line in try TracedCall.lines(of: call, named: ["flock", "mmap", "munmap"], on: bench) {
      if line.contains("flock(") {
        isLocked = line.contains("LOCK_EX")
        locks += isLocked ? 1 : 0
      } else if line.contains(/m(un)?map\([^,]*, 1342\d{5}[,)]/) {
        #expect(!isLocked, "\(line)")
        derivation.append(line)
      }
    }
    #expect(derivation.count == 2 && locks > 0, "\(derivation)")
  }

  // Defends: help says what these commands don't do.
  @Test func helpSaysWhatItRevokes() throws {
    let bench = try Bench(withVault: false)
    for arguments in [["key", "--help"], ["key", "remove", "--help"], ["key", "change", "--help"]] {
      let help = try bench.run(Call(arguments)).text.split { $0.isWhitespace }.joined(separator: " ")
      #expect(help.contains("older copy of the vault") && help.contains("rekey"))
    }
  }
}
