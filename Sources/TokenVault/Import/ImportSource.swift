/// What lines of JSON are taken for.
public enum ImportSource: String, CaseIterable, Sendable {
  /// Rows of a table of sealed tokens: `user_id`, `encrypted_data` and `iv` in hexadecimal or base64, `created_at`, `updated_at`.
  case sqliteTokens = "sqlite-tokens"
  /// Rows of a table of accounts: `user_id`, `refresh_token_encrypted` as `salt:iv:authTag:ciphertext`, `access_token_hash`,
  /// `reddit_username`, `reddit_id`, `scopes`, `expires_at`, `last_rotated_at`, `linked_at`, `last_used_at`, `revoked_at`.
  case redditAccounts = "reddit-accounts"
  /// Tokens in the clear, in the form of ``TokenLine``.
  case jsonl
  /// What ``ExportForm/sealed`` gives.
  case sealed

  /// Whether its rows were sealed by another program.
  public var isLegacy: Bool { self == .sqliteTokens || self == .redditAccounts }
}

/// What opens the rows of an import.
public enum ImportKey: ~Copyable, Sendable {
  /// They are in the clear, or stay sealed.
  case none
  /// The secret of the program that sealed them.
  case legacy(LegacySecret)
  /// The key of an export.
  case export(ExportKey)
}

/// What becomes of a row whose user has an entry already.
public enum ImportConflict: String, CaseIterable, Sendable {
  /// The entry stays, and the row is counted: an import that was interrupted is simply run again.
  case skip
  /// The row takes its place.
  case replace
  /// The import ends with `conflict`; rows before it are stored.
  case fail
  /// The row takes its place if it was changed later where it comes from.
  case newer
}

/// How an import goes.
public struct ImportOptions: Sendable {
  /// The provider of rows that name none; `nil` for none, and for `reddit` in rows of accounts.
  public var provider: String?
  /// How rows of another program were sealed; `nil` to find it out from the first rows.
  public var form: LegacyForm?
  /// What becomes of a row whose user has an entry already.
  public var onConflict = ImportConflict.skip
  /// Opens the rows and looks for conflicts, and writes nothing.
  public var dryRun = false
  /// Takes rows of sealed tokens over as they are, to be opened later by ``TokenStore/upgrade(with:profile:dryRun:progress:)``.
  public var keepSealed = false

  /// No provider, the form found out, existing entries left alone.
  public init() {}
}

/// What an import did, or has done so far.
public struct ImportReport: Equatable, Sendable {
  /// Lines that were read, empty ones aside.
  public internal(set) var rows = 0
  /// Rows that became entries where there was none.
  public internal(set) var stored = 0
  /// Rows that took the place of entries.
  public internal(set) var replaced = 0
  /// Rows that were left out because of the entry that is there.
  public internal(set) var skipped = 0
  /// Rows that could not be taken over; each was handed to the caller.
  public internal(set) var rejected = 0
  /// How the rows were sealed, if another program did.
  public internal(set) var form: LegacyForm?
  /// How many of the rows that the form was tried on it opens, and how many those were.
  public internal(set) var tried: (opened: Int, of: Int) = (0, 0)
  /// Bytes of the input that were gone through.
  public internal(set) var bytesDone = 0
  /// Bytes of the input, if that is known.
  public internal(set) var bytesTotal: Int?

  /// The same counts and form.
  public static func == (left: Self, right: Self) -> Bool {
    (left.rows, left.stored, left.replaced, left.skipped, left.rejected)
      == (right.rows, right.stored, right.replaced, right.skipped, right.rejected) && left.form == right.form
  }
}

/// A row that could not be taken over, and why.
public struct RejectedRow: Sendable {
  /// Number of the line, from 1.
  public let line: Int
  /// `not-json`, `line-too-long`, `missing-member`, `bad-member`, `bad-time`, `time-out-of-range`, `legacy-malformed`,
  /// `legacy-unopened`, `limit-exceeded`, `invalid-name`, `invalid-token`, `value-too-large`, `duplicate-user`, `account-taken`,
  /// `revoked`, `unreadable`, `no-time`, `over`; more may be added.
  public let code: String
  /// One sentence for a person, with nothing of the row in it.
  public let sentence: String
  let row: RowReference?

  /// Gives the row as it came to `body`; nothing where the line was too long to be kept.
  public func withRow<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let row else { return try body(Span()) }
    return try row.lines.withLine(row.index, body)
  }
}

/// A line among others.
struct RowReference: Sendable {
  let lines: Lines
  let index: Int

  var line: Int { lines.first + index }
}
