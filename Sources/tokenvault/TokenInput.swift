import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// The token that comes in on standard input, for commands that store one.
enum TokenInput {
  /// Refuses to read the token where the key is read from.
  static func check(_ settings: Settings) throws(CommandFailure) {
    guard settings.source?.place == .standardInput else { return }
    throw CommandFailure(
      .usage, "standard input can't be both the key and the token",
      remedy: "give the key with file:, env:, fd: or cmd:")
  }

  /// Reads it to the end of the input.
  ///
  /// - Throws: `invalid-token`, `value-too-large`; ``ExitCode/io``.
  static func read(_ settings: Settings) throws -> OAuthToken {
    if isatty(STDIN_FILENO) == 1 { settings.note("reading the token's JSON from the terminal, end with ctrl-D") }
    let json: SecretBytes
    do {
      json = try SecretBytes.reading(STDIN_FILENO, limit: VaultLimits.value)
    } catch {
      throw CommandFailure(reading: error)
    }
    return try OAuthToken(json: json.span)
  }
}
