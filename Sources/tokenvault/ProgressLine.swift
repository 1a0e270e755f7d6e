import Glibc
import JSONText

/// How far long work has come, on standard error: a line that is written over and over on a terminal, or lines of JSON.
struct ProgressLine {
  private enum Form { case none, terminal, json }

  private let form: Form
  private let unit: String
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?
  private var isShown = false

  /// - Parameter unit: what is counted, in the plural.
  init(_ mode: ProgressMode, unit: String) {
    self.unit = unit
    switch mode {
    case .never: form = .none
    case .always: form = .terminal
    case .json: form = .json
    case .auto: form = isatty(STDERR_FILENO) == 1 ? .terminal : .none
    }
  }

  /// Shows it, but no more than ten times a second, and not before work has taken half a second.
  ///
  /// - Parameter total: `nil`, when nobody knows how much there is to do.
  mutating func show(_ subject: String, done: Int, total: Int?) {
    guard form != .none else { return }
    let now = ContinuousClock.now
    guard now - (last ?? start + .milliseconds(400)) >= .milliseconds(100) else { return }
    last = now
    isShown = true
    switch form {
    case .none: break
    case .terminal:
      let amount = total.map { "\(done) of \($0)" } ?? "\(done)"
      let text = "\(TerminalText.safe(subject)): \(amount) \(unit)"
      write("\r\u{1B}[K" + text.prefix(79))
    case .json:
      var members: [(String, JSONValue)] = [("subject", .string(subject)), ("done", .integer(Int64(done)))]
      if let total { members.append(("total", .integer(Int64(total)))) }
      write(JSONValue.object([("progress", .object(members))]).text + "\n")
    }
  }

  /// Clears the line.
  mutating func end() {
    if form == .terminal, isShown { write("\r\u{1B}[K") }
    isShown = false
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Output.write(bytes.span, to: STDERR_FILENO)
  }
}
