import VaultEngine

/// A moment as people write it: RFC 3339, a date, or how long ago.
struct TimePoint {
  /// Since 1970.
  let microseconds: Int64

  /// - Parameter option: that it was given to, for the message.
  /// - Throws: ``ExitCode/usage`` for a text that is no moment, or one that the calendar does not have.
  init(_ text: String, of option: String) throws(CommandFailure) {
    guard let time = Self.moment(text) else {
      throw CommandFailure(
        .usage, "\(option) does not take such a time",
        remedy: "give one like 2026-11-21T08:00:00Z, 2026-11-21, or 7d for seven days ago")
    }
    microseconds = time
  }

  private static func moment(_ text: String) -> Int64? {
    // A number alone could be a year as well as seconds.
    if let last = text.utf8.last, !isDigit(last), let span = TimeSpan(argument: text) {
      return Vault.currentTime() - span.milliseconds * 1000
    }
    var bytes = Array(text.utf8)[...]
    guard let day = date(&bytes) else { return nil }
    if bytes.isEmpty { return day * 86_400_000_000 }
    guard let mark = bytes.popFirst(), [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(mark),
      let time = clock(&bytes), let offset = offset(&bytes), bytes.isEmpty
    else { return nil }
    return day * 86_400_000_000 + time - offset * 60_000_000
  }

  /// Days since 1970.
  private static func date(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    guard let year = number(&bytes, digits: 4), take("-", &bytes), let month = number(&bytes, digits: 2),
      take("-", &bytes), let day = number(&bytes, digits: 2)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...lengths[Int(month) - 1]).contains(day) else { return nil }
    // Years and months counted from March, so that the day that some years have more is the last.
    let (shiftedYear, shiftedMonth) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let era = (shiftedYear + 400) / 400 - 1
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Microseconds of the day.
  private static func clock(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    guard let hour = number(&bytes, digits: 2), take(":", &bytes), let minute = number(&bytes, digits: 2),
      take(":", &bytes), let second = number(&bytes, digits: 2), hour < 24, minute < 60, second < 60
    else { return nil }
    var fraction: Int64 = 0
    if take(".", &bytes) {
      var scale: Int64 = 100_000
      guard let first = bytes.first, isDigit(first) else { return nil }
      while let digit = bytes.first, isDigit(digit) {
        fraction += Int64(digit - UInt8(ascii: "0")) * scale
        scale /= 10
        bytes.removeFirst()
      }
    }
    return (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
  }

  /// Minutes that the clock is ahead of UTC.
  private static func offset(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    if take("Z", &bytes) || take("z", &bytes) { return 0 }
    let isAhead = take("+", &bytes)
    guard isAhead || take("-", &bytes), let hour = number(&bytes, digits: 2), take(":", &bytes),
      let minute = number(&bytes, digits: 2), hour < 24, minute < 60
    else { return nil }
    return (isAhead ? 1 : -1) * (hour * 60 + minute)
  }

  private static func number(_ bytes: inout ArraySlice<UInt8>, digits: Int) -> Int64? {
    guard bytes.count >= digits, bytes.prefix(digits).allSatisfy(isDigit) else { return nil }
    defer { bytes.removeFirst(digits) }
    return bytes.prefix(digits).reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }

  private static func take(_ character: Unicode.Scalar, _ bytes: inout ArraySlice<UInt8>) -> Bool {
    guard bytes.first == UInt8(ascii: character) else { return false }
    bytes.removeFirst()
    return true
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
