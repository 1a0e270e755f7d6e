internal import Glibc

// What is looked for in every byte of a text.

extension Span<UInt8> {
  /// How many line ends there are.
  var lineEnds: Int {
    unsafe withUnsafeBufferPointer { (bytes) in
      var count = 0
      var start = 0
      // A count of one byte, of which as many as possible are in a register, can't overflow; and no register is left half full.
      while start < bytes.count {
        let end = Swift.min(start + 192, bytes.count)
        var part: UInt8 = 0
        for index in start..<end { part &+= unsafe bytes[index] == UInt8(ascii: "\n") ? 1 : 0 }
        count += Int(part)
        start = end
      }
      return count
    }
  }

  /// The place of the first line end from `start` on, or the end.
  func endOfLine(from start: Int) -> Int {
    unsafe withUnsafeBufferPointer { (bytes) in
      guard let base = bytes.baseAddress, start < bytes.count else { return bytes.count }
      guard let place = unsafe memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start) else {
        return bytes.count
      }
      return unsafe UnsafeRawPointer(place) - UnsafeRawPointer(base)
    }
  }

  /// Whether there are escapes of JSON, and of URLs.
  var encodings: (escapes: Bool, percents: Bool) {
    var found = (escapes: false, percents: false)
    for index in indices {
      if self[index] == UInt8(ascii: "\\") { found.escapes = true }
      if self[index] == UInt8(ascii: "%") { found.percents = true }
    }
    return found
  }
}
