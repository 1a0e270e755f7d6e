import Glibc

/// The command that tests start.
package enum TestedCommand {
  /// Where it is, without links: what `TOKENVAULT_TESTED` names, or else what was built with the tests. The one that people
  /// install starts in a tenth of the time, as the library that reads arguments checks all declarations at each start of a debug
  /// build.
  package static let path: String = {
    if let named = unsafe getenv("TOKENVAULT_TESTED") { return unlinked(unsafe String(cString: named)) }
    return unlinked("/proc/self/exe").split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/tokenvault"
  }()

  private static func unlinked(_ path: String) -> String {
    guard let found = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }
}
