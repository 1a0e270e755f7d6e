/// The vaults that are changed byte by byte: small, and of every kind that there is.
extension VaultSample {
  /// Commits with all that commits have: values replaced, deleted and put again, events, several writes in one batch.
  package static let mixedCommits: [[Write]] = [
    [.put("alice", [1, 2, 3])],
    [.put("bob", Array(repeating: 0x42, count: 70)), .event("alice", [1]), .put("carol", [9])],
    [.put("alice", [4]), .delete("carol")],
    [.event("bob", [2, 3])],
    [.delete("bob"), .put("bob", [6])],
  ]

  /// A vault in which nothing was ever written.
  package static func fresh(seed: UInt64) throws -> VaultSample { try SampleMaker(seed: seed).sample("fresh") }

  /// Without an index: opening replays all of it.
  package static func ordinary(seed: UInt64) throws -> VaultSample {
    let maker = try SampleMaker(seed: seed)
    try maker.commit(mixedCommits)
    return maker.sample("ordinary")
  }

  /// Two checkpoints, the second behind a page and a root of the first, slots of keys and of a passphrase, and commits before,
  /// between and behind them.
  package static func indexed(seed: UInt64) throws -> VaultSample {
    let maker = try SampleMaker(seed: seed)
    try maker.commit(Array(mixedCommits.prefix(3)))
    try maker.addPassphrase()
    try maker.commit([.put("dora", [7]), .event("dora", [8])])
    try maker.addKey(8)
    try maker.commit(Array(mixedCommits.suffix(2)))
    return maker.sample("indexed")
  }

  /// A third generation, made by a rotation of what a compaction had made.
  package static func rotated(seed: UInt64) throws -> VaultSample {
    let maker = try SampleMaker(seed: seed)
    try maker.commit(mixedCommits)
    try maker.compact()
    try maker.commit([.put("dora", [7])])
    try maker.rotate()
    try maker.commit([.put("alice", [8]), .event("alice", [9])])
    return maker.sample("rotated")
  }

  /// An append of several frames that was interrupted half-way.
  package static func torn(seed: UInt64) throws -> VaultSample {
    let maker = try SampleMaker(seed: seed)
    try maker.commit(Array(mixedCommits.prefix(2)))
    let before = maker.sample("torn")
    try maker.commit([.put("alice", [4]), .put("erin", Array(repeating: 5, count: 400)), .put("fred", [1])])
    let after = maker.sample("torn")
    let half = (before.end + after.end) / 2 + 7
    return before.followed(by: Array(after.bytes[before.end..<half]), named: "torn")
  }

  /// Space allocated ahead behind the last batch.
  package static func zeros(seed: UInt64, count: Int) throws -> VaultSample {
    let maker = try SampleMaker(seed: seed)
    try maker.commit(Array(mixedCommits.prefix(2)))
    return maker.sample("zeros").followed(by: [UInt8](repeating: 0, count: count), named: "zeros-\(count)")
  }

  /// All of them.
  package static func all(seed: UInt64) throws -> [VaultSample] {
    try [
      fresh(seed: seed), ordinary(seed: seed + 1), indexed(seed: seed + 2).attacked(.allButCiphertext),
      rotated(seed: seed + 3).attacked(.sampled), torn(seed: seed + 4).attacked(.end),
      zeros(seed: seed + 5, count: 700).attacked(.sampled), zeros(seed: seed + 6, count: 60).attacked(.end),
      pagesApart(seed: seed + 7).attacked(.sampled),
    ]
  }
}
