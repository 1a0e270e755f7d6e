import JSONText
import TokenVault
import VaultEngine

/// What `delete` and `unlink` have in common: they look, ask, and take an entry out.
struct EntryRemoval {
  /// Which entry.
  let id: TokenID
  /// Whether it is taken out without a question.
  let isAgreed: Bool
  /// What is done, for questions: `Delete`.
  let verb: String
  /// What was done, for JSON: `deleted`.
  let outcome: String

  /// Removes the entry by `remove`.
  ///
  /// - Throws: ``ExitCode/notFound`` when there is none; ``ExitCode/interrupted`` when the answer was no.
  func run(_ settings: Settings, _ remove: (TokenStore) throws(VaultError) -> Bool) throws {
    let prompt = Prompt(settings: settings)
    guard isAgreed || prompt.isPossible else { throw mustSayYes }
    let isAccount = try settings.write { (store) in
      let isAccount = try lookUp(in: store)
      guard let isAccount else { throw CommandFailure.noSuchName }
      if !isAgreed { try confirm(prompt, isAccount: isAccount) }
      guard try remove(store) else { throw CommandFailure.noSuchName }
      return isAccount
    }
    if isAccount { settings.note("unlinked; the provider was not told, and what happened stays in the audit") }
    guard settings.json else { return }
    try Output.line(
      JSONValue.object(id.members + [(outcome, .bool(true))] + (isAccount ? [("unlinked", .bool(true))] : [])).text)
  }

  /// Whether the entry is an account; `nil`, if there is no entry.
  private func lookUp(in store: TokenStore) throws -> Bool? {
    do {
      return try store.account(of: id).map { $0.providerAccount != nil }
    } catch {
      // What can't be read can be removed all the same.
      guard [VaultError.Code.frameDamaged, .unsupportedFeature, .invalidToken].contains(error.code) else { throw error }
      return false
    }
  }

  private func confirm(_ prompt: Prompt, isAccount: Bool) throws {
    let what = isAccount ? "account" : "token"
    let more = isAccount && verb != "Unlink" ? " It is unlinked from the provider's account, too." : ""
    switch try prompt.confirm("\(verb) the \(what) of \(TerminalText.safe(id.user))?\(more)") {
    case true?: return
    case false?: throw CommandFailure(.interrupted, "nothing was \(outcome)")
    case nil: throw mustSayYes
    }
  }

  private var mustSayYes: CommandFailure {
    CommandFailure(
      .usage, "there is no terminal to ask on whether to \(verb.lowercased())", remedy: "say so with --yes")
  }
}
