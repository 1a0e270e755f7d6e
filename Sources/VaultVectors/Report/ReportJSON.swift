internal import JSONText

extension VectorReport {
  /// The report as one JSON object (RFC 8259) in one line, with a member for each count and an array `files`.
  package func json() -> String {
    let sums = Self.counts(
      cases: cases, passed: passed, failed: failed, notApplicable: notApplicable, leftOut: leftOut)
    let others: [(String, JSONValue)] = [
      ("unreadable", .integer(Int64(unreadable.count))), ("files", .array(files.map(\.json))),
    ]
    return JSONValue.object(sums + others).text + "\n"
  }

  fileprivate static func counts(
    cases: Int, passed: Int, failed: Int, notApplicable: Int, leftOut: Int
  ) -> [(String, JSONValue)] {
    [
      ("cases", .integer(Int64(cases))), ("passed", .integer(Int64(passed))), ("failed", .integer(Int64(failed))),
      ("not_applicable", .integer(Int64(notApplicable))), ("left_out", .integer(Int64(leftOut))),
    ]
  }
}

extension FileReport {
  fileprivate var json: JSONValue {
    let name: [(String, JSONValue)] = [("name", .string(name))]
    if let error {
      let members: [(String, JSONValue)] = [
        ("location", JSONValue(error.location)), ("sentence", .string(error.sentence)),
      ]
      return .object(name + [("error", .object(members))])
    }
    let counts = VectorReport.counts(
      cases: cases, passed: passed, failed: failures.count, notApplicable: notApplicable.count, leftOut: leftOut.count)
    let failed = failures.map { JSONValue.object([("id", .string($0.id)), ("sentence", .string($0.sentence))]) }
    let lists: [(String, JSONValue)] = [
      ("failures", .array(failed)), ("not_applicable_reasons", Self.reasons(notApplicable)),
      ("left_out_reasons", Self.reasons(leftOut)),
    ]
    return .object(name + [("kind", .string(kind ?? ""))] + counts + lists)
  }

  private static func reasons(_ remarks: [Remark]) -> JSONValue {
    .array(
      remarks.grouped().map { (group) in
        .object([("reason", .string(group.sentence)), ("ids", .array(group.ids.map { .string($0) }))])
      })
  }
}
