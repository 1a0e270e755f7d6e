import TokenVault
import VaultEngine

extension Subject {
  /// Millions of bytes of text in a second in which the vault's tokens are looked for. The text is in memory.
  func leakCheck() throws -> Double {
    let known = try TokenStore(vault).knownTokens()
    let scanner = LeakScanner(known)
    let text = LeakText(bytes: 100_000_000, records: records)
    var found = 0
    var place = 0
    let time = try seconds { () throws(VaultError) in
      try scanner.scan { (output) in
        let end = min(text.bytes.count, place + output.freeCapacity)
        output.append(contentsOf: text.bytes.span.extracting(place..<end))
        place = end
      } found: { (_) in
        found += 1
      }
    }
    guard found >= text.tokens else { throw BenchFailure(sentence: "\(found) of \(text.tokens) tokens were found") }
    return Double(text.bytes.count) / time / 1e6
  }
}

/// A made-up log, the same in every run: of its lines, of about 150 bytes, each eighth has a token that nobody knows, and each
/// ten-thousandth one of the vault's.
struct LeakText {
  /// The log.
  private(set) var bytes: [UInt8] = []
  /// Tokens of the vault in it.
  private(set) var tokens = 0

  init(bytes count: Int, records: Int) {
    bytes.reserveCapacity(count + 1024)
    var numbers = ReadSequence()
    var token: [UInt8] = []
    var line = 0
    while bytes.count < count {
      bytes.append(contentsOf: "2026-11-21T14:".utf8)
      append(numbers.next(below: 3600))
      bytes.append(contentsOf: "Z INFO request id=".utf8)
      append(numbers.next(below: 1 << 23))
      if line % 10_000 == 5000 {
        Workload.write(token: numbers.next(below: records), to: &token)
        bytes.append(contentsOf: token)
        // Its access token and its refresh token.
        tokens += 2
      } else if line % 8 == 0 {
        Workload.write(token: 1 << 31 + numbers.next(below: 1 << 23), to: &token)
        bytes.append(contentsOf: " authorization: Bearer ".utf8)
        bytes.append(contentsOf: token[17..<61])
      }
      bytes.append(contentsOf: " method=GET path=/api/v1/users/".utf8)
      append(numbers.next(below: 1 << 20))
      bytes.append(contentsOf: "/messages?limit=25 status=200 agent=\"Mozilla/5.0 (X11; Linux x86_64)\" took=".utf8)
      append(numbers.next(below: 900))
      bytes.append(contentsOf: "ms\n".utf8)
      line += 1
    }
  }

  private mutating func append(_ number: Int) { bytes.append(contentsOf: "\(number)".utf8) }
}
