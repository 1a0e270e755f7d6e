internal import Glibc
internal import VaultCrypto

/// Where lines come from.
public struct ImportInput: Sendable {
  enum Source: Sendable {
    case descriptor(Int32)
    case bytes([UInt8])
  }

  let source: Source

  /// What is left to read from an open descriptor, which stays open.
  public static func descriptor(_ number: Int32) -> ImportInput { ImportInput(source: .descriptor(number)) }

  /// Lines in memory. The caller's copy is the caller's to wipe.
  public static func bytes(_ bytes: [UInt8]) -> ImportInput { ImportInput(source: .bytes(bytes)) }

  /// How many bytes there are in all, where that is known: of a regular file and of memory.
  var size: Int? {
    switch source {
    case .bytes(let bytes): return bytes.count
    case .descriptor(let number):
      var status = stat()
      guard unsafe fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      return Int(status.st_size)
    }
  }
}

/// Some whole lines, in memory that is wiped.
package final class Lines: Sendable {
  /// Number of the first one, from 1.
  package let first: Int
  /// Where each stands, without its line end.
  package let ranges: [Range<Int>]
  private let bytes: SecretBytes

  /// - Parameter bytes: whole lines; the last may lack its line end.
  fileprivate init(_ bytes: consuming SecretBytes, first: Int) {
    self.first = first
    ranges = Self.lines(of: bytes.span)
    self.bytes = bytes
  }

  private static func lines(of bytes: Span<UInt8>) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      ranges.append(start..<index)
      start = index + 1
    }
    if start < bytes.count { ranges.append(start..<bytes.count) }
    return ranges
  }

  /// Gives the bytes of a line to `body`.
  package func withLine<Result, Failure: Error>(
    _ index: Int, _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withSpan { (span) throws(Failure) in try body(span.extracting(ranges[index])) }
  }

  /// Whether there is nothing on a line but white space.
  package func isEmpty(_ index: Int) -> Bool {
    withLine(index) { (line) in
      for place in line.indices where line[place] != 0x20 && line[place] != 0x09 && line[place] != 0x0D { return false }
      return true
    }
  }
}

/// Reads input by whole lines, some thousands at a time, so that any amount can come.
package struct LineReader: ~Copyable {
  /// What is read at a time.
  package enum Block: Sendable {
    /// Whole lines.
    case lines(Lines)
    /// A line of so many bytes, which is over the limit and was passed over.
    case tooLong(line: Int, bytes: Int)
  }

  /// Bytes that are read at a time, and that a line may have: more than the largest token has.
  package static let limit = 4 << 20

  private let input: ImportInput
  /// What was read of a line whose end was not.
  private var rest: SecretBytes
  private var next = 1
  private var isAtEnd = false
  /// Bytes that were taken from the input.
  package private(set) var position = 0

  /// - Throws: `memory`.
  package init(_ input: ImportInput) throws(ReadFailure) {
    self.input = input
    rest = try Self.copy(of: Span(), capacity: 0)
  }

  /// The lines that come next; `nil` when there are no more.
  ///
  /// - Throws: `system` when the input can't be read, `memory`.
  package mutating func read() throws(ReadFailure) -> Block? {
    var bytes = try Self.copy(of: rest.span, capacity: min(Self.limit, rest.count + left))
    try fill(&bytes)
    guard bytes.count > 0 else { return nil }
    let whole = isAtEnd ? bytes.count : Self.endOfLastLine(bytes.span)
    guard whole > 0 else { return try passOverLine(beginningWith: bytes) }
    rest = try Self.copy(of: bytes.span.extracting(whole..<bytes.count), capacity: bytes.count - whole)
    bytes.removeLast(bytes.count - whole)
    let lines = Lines(bytes, first: next)
    next += lines.ranges.count
    return .lines(lines)
  }

  /// Bytes that there may be more of: some lines in memory take no more room than they have.
  private var left: Int {
    if case .bytes(let all) = input.source { all.count - position } else { Self.limit }
  }

  private mutating func passOverLine(beginningWith bytes: consuming SecretBytes) throws(ReadFailure) -> Block {
    var bytes = bytes
    var count = bytes.count
    rest = try Self.copy(of: Span(), capacity: 0)
    while true {
      bytes.removeAll()
      try fill(&bytes)
      if let end = Self.firstLineEnd(bytes.span) {
        count += end
        rest = try Self.copy(of: bytes.span.extracting(end + 1..<bytes.count), capacity: bytes.count - end - 1)
        break
      }
      count += bytes.count
      if isAtEnd { break }
    }
    defer { next += 1 }
    return .tooLong(line: next, bytes: count)
  }

  private static func firstLineEnd(_ bytes: Span<UInt8>) -> Int? {
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") { return index }
    return nil
  }

  private static func endOfLastLine(_ bytes: Span<UInt8>) -> Int {
    var end = bytes.count
    while end > 0, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    return end
  }

  /// Reads until there is no more room or nothing more to read.
  private mutating func fill(_ bytes: inout SecretBytes) throws(ReadFailure) {
    while !isAtEnd, bytes.count < bytes.capacity {
      let before = bytes.count
      switch input.source {
      case .descriptor(let number): isAtEnd = try !bytes.appendSome(from: number)
      case .bytes(let all):
        let end = min(all.count, position + bytes.capacity - bytes.count)
        bytes.append(all.span.extracting(position..<end))
        isAtEnd = end == all.count
      }
      position += bytes.count - before
    }
  }

  private static func copy(of bytes: Span<UInt8>, capacity: Int) throws(ReadFailure) -> SecretBytes {
    do throws(CryptoError) {
      var copy = try SecretBytes(capacity: capacity)
      copy.append(bytes)
      return copy
    } catch {
      throw .memory(error.sentence)
    }
  }
}
