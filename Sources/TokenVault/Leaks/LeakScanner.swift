internal import VaultCrypto

/// Looks for a vault's tokens in texts of any size.
///
/// Found is a token that stands between bytes that tokens don't have, as a member of JSON, in a header, a URL, an environment
/// file, a log; behind `=` and between slashes; with the escapes of JSON and the percent-encoding of a URL, once; with the full
/// stop of a sentence behind it; and as its SHA-256 in 64 hexadecimal digits. A token that has other bytes than those of RFC 6750
/// (`A-Z a-z 0-9 - . _ ~ + /` and `=`) is found where a whole line is nothing else.
///
/// Not found is a token that is split over lines, that stands in a longer word, of which a part is missing; and what is
/// compressed, encrypted, wrapped in base64 (`Authorization: Basic`), in UTF-16, or encoded twice. Nor are tokens of less than
/// ``KnownTokens/shortest`` bytes, and runs and lines of 2 MiB and more.
///
/// Memory is some blocks of 2 MiB, whatever comes. Long texts are looked through on all cores.
public struct LeakScanner: Sendable {
  /// Bytes of a block: twice what a token may have.
  private static let block = 2 << 20

  private let known: KnownTokens
  private let block: Int

  /// Looks for `known`.
  public init(_ known: KnownTokens) { self.init(known, block: Self.block) }

  /// - Parameter block: bytes that are looked at as a whole, 1 at least.
  package init(_ known: KnownTokens, block: Int) {
    self.known = known
    self.block = block
  }

  /// Looks through a text.
  ///
  /// - Parameters:
  ///   - read: appends what comes next of the text, as much as it likes, and nothing at its end. What is found does not depend on
  ///     how much comes at a time.
  ///   - found: is told of what is found, in the order of the text.
  /// - Throws: what `read` and `found` throw; `crypto-failure` when there is no memory.
  public func scan(
    read: (inout OutputSpan<UInt8>) throws(VaultError) -> Void, found: (LeakFinding) throws(VaultError) -> Void
  ) throws(VaultError) {
    var blocks = try LeakBlocks(size: block)
    var line: UInt64 = 1
    try Threads.inOrder(isStream: true) { () throws(VaultError) in
      try blocks.next(read)
    } work: { [known] (block: LeakBlock) throws(VaultError) in
      (block.offset, try BlockSearch.outcome(of: block, known))
    } give: { (offset: UInt64, outcome: BlockSearch.Outcome) throws(VaultError) in
      for next in outcome.found {
        let place = (offset: offset + UInt64(next.place), line: line + UInt64(next.lines))
        let finding = known.finding(next.index, isHash: next.isHash, offset: place.offset, line: place.line)
        if let finding { try found(finding) }
      }
      line += UInt64(outcome.lines)
    }
  }

  /// What is found in a text that is in memory.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  public func findings(in text: [UInt8]) throws(VaultError) -> [LeakFinding] {
    var findings: [LeakFinding] = []
    var place = 0
    try scan { (output) in
      let end = min(text.count, place + output.freeCapacity)
      output.append(contentsOf: text.span.extracting(place..<end))
      place = end
    } found: {
      findings.append($0)
    }
    return findings
  }
}
