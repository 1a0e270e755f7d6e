/// A case of AES-CBC: known answers and multi-block messages without padding, Wycheproof's with.
struct CBCCheck: DemandingCheck {
  let padded: Bool
  let key: [UInt8]
  let iv: [UInt8]
  let message: [UInt8]
  let ciphertext: [UInt8]
  let validity: Validity

  func demand(of primitives: Primitives) throws(Verdict) {
    let mode = padded ? primitives.paddedCBC : primitives.plainCBC
    guard key.count == 32 else { throw .notApplicable("a key of \(8 * key.count) bits") }
    guard iv.count == 16 || validity == .invalid else { throw .notApplicable("an IV of \(8 * iv.count) bits") }
    let open = { () throws(PrimitiveError) in try mode.open(ciphertext, key, iv) }
    switch validity {
    case .valid:
      let sealed = try succeed("sealing") { () throws(PrimitiveError) in try mode.seal(message, key, iv) }
      try require(sealed == ciphertext, "sealing gave another ciphertext")
      try require(try succeed("opening", open) == message, "opening gave another plaintext")
    case .invalid:
      try beRefused("opening", open)
    case .acceptable:
      try require(try accepted("opening", open).map { $0 == message } ?? true, "opening gave another plaintext")
    }
  }
}

/// One COUNT of a Monte Carlo test (AESAVS, section 6.4.2): 1000 blocks, each made of the one before.
struct CBCMonteCarloCheck: DemandingCheck {
  /// What the next COUNT must begin with.
  struct Successor: Sendable {
    let key: [UInt8]
    let iv: [UInt8]
    let input: [UInt8]
  }

  let encrypts: Bool
  let key: [UInt8]
  let iv: [UInt8]
  let input: [UInt8]
  let output: [UInt8]
  /// Nil for the last COUNT.
  let successor: Successor?

  private static let rounds = 1000

  func demand(of primitives: Primitives) throws(Verdict) {
    guard key.count == 32 else { throw .notApplicable("a key of \(8 * key.count) bits") }
    let (previous, last) = try iterate(primitives.plainCBC)
    try require(last == output, "after 1000 rounds the block is another")
    guard let successor else { return }
    let nextKey = zip(key, previous + last).map { $0 ^ $1 }
    try require(successor.key == nextKey, "the next COUNT has another key than follows from this one")
    try require(successor.iv == last, "the next COUNT has another IV than follows from this one")
    try require(successor.input == previous, "the next COUNT has another input than follows from this one")
  }

  /// The outputs of the last two rounds.
  private func iterate(_ mode: Primitives.BlockMode) throws(Verdict) -> (previous: [UInt8], last: [UInt8]) {
    var (block, chain) = (input, iv)
    var (previous, last) = (iv, iv)
    for round in 0..<Self.rounds {
      let result = try succeed("round \(round)") { () throws(PrimitiveError) in
        try encrypts ? mode.seal(block, key, chain) : mode.open(block, key, chain)
      }
      chain = encrypts ? result : block
      block = last
      (previous, last) = (last, result)
    }
    return (previous, last)
  }
}
