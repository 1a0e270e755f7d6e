extension VectorReport {
  /// The report as one JSON object (RFC 8259) in one line, with a member for each count and an array `files`.
  package func json() -> String {
    let sums = Self.counts(
      cases: cases, passed: passed, failed: failed, notApplicable: notApplicable, leftOut: leftOut)
    let entries = files.map(\.jsonObject).joined(separator: ",")
    return "{\(sums),\"unreadable\":\(unreadable.count),\"files\":[\(entries)]}\n"
  }

  fileprivate static func counts(
    cases: Int, passed: Int, failed: Int, notApplicable: Int, leftOut: Int
  ) -> String {
    "\"cases\":\(cases),\"passed\":\(passed),\"failed\":\(failed),\"notApplicable\":\(notApplicable),\"leftOut\":\(leftOut)"
  }
}

extension FileReport {
  fileprivate var jsonObject: String {
    let head = "\"name\":\(name.jsonQuoted)"
    if let error {
      let location = error.location?.jsonQuoted ?? "null"
      return "{\(head),\"error\":{\"location\":\(location),\"sentence\":\(error.sentence.jsonQuoted)}}"
    }
    let counts = VectorReport.counts(
      cases: cases, passed: passed, failed: failures.count, notApplicable: notApplicable.count, leftOut: leftOut.count)
    let failed = failures.map { "{\"id\":\($0.id.jsonQuoted),\"sentence\":\($0.sentence.jsonQuoted)}" }
    return "{\(head),\"kind\":\((kind ?? "").jsonQuoted),\(counts),\"failures\":[\(failed.joined(separator: ","))],"
      + "\"notApplicableReasons\":[\(Self.reasons(notApplicable))],\"leftOutReasons\":[\(Self.reasons(leftOut))]}"
  }

  private static func reasons(_ remarks: [Remark]) -> String {
    remarks.grouped().map { (group) in
      let ids = group.ids.map(\.jsonQuoted).joined(separator: ",")
      return "{\"reason\":\(group.sentence.jsonQuoted),\"ids\":[\(ids)]}"
    }.joined(separator: ",")
  }
}

extension String {
  /// A JSON string with its quotation marks (RFC 8259, section 7).
  fileprivate var jsonQuoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"", "\\":
        text += "\\\(scalar)"
      case "\u{0}"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default:
        text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
