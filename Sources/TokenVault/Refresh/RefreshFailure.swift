internal import VaultEngine

/// Why a refresh gave no token.
///
/// A closure that refreshes throws it to say so in its own words, which are kept in the audit. Of any other error the type's
/// name is kept, and nothing that it says.
public struct RefreshFailure: Error, Equatable, Sendable, CustomStringConvertible {
  private enum Kind { case failed, needsUser, cancelled }

  /// Half a sentence that says what failed, such as `the endpoint can't be reached`. It must not hold a secret.
  public let why: String
  private let kind: Kind

  private init(_ why: String, _ kind: Kind) { (self.why, self.kind) = (why, kind) }

  /// - Parameters:
  ///   - why: see ``why``; at most 1024 bytes of it are kept.
  ///   - needsUser: whether it can't succeed before the user gives consent anew.
  public init(_ why: String, needsUser: Bool = false) {
    self.init(why.utf8.count <= 1024 ? why : "the refresh failed", needsUser ? .needsUser : .failed)
  }

  /// What the endpoint says, if it is an error (RFC 6749, section 5.2); `nil` for a token.
  ///
  /// Only a code that is registered is repeated: anything else may be part of a secret.
  public init?(endpointAnswer answer: OAuthToken) {
    guard answer.accessToken?.isEmpty ?? true, answer.value(of: "error") != nil else { return nil }
    guard let code = answer.member("error"), Self.codes.contains(code) else {
      self.init("the endpoint answered with an error")
      return
    }
    self.init("the endpoint answered \(code)", needsUser: Self.codesForUsers.contains(code))
  }

  /// Whether it can't succeed before the user gives consent anew: the code is `reauth-needed` then, and else `unavailable`.
  public var needsUser: Bool { kind == .needsUser }

  /// Whether nothing failed but the caller's patience, so that the next one need not wait.
  var isCancelled: Bool { kind == .cancelled }

  /// The same as ``why``.
  public var description: String { why }

  /// What the caller of the refresh is told.
  func error(coolDown: Duration) -> VaultError {
    switch kind {
    case .cancelled: return VaultError(.cancelled, "the refresh was cancelled; the old token is kept")
    case .needsUser:
      return VaultError(
        .reauthNeeded, "the refresh failed: \(why); the old token is kept",
        remedy: "the user has to give consent anew: store the token that comes of it with 'tokenvault put' or link")
    case .failed:
      let seconds = coolDown.components.seconds
      return VaultError(
        .unavailable, "the refresh failed: \(why); the old token is kept",
        remedy: seconds > 0 ? "see to it; it is tried again after \(seconds) s at the earliest" : nil)
    }
  }

  /// Runs a caller's refresh.
  static func catching(_ body: () throws -> OAuthToken) throws(RefreshFailure) -> OAuthToken {
    do {
      return try body()
    } catch {
      throw RefreshFailure(thrown: error)
    }
  }

  /// What a caller's refresh threw.
  init(thrown error: any Error) {
    switch error {
    case let failure as RefreshFailure: self = failure
    case is CancellationError: self.init("it was cancelled", .cancelled)
    case let error as VaultError where error.code == .cancelled: self.init("it was cancelled", .cancelled)
    default: self.init("the caller's refresh threw an error of the type \(type(of: error))")
    }
  }

  /// RFC 6749, OpenID Connect, RFC 6750, 8628, 8707, 9396, 9449 and 9470.
  private static let codes: Set<String> = [
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "access_denied", "unsupported_response_type", "server_error", "temporarily_unavailable",
    "interaction_required", "login_required", "account_selection_required", "consent_required", "invalid_token",
    "insufficient_scope", "authorization_pending", "slow_down", "expired_token", "invalid_target",
    "invalid_authorization_details", "invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication",
  ]
  private static let codesForUsers: Set<String> = [
    "invalid_grant", "interaction_required", "login_required", "account_selection_required", "consent_required",
  ]
}

extension OAuthToken {
  /// The answer to a refresh, if it is a token.
  func asRefreshAnswer() throws(RefreshFailure) -> OAuthToken {
    if let failure = RefreshFailure(endpointAnswer: self) { throw failure }
    guard accessToken?.isEmpty == false else { throw RefreshFailure("the answer has no access_token") }
    return self
  }
}
