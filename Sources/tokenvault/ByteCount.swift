import ArgumentParser

/// A number of bytes, such as `10M`: K, M and G are powers of 1024.
struct ByteCount: ExpressibleByArgument {
  /// Bytes.
  let bytes: UInt64

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    let units: [Substring: UInt64] = ["": 0, "K": 10, "M": 20, "G": 30]
    guard let number = UInt64(digits), let shift = units[argument.dropFirst(digits.count)] else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    guard !overflow else { return nil }
    self.bytes = bytes
  }
}
