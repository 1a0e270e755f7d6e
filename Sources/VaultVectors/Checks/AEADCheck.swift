/// A case of authenticated encryption.
struct AEADCheck: DemandingCheck {
  /// Which member of ``Primitives`` the case is for.
  enum Algorithm: Sendable { case gcm, xaes }

  let algorithm: Algorithm
  let key: [UInt8]
  let iv: [UInt8]
  let aad: [UInt8]
  /// Nil where a file does not tell what must not come out.
  let message: [UInt8]?
  let sealed: Primitives.Sealed
  /// The length in bytes that tags of this case's section or group have.
  let tagLength: Int
  let validity: Validity

  func demand(of primitives: Primitives) throws(Verdict) {
    let aead = algorithm == .gcm ? primitives.gcm : primitives.xaes
    guard key.count == 32 else { throw .notApplicable("a key of \(8 * key.count) bits") }
    guard aead.definedIVLengths.contains(iv.count) else { return try demandRefusal(of: aead) }
    guard aead.takenIVLengths.contains(iv.count) else { throw .notApplicable("an IV of \(8 * iv.count) bits") }
    if tagLength < 16, sealed.tag.count == tagLength {
      try demandShortTag(of: aead)
    } else {
      try demandFullTag(of: aead)
    }
  }

  /// The standard has no IV of this length: nothing may be sealed or opened with it.
  private func demandRefusal(of aead: Primitives.AEAD) throws(Verdict) {
    guard validity == .invalid else { throw .notApplicable("an IV of \(8 * iv.count) bits") }
    try beRefused("sealing with an IV of \(iv.count) bytes") { () throws(PrimitiveError) in
      try aead.seal(message ?? [], key, iv, aad)
    }
    try demandNoOpening(of: sealed, by: aead)
  }

  private func demandFullTag(of aead: Primitives.AEAD) throws(Verdict) {
    switch validity {
    case .valid:
      let result = try seal(message ?? [], with: aead)
      try require(result.ciphertext == sealed.ciphertext, "sealing gave another ciphertext")
      try require(result.tag == sealed.tag, "sealing gave another tag")
      try demandOpening(of: sealed, by: aead)
    case .invalid:
      try demandNoOpening(of: sealed, by: aead)
    case .acceptable:
      try allowOpening(of: sealed, by: aead)
    }
  }

  /// The leftmost bytes of a full tag stand in the file. Implementations take full tags alone, so the rest is computed:
  /// GCM enciphers by a key stream, and sealing the ciphertext gives the plaintext back.
  private func demandShortTag(of aead: Primitives.AEAD) throws(Verdict) {
    guard tagLength >= 4 else { throw .notApplicable("a tag of \(8 * tagLength) bits") }
    let plaintext = try seal(sealed.ciphertext, with: aead).ciphertext
    let whole = try seal(plaintext, with: aead)
    let completed = Primitives.Sealed(
      ciphertext: sealed.ciphertext, tag: sealed.tag + whole.tag.dropFirst(tagLength))
    try require(whole.ciphertext == sealed.ciphertext, "sealing twice did not give the ciphertext back")
    switch validity {
    case .valid:
      try require(plaintext == message, "sealing gave another ciphertext")
      try require(whole.tag.starts(with: sealed.tag), "sealing gave another tag")
      try demandOpening(of: completed, by: aead)
    case .invalid:
      try require(!whole.tag.starts(with: sealed.tag), "the tag fits, but must not")
      try demandNoOpening(of: completed, by: aead)
    case .acceptable:
      try allowOpening(of: completed, by: aead)
    }
  }

  private func seal(_ message: [UInt8], with aead: Primitives.AEAD) throws(Verdict) -> Primitives.Sealed {
    try succeed("sealing") { () throws(PrimitiveError) in try aead.seal(message, key, iv, aad) }
  }

  private func demandOpening(of sealed: Primitives.Sealed, by aead: Primitives.AEAD) throws(Verdict) {
    let opened = try succeed("opening") { () throws(PrimitiveError) in try aead.open(sealed, key, iv, aad) }
    try require(opened == message, "opening gave another plaintext")
  }

  private func demandNoOpening(of sealed: Primitives.Sealed, by aead: Primitives.AEAD) throws(Verdict) {
    try beRefused("opening") { () throws(PrimitiveError) in try aead.open(sealed, key, iv, aad) }
  }

  private func allowOpening(of sealed: Primitives.Sealed, by aead: Primitives.AEAD) throws(Verdict) {
    let opened = try accepted("opening") { () throws(PrimitiveError) in try aead.open(sealed, key, iv, aad) }
    try require(opened == nil || message == nil || opened == message, "opening gave another plaintext")
  }
}
