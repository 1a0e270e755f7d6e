internal import Synchronization

/// The environment variables that hold a key or passphrase of this process: no program that it starts inherits them.
package enum SecretVariables {
  private static let noted = Mutex<Set<String>>([])

  /// Names of the variables that any key source of this process named so far.
  package static var names: Set<String> { noted.withLock { $0 } }

  static func note(_ name: String) { noted.withLock { _ = $0.insert(name) } }
}
