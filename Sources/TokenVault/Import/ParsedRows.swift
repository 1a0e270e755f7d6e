internal import VaultCrypto
internal import VaultEngine

/// Some lines, to be read by one thread.
struct RowPart: Sendable {
  /// `nil` for a line that is too long.
  let lines: Lines?
  let range: Range<Int>
  /// The lines that can't be read at all.
  var rejected: [RejectedRow] = []
  /// Bytes of the input up to the end of these lines.
  let bytesDone: Int

  /// Reads the lines.
  func parsed(by form: some RowForm) -> ParsedRows {
    var parsed = ParsedRows(rejected: rejected, bytesDone: bytesDone)
    guard let lines else { return parsed }
    for index in range where !lines.isEmpty(index) {
      let place = RowReference(lines: lines, index: index)
      do throws(LineFault) {
        let row = try lines.withLine(index) { (line) throws(LineFault) in try form.row(line) }
        parsed.rows.append((row, place))
      } catch {
        let column = error.column.map { "column \($0): " } ?? ""
        parsed.rejected.append(
          RejectedRow(line: place.line, code: error.code, sentence: column + error.sentence, row: place))
      }
    }
    return parsed
  }
}

/// What became of some lines.
struct ParsedRows: Sendable {
  var rows: [ImportPass.Read] = []
  var rejected: [RejectedRow]
  let bytesDone: Int

  init(rejected: [RejectedRow], bytesDone: Int) { (self.rejected, self.bytesDone) = (rejected, bytesDone) }
}

/// The lines of an input, some at a time.
struct RowParts: ~Copyable {
  /// Lines of a part: fewer where each takes a twentieth of a second.
  var partLength = 512
  private var reader: LineReader
  private var block: LineReader.Block?
  private var next = 0
  private var bytesBefore = 0

  /// - Throws: `io`.
  init(_ input: ImportInput) throws(VaultError) {
    var reader = try Self.reading { () throws(ReadFailure) in try LineReader(input) }
    block = try Self.reading { () throws(ReadFailure) in try reader.read() }
    self.reader = reader
  }

  private static func reading<Result: ~Copyable>(
    _ body: () throws(ReadFailure) -> Result
  ) throws(VaultError) -> Result {
    do throws(ReadFailure) {
      return try body()
    } catch {
      throw VaultError(reading: error)
    }
  }

  /// The first lines that are not too long, if they are at the beginning.
  var beginning: Lines? {
    if case .lines(let lines)? = block { return lines }
    return nil
  }

  /// - Throws: `io`.
  mutating func take() throws(VaultError) -> RowPart? {
    while true {
      switch block {
      case nil: return nil
      case .tooLong(let line, let bytes)?:
        bytesBefore += bytes
        try advance()
        let rejected = RejectedRow(
          line: line, code: "line-too-long",
          sentence: "the line has \(bytes) bytes; \(LineReader.limit) is the limit, and it is not repeated here",
          row: nil)
        return RowPart(lines: nil, range: 0..<0, rejected: [rejected], bytesDone: bytesBefore)
      case .lines(let lines)?:
        let count = lines.ranges.count
        guard next < count else {
          bytesBefore += (lines.ranges.last?.upperBound ?? 0) + 1
          try advance()
          continue
        }
        let range = next..<min(next + partLength, count)
        next = range.upperBound
        return RowPart(
          lines: lines, range: range, bytesDone: bytesBefore + lines.ranges[range.upperBound - 1].upperBound + 1)
      }
    }
  }

  private mutating func advance() throws(VaultError) {
    next = 0
    block = try Self.reading { () throws(ReadFailure) in try reader.read() }
  }
}

extension VaultError {
  fileprivate init(reading failure: ReadFailure) {
    switch failure {
    case .tooLong: self.init(.valueTooLarge, "the input has a line that is too long")
    case .system(let number):
      self.init(.io, "the input can't be read: \(systemMessage(number))", systemError: number)
    case .memory(let sentence): self.init(.cryptoFailure, sentence)
    }
  }
}
