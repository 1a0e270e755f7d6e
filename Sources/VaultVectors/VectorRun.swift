/// Runs vector files against an implementation.
package enum VectorRun {
  /// How far a run has come.
  package struct Progress: Sendable {
    /// The name of the file that is being run.
    package let file: String
    /// Cases of this file that are done.
    package let done: Int
    /// Cases of this file.
    package let total: Int
  }

  /// Verifies every file of `paths`, one after the other; folders are searched for `.rsp`, `.txt`, `.json` and
  /// `.tv-vector` files.
  ///
  /// It does not throw: a path that can't be used is an entry of the report with an error, and so is a folder without any
  /// vector file.
  ///
  /// - Parameters:
  ///   - filter: runs the cases alone whose file name and id, `aes_gcm_test.json tcId 7`, contain it. The others are left out
  ///     and count as nothing.
  ///   - longForm: runs also what takes longer than a few seconds: the million rounds of XAES-256-GCM.
  ///   - primitives: the implementation under test.
  ///   - progress: called before the first case of each file, and then after each.
  package static func verify(
    paths: [String], filter: String? = nil, longForm: Bool = false, primitives: Primitives = .vaultCrypto,
    progress: (Progress) -> Void = { _ in }
  ) -> VectorReport {
    var files: [FileReport] = []
    for path in paths {
      do throws(VectorError) {
        for name in try VectorFolder.files(at: path) {
          files.append(
            verify(
              fileAt: name, filter: filter, longForm: longForm, primitives: primitives, progress: progress))
        }
      } catch {
        files.append(FileReport(name: path, error: error))
      }
    }
    return VectorReport(files: files)
  }

  private static func verify(
    fileAt path: String, filter: String?, longForm: Bool, primitives: Primitives, progress: (Progress) -> Void
  ) -> FileReport {
    do throws(VectorError) {
      let file = try VectorFile.load(try VectorFolder.contents(of: path), name: path)
      return verify(file, filter: filter, longForm: longForm, primitives: primitives, progress: progress)
    } catch {
      return FileReport(name: path, error: error)
    }
  }

  /// Verifies a file that is already read, with the parameters of ``verify(paths:filter:longForm:primitives:progress:)``.
  package static func verify(
    _ file: VectorFile, filter: String? = nil, longForm: Bool = false, primitives: Primitives = .vaultCrypto,
    progress: (Progress) -> Void = { _ in }
  ) -> FileReport {
    var results: [FileReport.Result] = []
    for item in file.cases {
      progress(Progress(file: file.name, done: results.count, total: file.cases.count))
      let outcome = whyLeftOut(item, of: file, filter: filter, longForm: longForm) ?? item.check.run(with: primitives)
      results.append(FileReport.Result(id: item.id, outcome: outcome))
    }
    progress(Progress(file: file.name, done: results.count, total: file.cases.count))
    return FileReport(name: file.name, kind: file.kind, results: results)
  }

  private static func whyLeftOut(
    _ item: VectorCase, of file: VectorFile, filter: String?, longForm: Bool
  ) -> Outcome? {
    if let filter, !"\(file.name) \(item.id)".contains(filter) { return .leftOut(FileReport.notInFilter) }
    if item.check.isLong, !longForm { return .leftOut("run on request alone") }
    return nil
  }
}
