import Glibc
import JSONText
import Synchronization
import TokenVault
import VaultEngine

/// `put --jsonl`: stores the tokens that come in on standard input, one a line.
struct LineLoad {
  /// How a line is read.
  let form: TokenLine
  /// Leaves out tokens whose name is there already.
  let ifAbsent: Bool

  /// Stores all lines up to the end, or to the first that is no token; those before it are stored then.
  func run(_ settings: Settings, progress mode: ProgressMode) throws {
    if isatty(STDIN_FILENO) == 1 { settings.note("reading lines of JSON from the terminal, end with ctrl-D") }
    var progress = ProgressLine(settings.quiet ? .never : mode, unit: "tokens")
    var outcome = ManyStored()
    do {
      try settings.write { (store) in
        var reader = try Self.reading { () throws(ReadFailure) in try LineReader(.descriptor(STDIN_FILENO)) }
        while let block = try Self.reading({ () throws(ReadFailure) in try reader.read() }) {
          switch block {
          case .lines(let lines): try put(lines, into: store, by: settings.context, &outcome)
          case .tooLong(let line, _):
            throw CommandFailure(.usage, "line \(line) is longer than \(LineReader.limit) bytes")
          }
          progress.show("stored", done: outcome.stored, total: nil)
        }
      }
    } catch {
      progress.end()
      throw Self.telling(outcome, error)
    }
    progress.end()
    try report(outcome, settings)
  }

  private static func reading<Result: ~Copyable>(
    _ body: () throws(ReadFailure) -> Result
  ) throws(CommandFailure) -> Result {
    do throws(ReadFailure) {
      return try body()
    } catch {
      throw CommandFailure(reading: error)
    }
  }

  private func put(
    _ lines: Lines, into store: TokenStore, by context: AuditContext, _ outcome: inout ManyStored
  ) throws {
    let before = outcome
    let (tokens, failure) = parse(lines)
    try store.put(contentsOf: tokens, ifAbsent: ifAbsent, by: context) { (part) in
      outcome.stored = before.stored + part.stored
      outcome.leftOut = before.leftOut + part.leftOut
    }
    if let failure { throw failure }
  }

  private func report(_ outcome: ManyStored, _ settings: Settings) throws {
    if settings.json {
      let members: [(String, JSONValue)] = [
        ("stored", .integer(Int64(outcome.stored))), ("left_out", .integer(Int64(outcome.leftOut))),
      ]
      try Output.line(JSONValue.object(members).text)
    } else {
      settings.note("stored \(counted(outcome.stored, "token", "tokens"))")
    }
    guard outcome.leftOut > 0 else { return }
    throw CommandFailure(
      .conflict, "\(counted(outcome.leftOut, "token", "tokens")) left out: there is one under the name already")
  }

  /// The failure that ended it, and what is stored all the same.
  private static func telling(_ outcome: ManyStored, _ error: any Error) -> any Error {
    var failure: CommandFailure
    switch error {
    case let error as CommandFailure: failure = error
    case let error as VaultError: failure = CommandFailure(error)
    default: return error
    }
    guard outcome != ManyStored() else { return failure }
    let stored = counted(outcome.stored, "token", "tokens")
    failure.sentence += "; \(stored) before that stored, and running it again does no harm"
    return failure
  }

  /// The tokens of all lines, or of those before the first that is none, and why it is none. Empty lines are passed over.
  private func parse(_ lines: Lines) -> (tokens: [NewToken], failure: CommandFailure?) {
    let count = lines.ranges.count
    // A thread's start costs as much as some dozen lines.
    let threads = count < 256 ? 1 : Threads.cores
    let parts = Mutex<[Int: ([NewToken], CommandFailure?)]>([:])
    Threads.perform(threads) { (part) in
      let parsed = parse(lines, count * part / threads..<count * (part + 1) / threads)
      parts.withLock { $0[part] = parsed }
    }
    var tokens: [NewToken] = []
    for part in parts.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      tokens += part.value.0
      if let failure = part.value.1 { return (tokens, failure) }
    }
    return (tokens, nil)
  }

  private func parse(_ lines: Lines, _ range: Range<Int>) -> ([NewToken], CommandFailure?) {
    var tokens: [NewToken] = []
    for index in range where !lines.isEmpty(index) {
      do throws(LineFault) {
        tokens.append(
          try lines.withLine(index) { (line) throws(LineFault) in try form.parse(line) })
      } catch {
        let place = "line \(lines.first + index)" + (error.column.map { ", column \($0)" } ?? "")
        return (tokens, CommandFailure(VaultError(.invalidToken, "\(place): \(error.sentence)")))
      }
    }
    return (tokens, nil)
  }
}

extension CommandFailure {
  /// Standard input, on which a token is awaited, can't be read.
  init(reading failure: ReadFailure) {
    switch failure {
    case .tooLong:
      self.init(VaultError(.valueTooLarge, "the token is longer than \(VaultLimits.value) bytes"))
    case .system(let number):
      self.init(.io, "standard input can't be read: \(systemMessage(number))")
    case .memory(let sentence): self.init(.failure, sentence)
    }
  }
}
