extension VectorReport {
  /// The report in JUnit's XML: a `testsuite` for each file, a `testcase` for each case. What is not applicable or left out
  /// is `skipped`, a file that could not be used an `error`.
  package func junit() -> String {
    let counts =
      "tests=\"\(files.reduce(0) { $0 + $1.testCount })\" failures=\"\(failed)\" errors=\"\(unreadable.count)\""
    let suites = files.map(\.junitSuite).joined()
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="tokenvault vectors verify" \(counts)>
      \(suites)</testsuites>

      """
  }
}

extension FileReport {
  /// A file that could not be used counts as one test, which is in error.
  fileprivate var testCount: Int { error == nil ? results.count : 1 }

  fileprivate var junitSuite: String {
    let suite = name.xmlEscaped
    let skipped = notApplicable.count + leftOut.count
    var cases = results.map { $0.junitCase(suite: suite) }
    if let error {
      cases = [
        "<testcase classname=\"\(suite)\" name=\"file\"><error message=\"\(error.description.xmlEscaped)\"/></testcase>\n"
      ]
    }
    return "<testsuite name=\"\(suite)\" tests=\"\(testCount)\" failures=\"\(failures.count)\""
      + " errors=\"\(error == nil ? 0 : 1)\" skipped=\"\(skipped)\">\n\(cases.joined())</testsuite>\n"
  }
}

extension FileReport.Result {
  fileprivate func junitCase(suite: String) -> String {
    let head = "<testcase classname=\"\(suite)\" name=\"\(id.xmlEscaped)\""
    return switch outcome {
    case .passed: "\(head)/>\n"
    case .failed(let sentence): "\(head)><failure message=\"\(sentence.xmlEscaped)\"/></testcase>\n"
    case .notApplicable(let reason), .leftOut(let reason):
      "\(head)><skipped message=\"\(reason.xmlEscaped)\"/></testcase>\n"
    }
  }
}

extension String {
  /// For the value of an XML attribute. What XML 1.0 (section 2.2) does not allow becomes U+FFFD.
  fileprivate var xmlEscaped: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "\t", "\n", "\r": text += "&#\(scalar.value);"
      case "\u{0}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": text += "\u{FFFD}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
