import JSONText

/// Names come from elsewhere and may hold anything: this makes them fit to be seen.
enum TerminalText {
  /// Bytes of a name as text; what is not UTF-8 becomes `\x..`, what a terminal would obey `\u{...}`.
  static func safe(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return safe(text) }
    var text = ""
    for byte in bytes {
      text += (0x20..<0x7f).contains(byte) ? String(Unicode.Scalar(byte)) : "\\x" + hex(UInt32(byte), digits: 2)
    }
    return text
  }

  /// `text` without what a terminal would obey.
  static func safe(_ text: String, keepsLines: Bool = false) -> String {
    guard text.unicodeScalars.contains(where: \.isObeyedByTerminals) else { return text }
    var safe = ""
    for scalar in text.unicodeScalars {
      if scalar.isObeyedByTerminals, !(keepsLines && scalar == "\n") {
        safe += "\\u{" + hex(scalar.value, digits: 1) + "}"
      } else {
        safe.unicodeScalars.append(scalar)
      }
    }
    return safe
  }

  /// Columns that `text` takes on a terminal.
  static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    // East Asian Width W and F (Unicode Standard Annex 11), in blocks.
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xac00...0xd7a3: return 2
    case 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6: return 2
    case 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd: return 2
    default: return 1
    }
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

/// Rows in aligned columns.
struct Table {
  private var rows: [[String]]

  /// A table with one line of headings.
  init(_ headings: [String]) { rows = [headings] }

  /// A table without headings.
  init() { rows = [] }

  /// Adds a row; its cells must be fit for a terminal already.
  mutating func add(_ row: [String]) { rows.append(row) }

  /// The rows, two spaces between columns, each line ended.
  var text: String {
    var columns = Columns()
    for row in rows { columns.fit(row) }
    return rows.map(columns.line).joined()
  }
}

/// How wide the columns of a table are: for one too long to be held in memory, whose rows are made twice.
struct Columns {
  private var widths: [Int] = []

  /// Makes room for a row; its cells must be fit for a terminal already.
  mutating func fit(_ row: [String]) {
    if widths.count < row.count { widths += [Int](repeating: 0, count: row.count - widths.count) }
    for (column, cell) in row.enumerated() { widths[column] = max(widths[column], TerminalText.width(cell)) }
  }

  /// A row that was made room for, two spaces between columns, ended.
  func line(_ row: [String]) -> String {
    var line = ""
    var owed = 0
    for (cell, width) in zip(row, widths) {
      if !cell.isEmpty {
        line += String(repeating: " ", count: owed) + cell
        owed = 0
      }
      owed += 2 + width - TerminalText.width(cell)
    }
    return line + "\n"
  }
}
