/// What a run found, file by file.
package struct VectorReport: Sendable {
  /// In the order of the run.
  package let files: [FileReport]

  /// A report of these files.
  package init(files: [FileReport]) { self.files = files }

  /// Cases that were run or could not be run: passed, failed, and not applicable.
  package var cases: Int { files.reduce(0) { $0 + $1.cases } }
  /// Cases that passed.
  package var passed: Int { files.reduce(0) { $0 + $1.passed } }
  /// Cases that failed.
  package var failed: Int { files.reduce(0) { $0 + $1.failures.count } }
  /// Cases that the implementation does not take.
  package var notApplicable: Int { files.reduce(0) { $0 + $1.notApplicable.count } }
  /// Cases that were not run, by the wish of the caller; they are not among ``cases``.
  package var leftOut: Int { files.reduce(0) { $0 + $1.leftOut.count } }
  /// Files that could not be used.
  package var unreadable: [FileReport] { files.filter { $0.error != nil } }
}

/// What a run found in one file.
package struct FileReport: Sendable {
  /// One case and what became of it.
  package struct Result: Sendable {
    /// The case's name within its file.
    package let id: String
    /// What became of it.
    package let outcome: Outcome
  }

  /// One case and a sentence about it.
  package struct Remark: Sendable, Equatable {
    /// The case's name within its file.
    package let id: String
    /// What was seen, or why the case was not run.
    package let sentence: String
  }

  /// The file's path, or the name that it was loaded with.
  package let name: String
  /// What the file was recognised as; nil if it was not.
  package let kind: String?
  /// In the order of the file. Empty when there is an error.
  package let results: [Result]
  /// Why the file could not be used.
  package let error: VectorError?

  init(name: String, kind: String, results: [Result]) {
    self.name = name
    self.kind = kind
    self.results = results
    error = nil
  }

  init(name: String, error: VectorError) {
    self.name = name
    kind = nil
    results = []
    self.error = error
  }

  /// Cases that were run or could not be run: passed, failed, and not applicable.
  package var cases: Int { results.count - leftOut.count }
  /// The number of cases that passed.
  package var passed: Int { results.count { $0.outcome == .passed } }
  /// The cases that failed, with what was seen instead.
  package var failures: [Remark] {
    results.compactMap {
      if case .failed(let sentence) = $0.outcome { Remark(id: $0.id, sentence: sentence) } else { nil }
    }
  }
  /// The cases that the implementation does not take, with the reason.
  package var notApplicable: [Remark] {
    results.compactMap {
      if case .notApplicable(let reason) = $0.outcome { Remark(id: $0.id, sentence: reason) } else { nil }
    }
  }
  /// The cases that were not run, with the reason.
  package var leftOut: [Remark] {
    results.compactMap {
      if case .leftOut(let reason) = $0.outcome { Remark(id: $0.id, sentence: reason) } else { nil }
    }
  }
}

extension Sequence<FileReport.Remark> {
  /// The sentences in the order of their first use, each with the ids that it is said of.
  func grouped() -> [(sentence: String, ids: [String])] {
    var places: [String: Int] = [:]
    var groups: [(sentence: String, ids: [String])] = []
    for remark in self {
      if let place = places[remark.sentence] {
        groups[place].ids.append(remark.id)
      } else {
        places[remark.sentence] = groups.count
        groups.append((remark.sentence, [remark.id]))
      }
    }
    return groups
  }
}
