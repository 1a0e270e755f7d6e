/// How a token is refreshed.
public struct RefreshOptions: Equatable, Sendable {
  /// For how long a refresh that failed is not tried again, by nobody; zero for not at all.
  public var coolDown: Duration = .seconds(30)
  /// How long all may take: the waiting for others who refresh the same token, and then the refresh itself, for which there is
  /// a second at least. A command is ended when that is over, a task cancelled; a call that blocks is not stopped.
  public var timeLimit: Duration = .seconds(60)
  /// Whether the caller is going to use the access token. An account that does not keep it has a valid one to offer only when
  /// it was just refreshed: with this, its token is refreshed at each call; without, when it expires.
  public var needsAccessToken = true

  /// The options as they are by default.
  public init() {}
}

/// What a refresh gives.
public struct RefreshedToken: Sendable {
  /// The token as it is in the vault now; with its access token, even where the vault does not keep that, if ``isNew``.
  public let stored: StoredToken
  /// Whether this call had it refreshed: otherwise it was valid, or somebody else had refreshed it.
  public let isNew: Bool
}

/// Whether the token of an entry is being refreshed.
public enum RefreshState: Equatable, Sendable {
  /// No refresh began that has not ended.
  case none
  /// One is at work since this time, in microseconds since 1970.
  case running(since: Int64)
  /// One began at this time, and its process died before it had recorded the end: whether the provider has given a new token is
  /// not known.
  case interrupted(at: Int64)
}
