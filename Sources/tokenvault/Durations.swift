import ArgumentParser
import TokenVault

/// A length of time as people write it: `90s`, `15m`, `12h`, `30d`, `2w`, `500ms`, or a number of seconds.
struct TimeSpan: ExpressibleByArgument, Equatable {
  /// Milliseconds.
  let milliseconds: Int64

  /// The same for the library.
  var duration: Duration { .milliseconds(milliseconds) }
  /// Whole seconds, rounded up.
  var seconds: Int64 { (milliseconds + 999) / 1000 }

  /// `nil` when it is no such text, or longer than a thousand years.
  init?(argument: String) {
    guard let milliseconds = DurationText.milliseconds(argument) else { return nil }
    self.milliseconds = milliseconds
  }
}
