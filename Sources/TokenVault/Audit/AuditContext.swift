internal import Glibc
public import VaultEngine

/// Who acts, why, and from where: what an audit event says beside what happened.
public struct AuditContext: Equatable, Sendable {
  /// Who does it; `nil` when nobody said.
  public let actor: String?
  /// Why; `nil` when nobody said.
  public let reason: String?
  /// Address that the request came from, IPv4 or IPv6, as it was given.
  public let ipAddress: String?
  /// Program that the request came from, in its own words.
  public let userAgent: String?

  /// Bytes of each of the four at most.
  public static let limit = 1024

  /// Nobody said anything.
  public static let none = AuditContext(kept: nil, nil, ipAddress: nil, userAgent: nil)

  /// - Throws: `usage` for a text of more than 1024 bytes, or an address that is none.
  public init(
    actor: String? = nil, reason: String? = nil, ipAddress: String? = nil, userAgent: String? = nil
  ) throws(VaultError) {
    for (name, text) in [("actor", actor), ("reason", reason), ("user agent", userAgent)] {
      guard let text, text.utf8.count > Self.limit else { continue }
      throw VaultError(.usage, "the \(name) has \(text.utf8.count) bytes; \(Self.limit) is the limit")
    }
    if let ipAddress, !Self.isAddress(ipAddress) {
      throw VaultError(.usage, "the IP address is none", remedy: "give one like 192.0.2.7 or 2001:db8::7")
    }
    (self.actor, self.reason, self.ipAddress, self.userAgent) = (actor, reason, ipAddress, userAgent)
  }

  /// What a record holds, which is not checked once more.
  init(kept actor: String?, _ reason: String?, ipAddress: String?, userAgent: String?) {
    (self.actor, self.reason, self.ipAddress, self.userAgent) = (actor, reason, ipAddress, userAgent)
  }

  /// Whether inet_pton(3) reads it.
  private static func isAddress(_ text: String) -> Bool {
    guard !text.utf8.contains(0) else { return false }
    var address = in6_addr()
    return unsafe inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1
  }
}
