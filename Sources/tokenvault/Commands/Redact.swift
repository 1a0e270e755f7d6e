import ArgumentParser
import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Takes secrets out of a text.
struct Redact: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "redact", _superCommandName: "tokenvault",
    abstract: "Copy standard input to standard output without the vault's secrets.",
    discussion: """
        tail -f service.log | tokenvault redact
        curl -v ... 2>&1 | tokenvault redact --names

      Looked for are the members of all tokens whose names end with token, secret or password, of eight bytes and more, as \
      they are: what was encoded in another way is not found, nor is a token that has been replaced in the vault. What may \
      be the beginning of a secret is held back until more comes; after a pause four bytes of it at most are shown. \
      Tokens that are stored while it runs are not known to it.
      """)

  /// Bytes that are read at a time.
  private static let portion = 1 << 16
  /// How long a text pauses that waits for somebody, in milliseconds.
  private static let pause: Int32 = 100

  @Flag(help: "Put [redacted ID] in the place of each, with the user id, instead of [redacted].")
  var names = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    try settings.checkInputIsFree(for: "text")
    var redactor = try redactor(settings)
    if redactor.leftOut > 0 {
      let what = counted(redactor.leftOut, "secret is", "secrets are")
      settings.note("\(what) not looked for: shorter than 8 bytes, or sealed by another program")
    }
    var bytes = try Self.room()
    while true {
      if redactor.isWaiting, !Self.isReady(within: Self.pause) {
        try Self.write(redactor.pause())
      }
      bytes.removeAll()
      let isMore: Bool
      do throws(ReadFailure) {
        isMore = try bytes.appendSome(from: STDIN_FILENO)
      } catch {
        throw CommandFailure(reading: error)
      }
      guard isMore else { break }
      try Self.write(redactor.redact(bytes.span))
    }
    try Self.write(redactor.finish())
  }

  private func redactor(_ settings: Settings) throws -> Redactor {
    var redactor: Redactor?
    try settings.read { (store) in
      redactor =
        names
        ? try store.redactor { (id) in Array("[redacted \(TerminalText.safe(id.user))]".utf8) } : try store.redactor()
    }
    guard let redactor else { throw CommandFailure(.failure, "the secrets were not read") }
    return redactor
  }

  private static func room() throws(CommandFailure) -> SecretBytes {
    do throws(CryptoError) {
      return try SecretBytes(capacity: portion)
    } catch {
      throw CommandFailure(.failure, error.sentence)
    }
  }

  private static func write(_ bytes: [UInt8]) throws(CommandFailure) {
    if !bytes.isEmpty { try Output.write(bytes.span) }
  }

  private static func isReady(within milliseconds: Int32) -> Bool {
    var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&waiting, 1, milliseconds) != 0
  }
}
