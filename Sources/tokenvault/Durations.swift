import ArgumentParser

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
    let digits = argument.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard !digits.isEmpty, let number = Int64(String(Substring(digits))) else { return nil }
    guard let unit = Self.unit(String(argument.dropFirst(digits.count))) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    guard !overflow, product <= 1000 * 366 * 86_400_000 else { return nil }
    milliseconds = product
  }

  private static func unit(_ text: String) -> Int64? {
    switch text {
    case "ms": 1
    case "", "s": 1000
    case "m": 60_000
    case "h": 3_600_000
    case "d": 86_400_000
    case "w": 7 * 86_400_000
    default: nil
    }
  }
}
