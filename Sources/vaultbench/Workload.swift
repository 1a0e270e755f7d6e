/// Made-up tokens and their names, as the programs that are measured beside this one make them.
///
/// Each is written into the caller's array, so that no time goes into memory.
enum Workload {
  /// `user-00000042`, 13 bytes for numbers below 100 million.
  static func write(name number: Int, to bytes: inout [UInt8]) {
    bytes.removeAll(keepingCapacity: true)
    append("user-", to: &bytes)
    append(decimal: number, digits: 8, to: &bytes)
  }

  /// A token endpoint's answer of about 240 bytes.
  static func write(token number: Int, to bytes: inout [UInt8]) {
    let seed = UInt32(truncatingIfNeeded: number)
    bytes.removeAll(keepingCapacity: true)
    append("{\"access_token\":\"", to: &bytes)
    append(hexadecimal: seed &* 2_654_435_761, to: &bytes)
    append("bd1c7e3fa94b62d0815ef3c7a29b64d01f8e\",\"refresh_token\":\"", to: &bytes)
    append(hexadecimal: seed &* 40_503, to: &bytes)
    append("-9f3c51d7e8a24b60bc1f7d52e3904a8c6d1b5f7e\",\"expires_at\":", to: &bytes)
    append(decimal: 1_790_000_000 + number, digits: 10, to: &bytes)
    append(",\"scope\":\"identity read submit\",\"token_type\":\"bearer\"}", to: &bytes)
  }

  private static func append(_ text: StaticString, to bytes: inout [UInt8]) {
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// At least so many digits.
  private static func append(decimal number: Int, digits: Int, to bytes: inout [UInt8]) {
    let zero = UInt8(ascii: "0")
    let start = bytes.count
    for _ in 0..<digits { bytes.append(zero) }
    var (rest, place) = (number, bytes.count)
    while rest > 0 {
      if place == start { bytes.insert(zero, at: start) } else { place -= 1 }
      bytes[place] = zero + UInt8(rest % 10)
      rest /= 10
    }
  }

  /// Eight digits.
  private static func append(hexadecimal value: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt32(28), through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: value >> shift) & 15
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }
}

/// The numbers of the names that are read, the same in every run.
struct ReadSequence {
  private var state: UInt32 = 1

  /// A number below `count`.
  mutating func next(below count: Int) -> Int {
    state = state &* 1_664_525 &+ 1_013_904_223
    return Int(state >> 8) % count
  }
}
