@testable import VaultVectors

/// The files of `testvectors/published`, found from where this source file lies.
enum Published {
  static func path(_ name: String) -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
    return "\(root)/testvectors/published/\(name)"
  }

  static func bytes(_ name: String) throws -> [UInt8] { try VectorFolder.contents(of: path(name)) }

  static func load(_ name: String) throws -> VectorFile { try VectorFile.load(bytes(name), name: name) }
}

extension FileReport {
  /// Counts in the order in which the tests state them.
  var counts: Counts {
    Counts(passed: passed, failed: failures.count, notApplicable: notApplicable.count, leftOut: leftOut.count)
  }

  struct Counts: Equatable, Sendable {
    var passed = 0
    var failed = 0
    var notApplicable = 0
    var leftOut = 0
  }
}
