internal import JSONText

/// A time as a row of another program has it: seconds since 1970, whole or not, or a text as SQLite and PostgreSQL print it.
enum ImportTime: Equatable {
  /// Microseconds since 1970; what is finer is cut off.
  case time(Int64)
  /// PostgreSQL's `infinity`.
  case never
  /// A time, but before the year 1 or after the year 9999; `-infinity` among them.
  case outOfRange
  /// No time.
  case unknown

  /// From the first microsecond of the year 1 to the last of the year 9999.
  private static let range: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

  init(_ value: JSONValue) {
    switch value {
    case .number(let text): self.init(seconds: text)
    case .string("infinity"): self = .never
    case .string("-infinity"): self = .outOfRange
    case .string(let text):
      self.init(seconds: text)
      if self == .unknown {
        var clock = ClockText(Array(text.utf8))
        self = clock.time()
      }
    default: self = .unknown
    }
  }

  private init(microseconds: Int64?) {
    self = microseconds.map { Self.range.contains($0) ? .time($0) : .outOfRange } ?? .outOfRange
  }

  /// A decimal number, with an exponent or without.
  private init(seconds text: String) {
    let isNegative = text.utf8.first == UInt8(ascii: "-")
    let halves = text.utf8.dropFirst(isNegative ? 1 : 0).split(
      separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = halves.count > 1 ? halves[1] : Substring("").utf8
    guard let whole = halves.first, Self.areDigits(whole), halves.count == 1 || Self.areDigits(fraction) else {
      self.init(scientific: text)
      return
    }
    // More digits than any number of seconds in range has, zeros in front aside.
    guard whole.drop(while: { $0 == UInt8(ascii: "0") }).count <= 12, let seconds = Int64(String(Substring(whole)))
    else {
      self = .outOfRange
      return
    }
    let digits = String(Substring(fraction.prefix(6)))
    let micros = Int64(digits + String(repeating: "0", count: 6 - digits.utf8.count)) ?? 0
    let total = seconds * 1_000_000 + micros
    self.init(microseconds: isNegative ? -total : total)
  }

  private init(scientific text: String) {
    let letters = text.utf8.contains { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") && $0 > UInt8(ascii: "9") }
    guard !letters, text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }), let number = Double(text) else {
      self = .unknown
      return
    }
    let micros = (number * 1_000_000).rounded(.down)
    self.init(microseconds: abs(micros) < 0x1p62 ? Int64(micros) : nil)
  }

  private static func areDigits(_ text: some Collection<UInt8>) -> Bool {
    !text.isEmpty && text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  fileprivate static func of(days: Int64, seconds: Int64, micros: Int64) -> ImportTime {
    ImportTime(microseconds: (days * 86_400 + seconds) * 1_000_000 + micros)
  }
}

/// `2024-01-31`, `2024-01-31 12:34:56`, `2024-01-31T12:34:56.123456+05:30` and what lies between. Without an offset it is UTC.
private struct ClockText {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func time() -> ImportTime {
    let yearDigits = digits(4...6)
    guard let year = yearDigits, take("-"), let month = digits(2...2), take("-"), let day = digits(2...2),
      (1...12).contains(month), day >= 1
    else { return .unknown }
    // PostgreSQL counts years without bound, and has those before Christ.
    guard (1...9999).contains(year), !bytes.suffix(3).elementsEqual(" BC".utf8) else { return .outOfRange }
    guard day <= Self.length(ofMonth: month, year) else { return .unknown }
    let days = Self.days(year, month, day)
    if isAtEnd { return .of(days: days, seconds: 0, micros: 0) }
    guard take(" ") || take("T") || take("t"), let hour = digits(2...2), hour < 24, take(":"),
      let minute = digits(2...2), minute < 60
    else { return .unknown }
    var (second, micros): (Int64, Int64) = (0, 0)
    if take(":") {
      guard let whole = digits(2...2), whole < 60 else { return .unknown }
      second = whole
      if take(".") || take(",") {
        guard let fraction = fraction() else { return .unknown }
        micros = fraction
      }
    }
    guard let offset = offset(), isAtEnd else { return .unknown }
    return .of(days: days, seconds: hour * 3600 + minute * 60 + second - offset, micros: micros)
  }

  private var isAtEnd: Bool { place == bytes.count }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func digits(_ counts: ClosedRange<Int>) -> Int64? {
    var (number, count): (Int64, Int) = (0, 0)
    while place < bytes.count, count < counts.upperBound, (0x30...0x39).contains(bytes[place]) {
      number = number * 10 + Int64(bytes[place] - 0x30)
      (place, count) = (place + 1, count + 1)
    }
    return count >= counts.lowerBound ? number : nil
  }

  private mutating func fraction() -> Int64? {
    var (micros, count): (Int64, Int) = (0, 0)
    while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
      if count < 6 { micros = micros * 10 + Int64(bytes[place] - 0x30) }
      (place, count) = (place + 1, count + 1)
    }
    for _ in min(count, 6)..<6 { micros *= 10 }
    return count > 0 ? micros : nil
  }

  /// Seconds east of Greenwich.
  private mutating func offset() -> Int64? {
    _ = take(" ")
    if isAtEnd || take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = digits(2...2), hours < 24 else { return nil }
    var seconds = hours * 3600
    for unit: Int64 in [60, 1] where !isAtEnd {
      _ = take(":")
      guard let part = digits(2...2), part < 60 else { return nil }
      seconds += part * unit
    }
    return isWest ? -seconds : seconds
  }

  private static func length(ofMonth month: Int64, _ year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
