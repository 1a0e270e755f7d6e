/// A case of HMAC-SHA-256, whose tag may be the leftmost bytes of the code.
struct MACCheck: DemandingCheck {
  let key: [UInt8]
  let message: [UInt8]
  let tag: [UInt8]
  /// The length in bytes that tags of this case's group have.
  let tagLength: Int
  let validity: Validity

  func demand(of primitives: Primitives) throws(Verdict) {
    guard (1...32).contains(tagLength) else { throw .notApplicable("a tag of \(8 * tagLength) bits") }
    let code = try succeed("the code") { () throws(PrimitiveError) in try primitives.hmac(key, message) }
    let fits = tag.count == tagLength && code.starts(with: tag)
    switch validity {
    case .valid: try require(fits, "the code is another")
    case .invalid: try require(!fits, "the tag fits, but must not")
    case .acceptable: break
    }
  }
}

/// A case of HKDF-SHA-256.
struct HKDFCheck: DemandingCheck {
  let keyMaterial: [UInt8]
  let salt: [UInt8]
  let info: [UInt8]
  let count: Int
  /// The pseudorandom key between extract and expand, where the file gives it.
  let extracted: [UInt8]?
  let output: [UInt8]
  let validity: Validity

  func demand(of primitives: Primitives) throws(Verdict) {
    let isTaken = primitives.hkdf.counts.contains(count)
    if validity != .invalid, !isTaken { throw .notApplicable("an output of \(count) bytes") }
    try demandDerived(output, count: count, validity) { () throws(PrimitiveError) in
      try primitives.hkdf.derive(keyMaterial, salt, info, count)
    }
    guard let extracted else { return }
    // RFC 5869, section 2.2: PRK = HMAC-Hash(salt, IKM).
    let key = try succeed("extracting") { () throws(PrimitiveError) in try primitives.hmac(salt, keyMaterial) }
    try require(key == extracted, "the extracted key is another")
  }
}

/// A case of PBKDF2.
struct PBKDF2Check: DemandingCheck {
  let hash: Primitives.PBKDF2Hash
  let password: [UInt8]
  let salt: [UInt8]
  let iterations: Int
  let count: Int
  let output: [UInt8]
  let validity: Validity

  func demand(of primitives: Primitives) throws(Verdict) {
    let pbkdf2 = primitives.pbkdf2
    if validity != .invalid {
      if !pbkdf2.iterations.contains(iterations) { throw .notApplicable("\(iterations) iterations") }
      if !pbkdf2.counts.contains(count) { throw .notApplicable("an output of \(count) bytes") }
    }
    try demandDerived(output, count: count, validity) { () throws(PrimitiveError) in
      try pbkdf2.derive(hash, password, salt, iterations, count)
    }
  }
}

/// A case of scrypt.
struct ScryptCheck: DemandingCheck {
  let password: [UInt8]
  let salt: [UInt8]
  let cost: Primitives.ScryptCost
  let count: Int
  let output: [UInt8]
  let validity: Validity

  func demand(of primitives: Primitives) throws(Verdict) {
    if validity != .invalid, let reason = whyNotApplicable(to: primitives.scrypt) { throw .notApplicable(reason) }
    try demandDerived(output, count: count, validity) { () throws(PrimitiveError) in
      try primitives.scrypt.derive(password, salt, cost, count)
    }
  }

  private func whyNotApplicable(to scrypt: Primitives.Scrypt) -> String? {
    guard scrypt.n.contains(cost.n), scrypt.factors.contains(cost.r), scrypt.factors.contains(cost.p),
      cost.n * cost.r * cost.p <= scrypt.product
    else { return "a cost of N = \(cost.n), r = \(cost.r), p = \(cost.p)" }
    return scrypt.counts.contains(count) ? nil : "an output of \(count) bytes"
  }
}

/// Demands `output` of a derivation, or its refusal.
private func demandDerived(
  _ output: [UInt8], count: Int, _ validity: Validity, _ derive: () throws(PrimitiveError) -> [UInt8]
) throws(Verdict) {
  switch validity {
  case .valid:
    try require(output.count == count, "the file asks for \(count) bytes, but gives \(output.count)")
    try require(try succeed("deriving", derive) == output, "the derived key is another")
  case .invalid:
    try beRefused("deriving", derive)
  case .acceptable:
    try require(try accepted("deriving", derive).map { $0 == output } ?? true, "the derived key is another")
  }
}
