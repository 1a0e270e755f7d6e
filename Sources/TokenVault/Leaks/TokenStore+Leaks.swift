internal import JSONText
internal import VaultCrypto
public import VaultEngine
internal import VaultFormat

extension TokenStore {
  /// The tokens that the vault holds, and those that it held and of which its file still tells: by earlier writes up to the
  /// last compaction, and by events for as long as these are kept.
  ///
  /// - Throws: as ``VaultSnapshot/forEachRecord(_:)``. It reads the whole file.
  public func knownTokens() throws(VaultError) -> KnownTokens {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      let snapshot = try vault.snapshot()
      var builder = KnownTokensBuilder(names: snapshot.count)
      let time = now()
      try snapshot.forEachPart([KnownWrite]()) { (facts, name, value, writes) throws(VaultError) in
        if let write = try Self.write(facts, name, value, at: time) { writes.append(write) }
      } give: { (writes) in
        for write in writes { builder.add(write) }
      }
      return builder.build()
    }
  }

  /// The vault's tokens in a text, in the order of the text.
  ///
  /// - Throws: as ``knownTokens()``, and as ``LeakScanner/scan(read:found:)``.
  public func leaks(in text: [UInt8]) throws(VaultError) -> [LeakFinding] {
    try LeakScanner(knownTokens()).findings(in: text)
  }

  /// What a record tells of tokens; `nil`, if it tells of none.
  private static func write(
    _ facts: RecordFacts, _ name: Span<UInt8>, _ value: Span<UInt8>, at time: Int64
  ) throws(VaultError) -> KnownWrite? {
    guard TokenID(recordName: name) != nil else { return nil }
    switch facts.operation {
    case .put where facts.isLegacy: return KnownWrite(of: name.array, version: facts.version, .seals)
    case .put: return try put(facts, name, value, at: time)
    case .delete: return KnownWrite(of: name.array, version: facts.version, .removes)
    case .event:
      guard let digest = TokenDigest(members(of: value)) else { return nil }
      var write = KnownWrite(of: name.array, version: facts.version, .tells)
      write.add(digest)
      return write
    }
  }

  private static func put(
    _ facts: RecordFacts, _ name: Span<UInt8>, _ value: Span<UInt8>, at time: Int64
  ) throws(VaultError) -> KnownWrite {
    let (entry, start) = try EntryValue.decode(value)
    // What is over is gone, though its record is still there.
    let isOver = entry.expiry.map { $0 <= time } ?? false
    var write = KnownWrite(of: name.array, version: facts.version, isOver ? .removes : .replaces)
    if let digest = entry.digest { write.add(digest) }
    for (name, value) in members(of: value.extracting(start..<value.count)) {
      guard let kind = LeakFinding.Kind(rawValue: name), case .string(let token) = value else { continue }
      let bytes = Array(token.utf8)
      try write.add(bytes.span, kind)
    }
    return write
  }

  /// Members of an object; none of what is no object, which another program may have written.
  private static func members(of json: Span<UInt8>) -> [(String, JSONValue)] {
    guard case .object(let members)? = try? JSONValue(parsing: json) else { return [] }
    return members
  }
}
