import JSONText

/// What `doctor` says of one thing.
struct Diagnosis {
  /// How bad it is.
  enum Level: String {
    /// As it should be.
    case ok
    /// Works, but something of what TokenVault promises may not hold, or something wants looking after.
    case warning
    /// Commands will fail.
    case problem
  }

  /// What was looked at: `vault`, `lock`, ...
  let subject: String
  let level: Level
  /// One sentence, without a full stop.
  let sentence: String
  /// What to type or to do; none where all is well.
  let remedy: String?
  /// What the commands that need this end with.
  let exit: ExitCode

  private init(_ subject: String, _ level: Level, _ sentence: String, _ remedy: String?, _ exit: ExitCode) {
    self.subject = subject
    self.level = level
    self.sentence = sentence
    self.remedy = remedy
    self.exit = exit
  }

  static func ok(_ subject: String, _ sentence: String) -> Self { Self(subject, .ok, sentence, nil, .ok) }

  static func warning(_ subject: String, _ sentence: String, _ remedy: String) -> Self {
    Self(subject, .warning, sentence, remedy, .ok)
  }

  static func problem(_ subject: String, _ sentence: String, _ remedy: String?, _ exit: ExitCode) -> Self {
    Self(subject, .problem, sentence, remedy, exit)
  }

  /// For `--json`.
  var json: JSONValue {
    .object([
      ("check", .string(subject)), ("level", .string(level.rawValue)), ("message", .string(sentence)),
      ("remedy", remedy.map { .string($0) } ?? .null),
    ])
  }
}
