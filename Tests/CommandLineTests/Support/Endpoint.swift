import Foundation
import Testing

/// A bench with a token that has expired, and with a command that plays the token endpoint.
///
/// The command answers with `at-1`, `at-2` and so on, keeps a line in `runs` for each time that it ran and what it was given in
/// `input`, and a line in `overlaps` should it ever run twice at once.
final class Endpoint {
  let bench: Bench
  let command: String
  static let expired = #"{"access_token":"at-0","refresh_token":"rt-0","expires_at":1000}"#

  init() throws {
    bench = try Bench()
    command = bench.folder + "/endpoint"
    try script(
      "endpoint",
      """
      mkdir busy 2>/dev/null || { echo overlap >>overlaps; exit 9; }
      echo "$PPID" >holder
      cat >input
      echo run >>runs
      number=$(wc -l <runs)
      [ -z "$PAUSE" ] || sleep "$PAUSE"
      rmdir busy
      echo '{"access_token":"at-'"$((number))"'","refresh_token":"rt-'"$((number))"'","expires_in":3600}'
      """)
    try bench.put("ada", Self.expired)
  }

  /// Writes a shell script that runs in the bench's folder; gives its path.
  @discardableResult
  func script(_ name: String, _ text: String) throws -> String {
    let path = bench.folder + "/" + name
    try bench.write(program: "#!/bin/sh\ncd '\(bench.folder)' || exit 8\n\(text)\n", to: name)
    return path
  }

  /// The lines of a file of the command's; none where there is no file.
  func lines(_ name: String) -> [String] {
    let text = (try? bench.contents(of: bench.folder + "/" + name)).map { String(decoding: $0, as: UTF8.self) }
    return (text ?? "").split(separator: "\n").map { String($0) }
  }

  /// `refresh ada` by `command`, or by the command that plays the endpoint.
  func refresh(_ options: String..., by command: [String]? = nil) throws -> Outcome {
    try bench.run(call(options, by: command))
  }

  /// The call for it.
  func call(_ options: [String], by command: [String]? = nil) -> Call {
    Call(["refresh", "ada", "--valid-for", "5m"] + options + ["--"] + (command ?? [self.command]))
  }

  /// What is stored as the access token.
  func stored() throws -> String { try bench.run("get", "ada").text }
}
