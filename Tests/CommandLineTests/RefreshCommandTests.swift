import Foundation
import Glibc
import Testing
import TokenVault
import VaultLaboratory

/// `refresh` and `get --refresh-with`, by the real command and real programs that it runs.
@Suite struct RefreshCommandTests {
  private let endpoint: Endpoint
  private var bench: Bench { endpoint.bench }

  init() throws { endpoint = try Endpoint() }

  @Test func refreshesOnce() throws {
    // Defends: the command gets the token's JSON, its answer is stored before it is printed, and while that is valid the command
    // is not run and the vault not changed.
    let first = try endpoint.refresh("--print")
    #expect(first.code == 0 && first.text == "at-1\n" && first.errors.isEmpty)
    #expect(endpoint.lines("input") == [Endpoint.expired])
    let before = try Fingerprint(bench.vault)
    #expect(try endpoint.refresh("--print").text == "at-1\n")
    let silent = try endpoint.refresh()
    #expect(silent.code == 0 && silent.text.isEmpty)
    #expect(try Fingerprint(bench.vault) == before)
    #expect(endpoint.lines("runs").count == 1)
  }

  @Test func tellsInJSON() throws {
    // Defends: with --json there is one document: the new sequence, whether it was refreshed, and the access token only if asked.
    let first = try endpoint.refresh("--json").text
    #expect(first.hasPrefix(#"{"user_id":"ada","seq":4,"refreshed":true,"expires_at":"#) && !first.contains("at-1"))
    let second = try endpoint.refresh("--json", "--print").text
    #expect(second.contains(#""refreshed":false"#) && second.hasSuffix(#","access_token":"at-1"}"# + "\n"))
  }

  @Test func getRefreshesToo() throws {
    // Defends: get does the same with a program that is split at white space, and prints what it was asked for.
    let call = ["get", "ada", "--valid-for", "5m", "--refresh-with", "'\(endpoint.command)'  word"]
    #expect(try bench.run(Call(call + ["--format", "header"])).text == "Authorization: Bearer at-1\n")
    #expect(try bench.run(Call(call + ["--field", "refresh_token"])).text == "rt-1\n")
    #expect(endpoint.lines("runs").count == 1)
    #expect(try bench.run("get", "ada", "--refresh-with", "true").code == 64)
    #expect(try bench.run("get", "ada", "--valid-for", "5m", "--refresh-with", "a 'b").code == 64)
    // A token that is new is printed although it expires sooner than asked.
    #expect(try bench.run("get", "ada", "--valid-for", "2h", "--refresh-with", endpoint.command).text == "at-2\n")
  }

  // MARK: Commands that fail

  private static let failures: [([String], Int32, String)] = [
    (["false"], 69, "the command failed with exit code 1"),
    (["sh", "-c", "kill -9 $$"], 69, "the command was ended by signal 9"),
    (["/nowhere/program"], 69, "the command can't be started: No such file or directory"),
    (["no-such-program"], 69, "the command can't be started: No such file or directory"),
    (["/etc/passwd"], 69, "the command can't be started: Permission denied"),
    (["true"], 69, "the command printed nothing"),
    (["echo", "   "], 69, "the command printed nothing"),
    (["echo", "<!DOCTYPE html><p>c4nary"], 69, "the command printed a page of HTML or XML, and no JSON"),
    (["echo", "c4nary"], 69, "the command printed something that is not a token endpoint's JSON"),
    (["echo", #"{"access_token":"c4nary"} {}"#], 69, "something that is not a token endpoint's JSON"),
    (["echo", #"{"access_token":17,"c4nary":1}"#], 69, "something that is not a token endpoint's JSON"),
    (["printf", #"{"access_token":"c4nary\377"}"#], 69, "something that is not a token endpoint's JSON"),
    (["echo", #"{"refresh_token":"c4nary"}"#], 69, "the answer has no access_token"),
    (["echo", #"{"error":"c4nary"}"#], 69, "the endpoint answered with an error"),
    (["echo", #"{"error":"invalid_grant","error_description":"c4nary"}"#], 4, "the endpoint answered invalid_grant"),
    (
      ["sh", "-c", #"echo '{"error":"invalid_grant"}'; exit 22"#], 4,
      "the command failed with exit code 22: the endpoint answered invalid_grant"
    ),
    (["sh", "-c", #"echo '{"access_token":"c4nary"}'; exit 3"#], 69, "the command failed with exit code 3"),
    (["sh", "-c", "yes c4nary | head -c 100000000"], 69, "the command printed more than 1048576 bytes"),
    (["cat", "/dev/zero"], 69, "the command printed more than 1048576 bytes"),
  ]

  @Test(arguments: failures)
  func aCommandThatFails(_ command: [String], _ code: Int32, _ sentence: String) throws {
    // Defends: each way to fail has its sentence and its code; nothing of the output is repeated; the old token is there still,
    // and the next call waits for the cool-down, which --cooldown 0 turns off.
    let outcome = try endpoint.refresh("--print", by: command)
    #expect(outcome.code == code && outcome.text.isEmpty, "\(outcome.errors)")
    #expect(outcome.errors.contains("the refresh failed: ") && outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(!outcome.errors.contains("c4nary"))
    #expect(try endpoint.stored() == "at-0\n")
    let early = try endpoint.refresh()
    #expect(early.code == 69 && early.errors.contains("may be tried again in") && endpoint.lines("runs").isEmpty)
    #expect(try !bench.run("show", "ada").text.contains("interrupted"))
    #expect(try endpoint.refresh("--cooldown", "0", "--print").text == "at-1\n")
    #expect(try bench.run("verify").code == 0)
  }

  @Test func aCommandThatHangsIsEndedWithAllThatItStarted() throws {
    // Defends: when the time is over the command is ended, with what it started, and the lock is free again.
    let command = try endpoint.script("hang", "sleep 1000 & echo $! >>pids; echo $$ >>pids; sleep 1000")
    let outcome = try endpoint.refresh("--timeout", "3s", "--json", by: [command])
    #expect(outcome.code == 69 && outcome.errors.contains("took longer than 3 s"), "\(outcome.errors)")
    let children = endpoint.lines("pids").compactMap { pid_t($0) }
    #expect(children.count == 2)
    try waitUntil("its children have ended") { children.allSatisfy { kill($0, 0) != 0 } }
    #expect(try endpoint.refresh("--cooldown", "0", "--timeout", "0").code == 0)
  }

  @Test func aCommandThatDoesNotRead() throws {
    // Defends: a token of nearly 1 MiB reaches a command whole, and one that reads nothing, or closes its input, is no failure.
    let filler = String(repeating: "x", count: 1_048_000)
    let token = #"{"access_token":"at-0","expires_at":1000,"filler":"\#(filler)"}"#
    try bench.put("ada", token)
    let answer = #"{"access_token":"b","expires_in":1}"#
    #expect(try endpoint.refresh("--print", by: ["sh", "-c", "exec <&-; echo '\(answer)'"]).text == "b\n")
    #expect(try endpoint.refresh("--print", by: ["echo", answer]).text == "b\n")
    #expect(try endpoint.refresh("--print").text == "at-1\n")
    #expect(endpoint.lines("input").first?.utf8.count ?? 0 > 1_048_000)
  }

  @Test func closedStandardInput() throws {
    // Defends: the command's input is the token even where this one has none; its standard error is passed on.
    var call = endpoint.call(["--print"], by: ["sh", "-c", "echo heard >&2; exec '\(endpoint.command)'"])
    call.input = .closed
    let outcome = try bench.run(call)
    #expect(outcome.text == "at-1\n" && outcome.errors == "heard\n")
    #expect(endpoint.lines("input") == [Endpoint.expired])
  }

  @Test func keyIsNotInTheEnvironment() throws {
    // Defends: the variable that the key is in is not given to the command; other settings are.
    let key = String(decoding: try bench.contents(of: bench.keyFile), as: UTF8.self)
    var call = endpoint.call(["--print"], by: [try endpoint.script("environ", "env >environment; exec ./endpoint")])
    call.environment = ["THE_KEY": key, "TOKENVAULT_KEY": "env:THE_KEY", "OTHER": "kept", "TOKENVAULT_ACTOR": "me"]
    #expect(try bench.run(call).text == "at-1\n")
    let variables = endpoint.lines("environment")
    #expect(variables.contains("OTHER=kept") && variables.contains("TOKENVAULT_ACTOR=me"))
    #expect(variables.contains("TOKENVAULT_FILE=" + bench.vault))
    #expect(!variables.contains { $0.hasPrefix("THE_KEY=") || $0.contains(key.prefix(16)) })
  }

  // MARK: What happens meanwhile

  @Test func nothingIsResurrected() throws {
    // Defends: an entry that is deleted while the command runs stays so, and that is told.
    var call = endpoint.call([], by: ["sh", "-c", #""$TOKENVAULT" delete ada --yes && exec "$ENDPOINT""#])
    call.environment = ["TOKENVAULT": Bench.program, "ENDPOINT": endpoint.command]
    let outcome = try bench.run(call)
    #expect(outcome.code == 5 && outcome.errors.contains("was removed while"), "\(outcome.errors)")
    #expect(endpoint.lines("runs").count == 1)
    #expect(try bench.run("get", "ada").code == 3)
    let gone = try endpoint.refresh("--json")
    #expect(gone.code == 3 && gone.errors.contains("not_found"))
  }

  @Test func tokenThatIsPutMeanwhileStays() throws {
    // Defends: a token that is put while the command runs is the newer one.
    let new = #"{"access_token":"put","expires_at":99999999999}"#
    var call = endpoint.call(
      ["--print"], by: ["sh", "-c", #"echo '\#(new)' | "$TOKENVAULT" put ada && exec "$ENDPOINT""#])
    call.environment = ["TOKENVAULT": Bench.program, "ENDPOINT": endpoint.command]
    #expect(try bench.run(call).text == "put\n")
    #expect(try endpoint.stored() == "put\n")
  }

  @Test func aVaultThatIsBusyWithTheAnswerThere() throws {
    // Defends: an answer, which is nowhere else, waits for another writer, also where the command was told not to wait for any.
    let busy = try endpoint.script(
      "busy",
      """
      flock vault.tv.lock sh -c 'echo run >>runs; sleep 1; rm runs' >/dev/null &
      while [ ! -e runs ]; do sleep 0.01; done
      echo '{"access_token":"new","expires_in":3600}'
      """)
    let outcome = try endpoint.refresh("--lock-timeout", "0", "--print", by: [busy])
    #expect(outcome.code == 0 && outcome.text == "new\n", "\(outcome.code) \(outcome.errors)")
    #expect(try endpoint.stored() == "new\n")
    // It was held when the answer came, and is not any more.
    #expect(endpoint.lines("runs").isEmpty)
  }

  @Test(.enabled(if: MemoryDisk.isPermitted, "mounting a small file system needs root"), arguments: [100, 30_000])
  func aDiskThatIsFilledMeanwhile(answerLength: Int) throws {
    // Defends: the answer of the endpoint, which is nowhere else, is stored though the disk has become full while it was asked.
    let disk = try MemoryDisk(on: bench, size: "1m")
    let path = disk.folder + "/vault.tv"
    try #require(bench.run("init", "--vault", path).code == 0)
    try #require(bench.run("put", "ada", "--vault", path, input: Endpoint.expired).code == 0)
    let secret = String(repeating: "x", count: answerLength)
    let answer = try endpoint.script(
      "filling",
      #"""
      dd if=/dev/zero of=disk/full bs=4096 2>/dev/null
      echo byte >disk/more || echo full >>runs
      echo '{"access_token":"\#(secret)","expires_in":3600}'
      """#)
    let outcome = try bench.run(Call(["refresh", "ada", "--vault", path, "--valid-for", "5m", "--", answer]))
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(endpoint.lines("runs") == ["full"])
    #expect(try bench.run("get", "ada", "--vault", path).text == secret + "\n")
    #expect(try bench.run("verify", "--vault", path).code == 0)
  }

  @Test(.enabled(if: MemoryDisk.isPermitted, "mounting a small file system needs root"))
  func aDiskWithoutRoomForAnAnswer() throws {
    // Defends: where an answer could not be stored, nobody is asked for one, and the token stays.
    let disk = try MemoryDisk(on: bench, size: "1m")
    let path = disk.folder + "/vault.tv"
    try #require(bench.run("init", "--vault", path).code == 0)
    try #require(bench.run("put", "ada", "--vault", path, input: Endpoint.expired).code == 0)
    try disk.filler.fill(leaving: 8192)
    let before = try Fingerprint(path)
    let call = Call(["refresh", "ada", "--vault", path, "--valid-for", "5m", "--print", "--", endpoint.command])
    let outcome = try bench.run(call)
    #expect(outcome.code == 74 && outcome.errors.contains("No space left"), "\(outcome.code) \(outcome.errors)")
    #expect(endpoint.lines("runs").isEmpty)
    #expect(try Fingerprint(path) == before)
    disk.filler.empty()
    #expect(try bench.run(call).text == "at-1\n")
  }

  @Test func revokedAccountsAreNot() throws {
    // Defends: of a revoked account neither get nor refresh gives anything: it is not to be had before it is linked again.
    let vault = try Vault.open(at: bench.vault, credential: KeySource.file(bench.keyFile).credential(.key))
    let store = TokenStore(vault)
    let id = try TokenID(user: "eve", provider: "p")
    let token = try OAuthToken(json: Array(Endpoint.expired.utf8).span)
    try store.link(NewAccount(try ProviderAccount(id: "1"), token: token), for: id)
    try store.revoke(id)
    try vault.close()
    let calls = [
      ["get", "eve", "--provider", "p"], ["get", "eve", "--provider", "p", "--field", "scope"],
      ["get", "eve", "--provider", "p", "--valid-for", "1m", "--refresh-with", endpoint.command],
      ["refresh", "eve", "--provider", "p", "--valid-for", "1m", "--", endpoint.command],
    ]
    for call in calls {
      let outcome = try bench.run(Call(call))
      #expect(outcome.code == 4 && outcome.errors.contains("the account is revoked"), "\(outcome.errors)")
    }
    #expect(endpoint.lines("runs").isEmpty)
  }

  // MARK: Files

  @Test func lockFileThatIsALink() throws {
    // Defends: the lock's file is not followed to another place; the sentence names it, and so does the doctor.
    try FileManager.default.createSymbolicLink(atPath: bench.vault + ".refresh", withDestinationPath: "/nowhere/else")
    let outcome = try endpoint.refresh()
    #expect(outcome.code == 78 && outcome.errors.contains("vault.tv.refresh is a symbolic link"), "\(outcome.errors)")
    #expect(endpoint.lines("runs").isEmpty)
    let doctor = try bench.run("doctor")
    #expect(doctor.code == 78 && doctor.text.contains("refresh lock"))
    #expect(try bench.run("get", "ada").code == 0)
  }

  @Test func lockFileThatOthersCanHold() throws {
    // Defends: a lock that others could hold for ever is refused, with what to type.
    #expect(try endpoint.refresh().code == 0)
    #expect(try bench.run("doctor").text.contains("refresh lock"))
    try #require(unsafe chmod(bench.vault + ".refresh", 0o640) == 0)
    try bench.put("ada", Endpoint.expired)
    let outcome = try endpoint.refresh()
    #expect(outcome.code == 78 && outcome.errors.contains("chmod 600"), "\(outcome.errors)")
    #expect(try bench.run("doctor").code == 78)
  }

  @Test(arguments: [
    ["refresh", "ada", "--", "true"], ["refresh", "ada", "--valid-for", "5m"],
    ["refresh", "ada", "--valid-for", "5m", "true"], ["refresh", "ada", "--valid-for", "5m", "--"],
    ["refresh", "ada", "--valid-for", "-1", "--", "true"], ["refresh", "--valid-for", "5m", "--", "true"],
  ])
  func wrongArguments(_ arguments: [String]) throws {
    // Defends: what is missing is told before anything is done.
    let before = try Fingerprint(bench.vault)
    #expect(try bench.run(Call(arguments)).code == 64)
    #expect(try Fingerprint(bench.vault) == before)
  }
}
