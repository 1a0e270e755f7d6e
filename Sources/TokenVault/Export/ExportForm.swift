/// What an export gives, one object a line.
public enum ExportForm: String, CaseIterable, Sendable {
  /// Tokens in the clear, in the form of ``TokenLine``: `user_id`, `provider`, `ttl` where the entry ends, and the token as it was
  /// put in the member `token`. Who an account is at its provider is not in it, and revoked accounts are left out.
  case jsonl
  /// Whole entries, accounts and revoked ones among them: `user_id`, `provider`, and `sealed`, which is
  /// `salt:iv:authTag:ciphertext` in base64 under XAES-256-GCM (FORMAT.md, "Legacy records").
  case sealed
  /// Items for a DynamoDB table with the partition key `user_id`, in DynamoDB's JSON: `user_id` (S), `encrypted_data` (B),
  /// `iv` (B), `created_at`, `updated_at` and, where the entry ends, `ttl` (N, seconds since 1970). Sealed as ``sealed`` is:
  /// `encrypted_data` is salt, authTag and ciphertext, one behind the other. The name of an entry with a provider is user, zero
  /// byte, provider. Revoked accounts are left out.
  case dynamodb

  /// Whether it takes a key.
  public var isSealed: Bool { self != .jsonl }
}

/// What an export gave.
public struct ExportReport: Sendable {
  /// An entry that could not be given.
  public struct LeftOut: Sendable {
    /// Whose it is.
    public let id: TokenID
    /// `sealed` for a record that another program sealed; `invalid-name`; or the code of the error that keeps it from being read.
    public let code: String
    /// One sentence for a person.
    public let sentence: String
  }

  /// Entries that were given.
  public internal(set) var exported = 0
  /// Revoked accounts that the form has no place for.
  public internal(set) var revoked = 0
  /// Entries that could not be given.
  public internal(set) var leftOut: [LeftOut] = []
  /// Entries that were gone over so far, and all.
  public internal(set) var progress: (done: Int, total: Int) = (0, 0)
}
