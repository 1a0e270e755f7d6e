extension VectorReport {
  /// A table for people: a line for each file, the sums, and then every failure, every reason for *not applicable* and
  /// every file that could not be used. What a filter leaves out is counted and not told of.
  package func table() -> String {
    let heads = ["file", "kind", "cases", "passed", "failed", "not applicable", "left out"]
    var rows = [heads] + fileRows
    if files.count > 1 { rows.append(sumRow) }
    return (Self.aligned(rows) + files.flatMap(\.remarks)).map { $0 + "\n" }.joined()
  }

  /// A row for each file. Vault scenarios, one case in each of hundreds of files, share a row for each folder as far as they
  /// pass.
  private var fileRows: [[String]] {
    var rows: [[String]] = []
    var passed: [FileReport] = []
    for file in files where !file.isOutsideTheFilter {
      let folder = passed.first?.folder
      if !passed.isEmpty, !file.isPassedScenario || file.folder != folder {
        rows.append(Self.row(of: passed))
        passed = []
      }
      if file.isPassedScenario { passed.append(file) } else { rows.append(file.row) }
    }
    if !passed.isEmpty { rows.append(Self.row(of: passed)) }
    return rows
  }

  private static func row(of scenarios: [FileReport]) -> [String] {
    guard let first = scenarios.first, scenarios.count > 1 else { return scenarios.first?.row ?? [] }
    let sum = VectorReport(files: scenarios).sumRow
    return ["\(first.folder)*.tv-vector", first.kind ?? ""] + sum.dropFirst(2)
  }

  private var sumRow: [String] {
    ["all", "", "\(cases)", "\(passed)", "\(failed)", "\(notApplicable)", "\(leftOut)"]
  }

  /// Text to the left, numbers to the right, two spaces between columns.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.first?.indices ?? 0..<0
    let widths = columns.map { (column) in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { (row) in
      let cells = columns.map { (column) in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column < 2 ? row[column] + space : space + row[column]
      }
      return cells.joined(separator: "  ")
    }
  }
}

extension FileReport {
  /// Ids listed behind a reason; there may be thousands.
  private static let listedIDs = 5

  /// Why a case is left out that the filter does not name.
  static let notInFilter = "not in the filter"

  fileprivate var isOutsideTheFilter: Bool {
    error == nil && cases == 0 && !leftOut.isEmpty && leftOut.allSatisfy { $0.sentence == Self.notInFilter }
  }

  fileprivate var isPassedScenario: Bool { kind == Scenario.kind && error == nil && passed == cases && cases > 0 }

  /// The name up to the last slash, which is included.
  fileprivate var folder: String {
    name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
  }

  fileprivate var row: [String] {
    guard error == nil else { return [name, "unreadable", "-", "-", "-", "-", "-"] }
    return [
      name, kind ?? "", "\(cases)", "\(passed)", "\(failures.count)", "\(notApplicable.count)", "\(leftOut.count)",
    ]
  }

  fileprivate var remarks: [String] {
    if let error { return ["\(name): unreadable: \(error)"] }
    return failures.map { "\(name): \($0.id): FAILED: \($0.sentence)" }
      + Self.summary(of: notApplicable).map { "\(name): not applicable: \($0)" }
      + Self.summary(of: leftOut.filter { $0.sentence != Self.notInFilter }).map { "\(name): left out: \($0)" }
  }

  private static func summary(of remarks: [Remark]) -> [String] {
    remarks.grouped().map { (group) in
      let listed = group.ids.prefix(listedIDs).joined(separator: "; ")
      let more = group.ids.count > listedIDs ? "; and \(group.ids.count - listedIDs) more" : ""
      return "\(group.sentence) (\(group.ids.count): \(listed)\(more))"
    }
  }
}
