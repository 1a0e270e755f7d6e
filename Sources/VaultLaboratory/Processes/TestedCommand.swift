import Glibc

/// The command that tests start.
package enum TestedCommand {
  /// Where it is: what `TOKENVAULT_TESTED` names, or else what was built with the tests. The one that people install starts in a
  /// tenth of the time, as the library that reads arguments checks all declarations at each start of a debug build.
  package static let path: String = {
    if let named = unsafe getenv("TOKENVAULT_TESTED") { return unsafe String(cString: named) }
    guard let program = unsafe realpath("/proc/self/exe", nil) else { return "" }
    defer { unsafe free(program) }
    return unsafe String(cString: program).split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/tokenvault"
  }()
}
