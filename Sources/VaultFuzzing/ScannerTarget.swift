internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat
internal import VaultLaboratory
internal import VaultVectors

extension FuzzTarget {
  /// A whole file, gone over without a key: header, frames, links, batches, and what the tail rules make of its end.
  static let scanner = FuzzTarget(
    "scanner", longest: 1 << 14,
    mutate: { (input, longest, random) in LooseVault.mutated(input, key: nil, longest: longest, &random) },
    seeds: { (testvectors) in SampleFiles.scenarios(in: testvectors).map(\.vault) + SampleFiles.ofTheLaboratory }
  ) { (input) throws(Violation) in
    let bytes = input.array
    let found = try VaultFindings(bytes).verdict(key: nil)
    try demand(try VaultFindings(bytes).verdict(key: nil) == found, "another answer the second time")
    guard found.refused == nil else { return }
    try demand(found.bytes <= UInt64(bytes.count), "more was committed than is there")
    guard !found.isDamaged else { return }
    let all = found.bytes + found.torn + found.zeros
    try demand(all == UInt64(bytes.count), "\(found): that is not the file's \(bytes.count) bytes")
    // What was never acknowledged may be cut off, and the rest stays what it was.
    try check(Array(bytes.prefix(Int(found.bytes))), against: found, zeros: 0)
    try check(Array(bytes.prefix(Int(found.bytes))) + [UInt8](repeating: 0, count: 600), against: found, zeros: 600)
    guard found.torn > 0 else { return }
    try check(Array(bytes.prefix(Int(found.bytes + found.torn))), against: found, zeros: nil)
  }

  /// - Parameter zeros: bytes of zero that follow at once; `nil` where the tail is there still.
  private static func check(
    _ bytes: [UInt8], against whole: VaultFindings.Verdict, zeros: UInt64?
  ) throws(Violation) {
    let found = try VaultFindings(bytes).verdict(key: nil)
    guard let zeros else {
      // A cut may take the sector with it that proved the tail torn; it must not make it a batch.
      try demand(found.bytes == whole.bytes && found.head == whole.head, "without its zeros: \(found)")
      return
    }
    var expected = whole
    (expected.torn, expected.zeros) = (0, zeros)
    try demand(found == expected, "without its tail: \(found) instead of \(expected)")
  }
}
