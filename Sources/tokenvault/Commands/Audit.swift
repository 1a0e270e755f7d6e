import ArgumentParser

/// What happened, who did it, and whether that can be relied on.
struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", _superCommandName: "tokenvault",
    abstract: "Show what happened to accounts and the vault, verify it, and settle which reads are noted.",
    discussion: """
      Each event is written together with what it tells of: neither is there without the other. Events never hold a token; of \
      one that was replaced they keep the SHA-256. They stay until 'compact --audit-keep' drops them.
      """,
    subcommands: [AuditLog.self, AuditVerify.self, AuditReads.self])
}
