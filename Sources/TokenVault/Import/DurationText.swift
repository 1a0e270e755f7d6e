/// A length of time as people write it: `90s`, `15m`, `12h`, `30d`, `2w`, `500ms`, or a number of seconds.
package enum DurationText {
  /// Milliseconds; `nil` when it is no such text, or longer than a thousand years.
  package static func milliseconds(_ text: String) -> Int64? {
    let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard !digits.isEmpty, let number = Int64(String(Substring(digits))) else { return nil }
    guard let unit = unit(String(text.dropFirst(digits.count))) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    return !overflow && product <= 1000 * 366 * 86_400_000 ? product : nil
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
