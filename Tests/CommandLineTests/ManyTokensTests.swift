import Testing
import TokenVault

@testable import tokenvault

/// `put --jsonl`: many tokens, one a line.
@Suite struct ManyTokensTests {
  @Test func linesOfBothForms() throws {
    // Defends: each token comes back byte for byte as it stands in its line, under the user and provider of the line.
    let bench = try Bench()
    let outcome = try bench.run(
      "put", "--jsonl", "--provider", "github", "--json",
      input: """
        {"user_id":"ada", "access_token":"a\\u0031", "x" : [1, {"user_id":2}], "expires_at":1.79e9 }
        {"token": {"access_token":"b","user_id":"inner","ttl":5} ,"user_id":"bob","provider":"reddit"}

        \r
        {"access_token":"c","token":"text","us\\u0065r_id":"ev\\"e","provider":""}
        """)
    #expect(outcome.text == #"{"stored":3,"left_out":0}"# + "\n" && outcome.errors == "", "\(outcome.errors)")
    let json = ["--format", "json"]
    #expect(
      try bench.run(Call(["get", "ada", "--provider", "github"] + json)).text
        == #"{"access_token":"a\u0031","x" : [1, {"user_id":2}],"expires_at":1.79e9 }"# + "\n")
    #expect(
      try bench.run(Call(["get", "bob", "--provider", "reddit"] + json)).text
        == #"{"access_token":"b","user_id":"inner","ttl":5}"# + "\n")
    #expect(try bench.run(Call(["get", "ev\"e"] + json)).text == #"{"access_token":"c","token":"text"}"# + "\n")
  }

  @Test func moreThanOneBatch() throws {
    // Defends: lines are neither lost nor torn where one batch ends and the next begins; nothing is told on the way but at the
    // end, when nobody watches.
    let bench = try Bench()
    let lines = ManyLines(batches: 3)
    var call = Call("put", "--jsonl")
    call.input = .bytes(lines.bytes)
    let outcome = try bench.run(call)
    #expect(outcome.code == 0 && outcome.output.isEmpty)
    #expect(outcome.errors == "tokenvault: stored \(lines.count) tokens\n")
    #expect(try bench.run("list", "--json").lines.count == lines.count)
    #expect(try bench.run("verify").code == 0)
  }

  @Test(arguments: [
    ("[1]", "it is an array"), (#"{"access_token":"s3cret"}"#, "there is no user_id"),
    (#"{"user_id":7,"access_token":"s3cret"}"#, "user_id is not a string"),
    (#"{"user_id":"","access_token":"s3cret"}"#, "the user id is empty"),
    (#"{"user_id":"s3cret\ud800","access_token":"s3cret"}"#, "U+FFFD"),
    (#"{"user_id":"x","access_token":"s3cret"} s3cret"#, "column 41"),
    (#"{"user_id":"x","access_token":"s3cret","access_token":"s3cret"}"#, "a member stands twice"),
    (#"{"user_id":"x","access_token":["s3cret"]}"#, "access_token is not a string"),
    (#"{"user_id":"x","ttl":"s3cret","access_token":"s3cret"}"#, "the member ttl"),
    (#"{"user_id":"x","ttl":"0s","access_token":"s3cret"}"#, "the member ttl"),
    (#"{"user_id":"x","error":"s3cret"}"#, "an endpoint's error"),
    (#"{"user_id":"x","token":{"error":"s3cret"}}"#, "an endpoint's error"),
    (#"{"user_id":"x","token":{"access_token":"s3cret"},"scope":"s3cret"}"#, "beside the member token"),
  ])
  func aLineThatIsNoToken(_ line: String, _ what: String) throws {
    // Defends: the line is named, its content is not; what stands before it is stored, and nothing behind it.
    let bench = try Bench()
    let good = #"{"user_id":"ada","access_token":"1"}"#
    let input = [good, "", line, #"{"user_id":"eve","access_token":"2"}"#].joined(separator: "\n")
    let outcome = try bench.run("put", "--jsonl", input: input)
    #expect(outcome.code == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("line 3") && outcome.errors.contains(what), "\(outcome.errors)")
    #expect(outcome.errors.contains("1 token before that stored") && !outcome.errors.contains("s3cret"))
    #expect(try bench.run("list", "--json").lines.count == 1)
  }

  @Test func aLineWithoutEnd() throws {
    // Defends: memory stays bounded, whatever comes.
    let bench = try Bench()
    var call = Call("put", "--jsonl")
    call.input = .bytes([UInt8](repeating: UInt8(ascii: " "), count: LineReader.limit + 1))
    let outcome = try bench.run(call)
    #expect(outcome.code == 64 && outcome.errors.contains("line 1 is longer than 4194304 bytes"))
    #expect(try bench.run("list", "--json").lines.isEmpty)
  }

  @Test func whatIsThereIsLeftOut() throws {
    // Defends: with --if-absent no token is replaced, neither an older one nor one of the same lines; the code tells.
    let bench = try Bench()
    try bench.put("ada", #"{"access_token":"old"}"#)
    let input = ["ada", "bob", "bob", "eve"].enumerated().map { #"{"user_id":"\#($1)","access_token":"\#($0)"}"# }
    let outcome = try bench.run("put", "--jsonl", "--if-absent", "--json", input: input.joined(separator: "\n"))
    #expect(outcome.code == 5 && outcome.text == #"{"stored":2,"left_out":2}"# + "\n")
    #expect(try bench.run("get", "ada").text == "old\n")
    #expect(try bench.run("get", "bob").text == "1\n")
    #expect(try bench.run("get", "eve").text == "3\n")
    #expect(try bench.run("put", "--jsonl", "--if-absent", input: "").code == 0)
    #expect(try bench.run("put", "--jsonl", input: input[0]).code == 0)
    #expect(try bench.run("get", "ada").text == "0\n")
  }

  @Test func aTimeToLive() throws {
    // Defends: the line's ttl outdoes the option.
    let bench = try Bench()
    let input = #"{"user_id":"ada","ttl":"1h","access_token":"1"}"# + "\n" + #"{"user_id":"bob","access_token":"1"}"#
    #expect(try bench.run("put", "--jsonl", "--ttl", "1ms", input: input).code == 0)
    try waitUntil("bob's entry is over") { try bench.run("has", "bob").code == 3 }
    #expect(try bench.run("has", "ada").code == 0)
  }

  @Test func optionsThatExcludeEachOther() throws {
    let bench = try Bench()
    for arguments in [["put", "ada", "--jsonl"], ["put", "--jsonl", "--if-seq", "1"], ["put"]] {
      #expect(try bench.run(Call(arguments)).code == 64)
    }
    var call = Call("put", "--jsonl", "--key", "stdin")
    call.givesKey = false
    #expect(try bench.run(call).code == 64)
  }
}
