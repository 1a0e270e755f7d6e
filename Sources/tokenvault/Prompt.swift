import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Asks on the terminal: never on standard output, never from standard input.
struct Prompt {
  private let settings: Settings

  /// A prompt that obeys `--no-input`.
  init(settings: Settings) { self.settings = settings }

  /// Asks for a secret without showing it.
  ///
  /// - Throws: `no-key` without a terminal.
  func secret(_ question: String) throws(VaultError) -> SecretBytes {
    guard let terminal = terminal() else { throw cannotAsk }
    return try terminal.ask(question, echo: false)
  }

  /// Asks for a new passphrase until it was typed twice alike, three times at most.
  ///
  /// - Throws: `no-key` without a terminal, or when they never were alike.
  func newPassphrase() throws(VaultError) -> SecretBytes {
    guard let terminal = terminal() else { throw cannotAsk }
    for _ in 0..<3 {
      let first = try terminal.ask("New passphrase: ", echo: false)
      guard first.count > 0 else {
        terminal.say("It is empty. Once more.\n")
        continue
      }
      let second = try terminal.ask("The same again: ", echo: false)
      if Self.areAlike(first, second) { return first }
      terminal.say("They differ. Once more.\n")
    }
    throw VaultError(.noKey, "no new passphrase was typed twice alike")
  }

  private static func areAlike(_ first: borrowing SecretBytes, _ second: borrowing SecretBytes) -> Bool {
    constantTimeEqual(first.span, second.span)
  }

  /// Asks whether to go on; `nil` without a terminal.
  func confirm(_ question: String) throws(VaultError) -> Bool? {
    guard let terminal = terminal() else { return nil }
    let answer = try terminal.ask(question + " [y/N] ", echo: true)
    return answer.count > 0 && (answer.span[0] | 0x20) == UInt8(ascii: "y")
  }

  /// Whether somebody can be asked.
  var isPossible: Bool { terminal() != nil }

  private var cannotAsk: VaultError {
    let sentence =
      switch (settings.source == nil, settings.noInput) {
      case (true, true): "no key or passphrase was given, and --no-input forbids to ask for one"
      case (true, false): "no key or passphrase was given, and there is no terminal to ask on"
      case (false, true): "the key or passphrase is to be asked for, which --no-input forbids"
      case (false, false): "the key or passphrase is to be asked for, and there is no terminal"
      }
    return VaultError(.noKey, sentence, remedy: Settings.sources)
  }

  private func terminal() -> Terminal? { settings.noInput ? nil : Terminal() }
}
