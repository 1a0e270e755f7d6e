import Glibc

/// Times as RFC 3339 in UTC, and spans as people say them.
enum Timestamp {
  /// Seconds since 1970.
  static var now: Int64 { Int64(time(nil)) }

  /// A time in microseconds, to the second.
  static func seconds(_ microseconds: Int64) -> String { text(floorDivided(microseconds, 1_000_000)) + "Z" }

  /// A time in microseconds, in full.
  static func full(_ microseconds: Int64) -> String {
    let whole = floorDivided(microseconds, 1_000_000)
    let rest = microseconds % 1_000_000
    return text(whole) + "." + padded(rest < 0 ? rest + 1_000_000 : rest, 6) + "Z"
  }

  /// A time in seconds; out of the years 0 to 9999, the number itself.
  static func ofSeconds(_ seconds: Int64) -> String {
    (-62_167_219_200..<253_402_300_800).contains(seconds) ? text(seconds) + "Z" : "\(seconds)"
  }

  /// How far `seconds` lies ahead or behind, in the largest whole unit.
  static func distance(to seconds: Int64, from now: Int64) -> String {
    let (span, overflow) = seconds.subtractingReportingOverflow(now)
    guard !overflow else { return "" }
    let text = length(ofSeconds: span.magnitude)
    return span < 0 ? text + " ago" : "in " + text
  }

  /// A length of time in its largest whole unit.
  static func length(ofSeconds seconds: UInt64) -> String {
    switch seconds {
    case 0..<120: "\(seconds) s"
    case 0..<7200: "\(seconds / 60) min"
    case 0..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) days"
    }
  }

  private static func text(_ seconds: Int64) -> String {
    let days = floorDivided(seconds, 86_400)
    let rest = seconds - days * 86_400
    let (year, month, day) = civil(days)
    let clock = [rest / 3600, rest / 60 % 60, rest % 60].map { padded($0, 2) }.joined(separator: ":")
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + clock
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01, by eras of 400 years that begin in March.
  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivided(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func floorDivided(_ value: Int64, _ divisor: Int64) -> Int64 {
    value % divisor < 0 ? value / divisor - 1 : value / divisor
  }

  private static func padded(_ number: Int64, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
