internal import JSONText
internal import VaultCrypto
internal import VaultFormat

extension RejectedRow {
  /// The rejected row as a line of JSON, without line end: `line`, `code`, `message`, and the row as `row` if it is JSON, as
  /// `text` if it is at least UTF-8, else as `base64`. It holds whatever secrets the row holds.
  public var json: [UInt8] {
    var members: [(String, JSONValue)] = [
      ("line", .integer(Int64(line))), ("code", .string(code)), ("message", .string(sentence)),
    ]
    withRow { (row) in
      guard row.count > 0 else { return }
      if (try? JSONValue(parsing: row)) != nil {
        // A carriage return is white space there, but would end the line for some readers.
        let end = row[row.count - 1] == 0x0D ? row.count - 1 : row.count
        members.append(("row", .verbatim(String(decoding: row.extracting(0..<end).array, as: UTF8.self))))
      } else if let text = String(validating: row.array, as: UTF8.self) {
        members.append(("text", .string(text)))
      } else {
        members.append(("base64", .string(String(decoding: TextEncoding.base64.encode(row), as: UTF8.self))))
      }
    }
    return Array(JSONValue.object(members).text.utf8)
  }
}
