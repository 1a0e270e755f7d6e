import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Some whole lines of standard input, in memory that is wiped.
final class Lines: Sendable {
  /// Number of the first one, from 1.
  let first: Int
  /// Where each stands, without its line end.
  let ranges: [Range<Int>]
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
  func withLine<Result, Failure: Error>(
    _ index: Int, _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withSpan { (span) throws(Failure) in try body(span.extracting(ranges[index])) }
  }

  /// Whether there is nothing on a line but white space.
  func isEmpty(_ index: Int) -> Bool {
    withLine(index) { (line) in
      for place in line.indices where line[place] != 0x20 && line[place] != 0x09 && line[place] != 0x0D { return false }
      return true
    }
  }
}

/// Reads standard input by whole lines, some thousands at a time, so that any amount can come.
struct LineReader: ~Copyable {
  /// Bytes that are read at a time, and that a line may have: more than the largest token has.
  static let limit = 4 << 20

  /// What was read of a line whose end was not.
  private var rest: SecretBytes
  private var next = 1
  private var isAtEnd = false

  init() throws(CommandFailure) { rest = try Self.copy(of: Span(), capacity: 0) }

  /// The lines that come next; `nil` when there are no more.
  ///
  /// - Throws: ``ExitCode/usage`` for a line that is too long; ``ExitCode/io``.
  mutating func read() throws(CommandFailure) -> Lines? {
    var bytes = try Self.copy(of: rest.span, capacity: Self.limit)
    while !isAtEnd, bytes.count < bytes.capacity { isAtEnd = try !Self.append(to: &bytes) }
    guard bytes.count > 0 else { return nil }
    let whole = isAtEnd ? bytes.count : Self.endOfLastLine(bytes.span)
    guard whole > 0 else {
      throw CommandFailure(.usage, "line \(next) is longer than \(Self.limit) bytes")
    }
    rest = try Self.copy(of: bytes.span.extracting(whole..<bytes.count), capacity: bytes.count - whole)
    bytes.removeLast(bytes.count - whole)
    let lines = Lines(bytes, first: next)
    next += lines.ranges.count
    return lines
  }

  private static func endOfLastLine(_ bytes: Span<UInt8>) -> Int {
    var end = bytes.count
    while end > 0, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    return end
  }

  private static func append(to bytes: inout SecretBytes) throws(CommandFailure) -> Bool {
    do throws(ReadFailure) {
      return try bytes.appendSome(from: STDIN_FILENO)
    } catch {
      throw CommandFailure(reading: error)
    }
  }

  private static func copy(of bytes: Span<UInt8>, capacity: Int) throws(CommandFailure) -> SecretBytes {
    do throws(CryptoError) {
      var copy = try SecretBytes(capacity: capacity)
      copy.append(bytes)
      return copy
    } catch {
      throw CommandFailure(.failure, error.sentence)
    }
  }
}

extension CommandFailure {
  /// Standard input, on which a token is awaited, can't be read.
  init(reading failure: ReadFailure) {
    switch failure {
    case .tooLong:
      self.init(VaultError(.valueTooLarge, "the token is longer than \(VaultLimits.value) bytes"))
    case .system(let number):
      self.init(.io, "standard input can't be read: \(systemMessage(number))")
    case .memory(let sentence): self.init(.failure, sentence)
    }
  }
}
