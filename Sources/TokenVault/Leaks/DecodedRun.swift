/// The text of a run as it was before JSON or a URL took it up, with each byte's place in the run.
///
/// A byte that stands for something else than part of a token is zero.
struct DecodedRun {
  /// The bytes.
  private(set) var bytes: [UInt8] = []
  /// Where the form of each begins.
  private(set) var places: [Int] = []

  /// Undoes the escapes of a JSON string: `\/` and `\u002f` are a slash, `\n` is no part of a token.
  init(unescaping run: Span<UInt8>) {
    reserve(run.count)
    var place = 0
    while place < run.count {
      guard run[place] == UInt8(ascii: "\\") else {
        append(run[place], at: place)
        place += 1
        continue
      }
      let escape = Self.escape(in: run, at: place)
      append(escape.byte, at: place)
      place += escape.length
    }
  }

  /// Undoes the percent-encoding of a URL (RFC 3986, section 2.1) in what `run` gives, once.
  init(percentDecoding run: DecodedRun) {
    reserve(run.bytes.count)
    let bytes = run.bytes.span
    var place = 0
    while place < bytes.count {
      let byte = Self.percentEncoded(in: bytes, at: place)
      append(byte ?? bytes[place], at: run.places[place])
      place += byte == nil ? 1 : 3
    }
  }

  private mutating func reserve(_ count: Int) {
    bytes.reserveCapacity(count)
    places.reserveCapacity(count)
  }

  private mutating func append(_ byte: UInt8, at place: Int) {
    bytes.append(byte)
    places.append(place)
  }

  /// What `%` and two digits at `place` stand for; `nil`, if there is something else.
  private static func percentEncoded(in bytes: Span<UInt8>, at place: Int) -> UInt8? {
    guard bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count,
      let high = TokenBytes.hexadecimal(bytes[place + 1]), let low = TokenBytes.hexadecimal(bytes[place + 2])
    else { return nil }
    return high << 4 | low
  }

  /// What the escape at `place` stands for, and how long it is.
  private static func escape(in run: Span<UInt8>, at place: Int) -> (byte: UInt8, length: Int) {
    guard place + 1 < run.count else { return (0, 1) }
    guard run[place + 1] == UInt8(ascii: "u"), place + 5 < run.count else {
      return (run[place + 1] == UInt8(ascii: "/") ? UInt8(ascii: "/") : 0, 2)
    }
    var value = 0
    for index in place + 2..<place + 6 {
      guard let digit = TokenBytes.hexadecimal(run[index]) else { return (0, 2) }
      value = value << 4 | Int(digit)
    }
    return (value < 128 ? UInt8(value) : 0, 6)
  }
}
