import JSONText
import VaultEngine

/// A vault's frames on standard output, a line each, written as they come: however many there are, few are in memory.
struct FrameList {
  private static let columns = [
    ("SEQ", 9), ("BYTE", 13), ("LENGTH", 8), ("TYPE", 10), ("TERM", 4), ("POSITION", 8), ("BATCH", 5),
  ]
  private static let recordColumns = [("DOES", 6), ("VERSION", 9), ("TIME", 0)]
  /// Bytes that are written at once.
  private static let piece = 1 << 16

  private let asJSON: Bool
  private let withRecords: Bool
  private var text = ""

  /// - Parameter withRecords: what records do is known.
  init(asJSON: Bool, withRecords: Bool) {
    self.asJSON = asJSON
    self.withRecords = withRecords
    if !asJSON { add(columns.map(\.0)) }
  }

  private var columns: [(String, Int)] { Self.columns + (withRecords ? Self.recordColumns : []) }

  /// Adds a frame.
  ///
  /// - Throws: ``ExitCode/io``.
  mutating func add(_ frame: FrameSummary) throws(CommandFailure) {
    if asJSON { text += Self.json(frame).text + "\n" } else { add(Self.cells(frame)) }
    if text.utf8.count >= Self.piece { try end() }
  }

  /// Writes what was not written yet.
  ///
  /// - Throws: ``ExitCode/io``.
  mutating func end() throws(CommandFailure) {
    try Output.write(text)
    text = ""
  }

  private mutating func add(_ cells: [String]) {
    var line = ""
    var owed = 0
    for (cell, column) in zip(cells, columns) {
      if !cell.isEmpty {
        line += String(repeating: " ", count: owed) + cell
        owed = 0
      }
      // A number that is too wide shifts its own line, and no other.
      owed += 2 + max(0, column.1 - cell.utf8.count)
    }
    text += line + "\n"
  }

  private static func cells(_ frame: FrameSummary) -> [String] {
    [
      "\(frame.sequence)", "\(frame.offset)", "\(frame.length)", frame.type, "\(frame.term)", "\(frame.position)",
      frame.endsBatch ? "end" : "",
    ] + (frame.record.map { [$0.operation, "\($0.version)", Timestamp.seconds($0.time)] } ?? [])
  }

  private static func json(_ frame: FrameSummary) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("sequence", .unsigned(frame.sequence)), ("offset", .unsigned(frame.offset)),
      ("length", .unsigned(UInt64(frame.length))), ("type", .string(frame.type)),
      ("term", .unsigned(UInt64(frame.term))),
      ("position", .unsigned(UInt64(frame.position))), ("ends_batch", .bool(frame.endsBatch)),
    ]
    if let record = frame.record {
      members.append(("operation", .string(record.operation)))
      members.append(("version", .unsigned(record.version)))
      members.append(("time", .string(Timestamp.full(record.time))))
    }
    return .object(members)
  }
}
