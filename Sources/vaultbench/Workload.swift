/// Made-up tokens and their names, as the programs that are measured beside this one make them.
///
/// Each is written into the caller's array, so that no time goes into memory.
enum Workload {
  /// `user-00000042`, 13 bytes for numbers below 100 million.
  static func write(name number: Int, to bytes: inout [UInt8]) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: "user-".utf8)
    let digits = "\(number)".utf8
    for _ in digits.count..<max(8, digits.count) { bytes.append(UInt8(ascii: "0")) }
    bytes.append(contentsOf: digits)
  }

  /// A token endpoint's answer of about 240 bytes.
  static func write(token number: Int, to bytes: inout [UInt8]) {
    let seed = UInt32(truncatingIfNeeded: number)
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: "{\"access_token\":\"".utf8)
    append(hexadecimal: seed &* 2_654_435_761, to: &bytes)
    bytes.append(contentsOf: "bd1c7e3fa94b62d0815ef3c7a29b64d01f8e\",\"refresh_token\":\"".utf8)
    append(hexadecimal: seed &* 40_503, to: &bytes)
    bytes.append(contentsOf: "-9f3c51d7e8a24b60bc1f7d52e3904a8c6d1b5f7e\",\"expires_at\":".utf8)
    bytes.append(contentsOf: "\(1_790_000_000 + number)".utf8)
    bytes.append(contentsOf: ",\"scope\":\"identity read submit\",\"token_type\":\"bearer\"}".utf8)
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
