import Glibc
import JSONText

/// How far long work has come, on standard error: a line that is written over and over on a terminal, or lines of JSON.
///
/// Whoever works calls ``show(_:done:total:part:)`` as often as he likes, and ``end()`` before anything else is said.
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
  /// - Parameters:
  ///   - done: how many are done.
  ///   - total: how many there will be, if that is known.
  ///   - part: how much of the work is done, from 0 to 1, where something else than `done` and `total` tells that.
  mutating func show(_ subject: String, done: Int, total: Int? = nil, part: Double? = nil) {
    guard form != .none else { return }
    let now = ContinuousClock.now
    guard now - (last ?? start + .milliseconds(400)) >= .milliseconds(100) else { return }
    last = now
    isShown = true
    let state = ProgressState(
      done: done, total: total, part: part ?? total.map { Double(done) / Double(max($0, 1)) },
      seconds: (now - start) / .seconds(1))
    switch form {
    case .none: break
    case .terminal: write("\r\u{1B}[K" + state.line(TerminalText.safe(subject), unit: unit))
    case .json: write(state.json(subject, unit: unit).text + "\n")
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

/// What can be said of work at one moment.
struct ProgressState {
  /// How many are done.
  let done: Int
  /// How many there will be, if that is known.
  let total: Int?
  /// How much of the work is done, from 0 to 1, if that is known.
  let part: Double?
  /// Since the work began; above 0.
  let seconds: Double

  /// The part that is done, whatever was claimed of it.
  private var share: Double? { part.map { $0 > 0 ? min($0, 1) : 0 } }

  private var rate: Int { Int(clamping: Double(done) / max(seconds, 0.001)) }

  /// Seconds that are left, if all goes on as it did; `nil` when nobody can tell.
  private var left: Int? {
    guard let share, share > 0 else { return nil }
    return Int(clamping: (seconds * (1 - share) / share).rounded(.up))
  }

  /// The line for a terminal of 80 columns.
  func line(_ subject: String, unit: String) -> String {
    let count = "\(done)" + (total.map { " of \($0)" } ?? "") + " \(unit)"
    var tail = "  \(count)  \(rate)/s"
    if let left { tail += "  \(Timestamp.length(ofSeconds: UInt64(left))) left" }
    guard let share else { return String((subject + tail).prefix(79)) }
    let bar = String(repeating: "#", count: Int(share * 20))
    let head = subject + " [" + bar + String(repeating: ".", count: 20 - bar.count) + "]"
    return String((head + tail).prefix(79))
  }

  /// The line for a program; `total`, `percent` and `seconds_left` are null where they are not known.
  func json(_ subject: String, unit: String) -> JSONValue {
    .object([
      (
        "progress",
        .object([
          ("subject", .string(subject)), ("unit", .string(unit)), ("done", .integer(Int64(done))),
          ("total", total.map { .integer(Int64($0)) } ?? .null),
          ("percent", share.map { .integer(Int64($0 * 100)) } ?? .null),
          ("per_second", .integer(Int64(rate))), ("seconds_left", left.map { .integer(Int64($0)) } ?? .null),
        ])
      )
    ])
  }
}

extension Int {
  /// The whole part of `value`, or the nearest number that there is.
  fileprivate init(clamping value: Double) {
    self = value.isNaN ? 0 : value >= 0x1p62 ? 1 << 62 : value <= 0 ? 0 : Int(value)
  }
}
