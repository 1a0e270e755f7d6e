internal import Glibc
internal import Synchronization

/// The environment variables that hold a key or passphrase of this process: no program that it starts inherits them.
package enum SecretVariables {
  /// Those that say where the key is. They hold none, but a program that sees them would open the vault as well.
  package static let sources: Set<String> = [
    "TOKENVAULT_KEY", "TOKENVAULT_PASSPHRASE", "TOKENVAULT_NEW_KEY", "TOKENVAULT_NEW_PASSPHRASE",
  ]

  private static let noted = Mutex<Set<String>>([])

  /// Names of the variables that any key source of this process named so far.
  package static var names: Set<String> { noted.withLock { $0 } }

  /// Notes what the variables in ``sources`` name, in use here or not.
  package static func noteSources() {
    for name in sources {
      guard let text = unsafe getenv(name) else { continue }
      _ = try? KeySource(parsing: unsafe String(cString: text))
    }
  }

  static func note(_ name: String) { noted.withLock { _ = $0.insert(name) } }

  /// Writes zeros over the values, which can be read in `/proc/PID/environ` as long as the process lives. The variables are empty
  /// then; a key source can't be read again.
  package static func wipe() {
    for name in names {
      guard let value = unsafe getenv(name) else { continue }
      unsafe explicit_bzero(value, strlen(value))
    }
  }
}
