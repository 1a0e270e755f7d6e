package import VaultCrypto

/// The root key wrapped under one credential (FORMAT.md, "Key slot").
package struct KeySlot: Equatable, Sendable {
  /// Bytes of the clear part.
  package static let clearLength = 80
  /// Bytes of the ciphertext: the root key.
  package static let sealedLength = 32

  /// How the credential becomes the key that wraps.
  package enum Kind: Equatable, Sendable {
    /// HKDF of a 32-byte key.
    case raw
    /// scrypt with N = 2^`logN`, r = 8.
    case scrypt(logN: UInt8, r: UInt8, p: UInt8)

    /// About a third of a second and 128 MiB.
    package static let defaultScrypt = Kind.scrypt(logN: 17, r: 8, p: 1)
  }

  package let kind: Kind
  /// Unique in a vault, and never used again.
  package let number: UInt32
  /// Microseconds since 1970.
  package let created: Int64
  package let salt: FixedBytes<32>
  /// The second half of what the credential derives to: tells whether it is the right one without opening anything.
  package let commitment: FixedBytes<32>

  /// Reads the clear part of a slot's frame.
  ///
  /// - Throws: `slot-damaged`. Costs over the bounds are not an error here: see ``checkBounds(_:)``.
  package init(parsing clear: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(clear, failing: .slotDamaged, in: "key slot")
    let kind = try reader.u8()
    let logN = try reader.u8()
    let r = try reader.u8()
    let p = try reader.u8()
    number = try reader.u32()
    created = try reader.i64()
    salt = try reader.fixed()
    commitment = try reader.fixed()
    guard reader.remaining == 0 else { throw reader.error("has \(reader.remaining) bytes too many") }
    switch kind {
    case 1:
      guard logN == 0, r == 0, p == 0 else { throw reader.error("a raw slot has scrypt costs") }
      self.kind = .raw
    case 2: self.kind = .scrypt(logN: logN, r: r, p: p)
    default: throw reader.error("its kind \(kind) is unknown")
    }
  }

  private init(kind: Kind, number: UInt32, created: Int64, salt: FixedBytes<32>, commitment: FixedBytes<32>) {
    self.kind = kind
    self.number = number
    self.created = created
    self.salt = salt
    self.commitment = commitment
  }

  /// The 80 bytes of the clear part.
  package func clear() -> [UInt8] {
    [UInt8](capacity: Self.clearLength) { (output) in
      switch kind {
      case .raw: output.append(bigEndian: UInt32(0x0100_0000))
      case .scrypt(let logN, let r, let p):
        output.append(2)
        output.append(logN)
        output.append(r)
        output.append(p)
      }
      output.append(bigEndian: number)
      output.append(bigEndian: created)
      output.append(contentsOf: salt.span)
      output.append(contentsOf: commitment.span)
    }
  }

  /// Checks all slots of a vault before any key derivation runs, so that a hostile file can't choose how long it takes.
  ///
  /// - Throws: `limit-exceeded`, with what was found and what is allowed; `slot-damaged` when two have one number.
  package static func checkBounds(_ slots: [KeySlot]) throws(FormatError) {
    guard slots.count <= Limits.slots else {
      throw FormatError(.limitExceeded, "the vault has \(slots.count) key slots; \(Limits.slots) are allowed")
    }
    var passphrases = 0
    var cost: UInt64 = 0
    for slot in slots {
      guard case .scrypt(let logN, let r, let p) = slot.kind else { continue }
      guard (14...20).contains(logN), r == 8, (1...4).contains(p) else {
        throw FormatError(
          .limitExceeded,
          "key slot \(slot.number) asks for scrypt with N = 2^\(logN), r = \(r), p = \(p); allowed are N = 2^14 to 2^20, "
            + "r = 8, p = 1 to 4")
      }
      passphrases += 1
      cost += UInt64(p) << logN
    }
    guard passphrases <= Limits.passphraseSlots else {
      throw FormatError(
        .limitExceeded, "the vault has \(passphrases) passphrase slots; \(Limits.passphraseSlots) are allowed")
    }
    guard cost <= Limits.totalScryptCost else {
      throw FormatError(
        .limitExceeded, "the passphrase slots together cost N * p = \(cost); \(Limits.totalScryptCost) is allowed")
    }
    guard Set(slots.map(\.number)).count == slots.count else {
      throw FormatError(.slotDamaged, "two key slots have the same number")
    }
  }

  /// What the credential derives to for a slot of this kind and salt: the wrapping key, then the commitment, 64 bytes.
  ///
  /// Costs what the slot says: check the bounds of all slots first.
  fileprivate static func derive(
    _ credential: borrowing Credential, _ kind: Kind, salt: FixedBytes<32>, vault: FixedBytes<16>
  ) throws(CryptoError) -> SecretBytes {
    precondition(credential.fits(kind))
    switch kind {
    case .raw:
      let info = Label.bytes("tokenvault/1 slot raw", vault.span.array)
      return try KeyDerivation.hkdfSHA256(
        keyMaterial: credential.bytes.span, salt: salt.span, info: info.span, count: 64)
    case .scrypt(let logN, let r, let p):
      let fullSalt = vault.span.array + salt.span.array
      return try KeyDerivation.scrypt(
        passphrase: credential.bytes.span, salt: fullSalt.span, n: 1 << UInt64(logN), r: UInt32(r), p: UInt32(p),
        count: 64)
    }
  }

  /// `"tokenvault/1 slot" || 00 || vault id || clear`: not bound to the frame's place, so that slots can be carried on.
  private static func additionalData(_ clear: [UInt8], vault: FixedBytes<16>) -> [UInt8] {
    Label.bytes("tokenvault/1 slot", vault.span.array + clear)
  }
}

extension KeySlot {
  /// A slot ready to be put into a frame: its parameters, and the root key sealed under the credential.
  package struct Sealed: Sendable {
    package let slot: KeySlot
    /// `salt | iv | authTag | ciphertext`, 72 bytes.
    package let box: [UInt8]

    /// A slot as it stands in a file, to be carried over without its credential.
    ///
    /// - Throws: `slot-damaged`.
    package init(carrying frame: borrowing Frame) throws(FormatError) {
      slot = try KeySlot(parsing: frame.clear)
      box = frame.sealed.array
    }

    fileprivate init(slot: KeySlot, box: [UInt8]) {
      self.slot = slot
      self.box = box
    }
  }

  /// What a credential derives to for one new slot, under a salt of its own: all that takes long about a slot, and nothing
  /// that depends on what else the vault holds by then.
  package struct WrappingKey: ~Copyable, Sendable {
    package let kind: Kind
    fileprivate let salt: FixedBytes<32>
    fileprivate let vault: FixedBytes<16>
    /// The key, then the commitment.
    fileprivate let derived: SecretBytes

    /// Takes as long as `kind` says.
    ///
    /// - Throws: `invalidParameter` for costs that scrypt does not take.
    package init(
      of credential: borrowing Credential, kind: Kind, vault: FixedBytes<16>,
      random: inout some RandomSource & ~Copyable
    ) throws(CryptoError) {
      let salt: FixedBytes<32> = try random.bytes()
      derived = try KeySlot.derive(credential, kind, salt: salt, vault: vault)
      (self.kind, self.salt, self.vault) = (kind, salt, vault)
    }
  }

  /// Wraps the root key.
  ///
  /// - Throws: `invalidParameter` for costs that scrypt does not take.
  package static func seal(
    _ root: borrowing RootKey, under credential: borrowing Credential, kind: Kind, number: UInt32, created: Int64,
    vault: FixedBytes<16>, random: inout some RandomSource & ~Copyable
  ) throws(CryptoError) -> Sealed {
    let key = try WrappingKey(of: credential, kind: kind, vault: vault, random: &random)
    return try seal(root, under: key, number: number, created: created, random: &random)
  }

  /// Wraps the root key under what was derived before: takes no time.
  package static func seal(
    _ root: borrowing RootKey, under wrapping: borrowing WrappingKey, number: UInt32, created: Int64,
    random: inout some RandomSource & ~Copyable
  ) throws(CryptoError) -> Sealed {
    let slot = KeySlot(
      kind: wrapping.kind, number: number, created: created, salt: wrapping.salt,
      commitment: FixedBytes(wrapping.derived.span.extracting(32..<64)))
    var key = try XAES256GCM(key: wrapping.derived.span.extracting(first: 32))
    let salt: XAES256GCM.Part = try random.bytes()
    let iv: XAES256GCM.Part = try random.bytes()
    let aad = additionalData(slot.clear(), vault: wrapping.vault)
    let box = try [UInt8](capacity: 24 + 16 + sealedLength) { (output) throws(CryptoError) in
      output.append(contentsOf: salt.span)
      output.append(contentsOf: iv.span)
      try key.seal(root.bytes.span, salt: salt, iv: iv, authenticating: aad.span, appendingTo: &output)
    }
    return Sealed(slot: slot, box: box)
  }

  /// Whether the credential is the one that the slot was made for, as its commitment tells; false without one.
  ///
  /// - Throws: `crypto-failure`.
  package func isOpened(by credential: borrowing Credential?, in vault: FixedBytes<16>) throws(FormatError) -> Bool {
    switch credential {
    case .none: return false
    case .some(let credential):
      guard credential.fits(kind) else { return false }
      let derived = try crypto { () throws(CryptoError) in
        try Self.derive(credential, kind, salt: salt, vault: vault)
      }
      return constantTimeEqual(derived.span.extracting(32..<64), commitment.span)
    }
  }

  /// The root key, if the credential's commitment is the slot's; `nil`, which is not an error, if it is another's.
  ///
  /// - Parameter frame: the slot's frame.
  /// - Throws: `slot-damaged` when the commitment fits and the sealed key does not open.
  package func unwrap(
    _ frame: borrowing Frame, with credential: borrowing Credential, vault: FixedBytes<16>
  ) throws(FormatError) -> RootKey? {
    guard credential.fits(kind) else { return nil }
    let derived = try crypto { () throws(CryptoError) in
      try Self.derive(credential, kind, salt: salt, vault: vault)
    }
    guard constantTimeEqual(derived.span.extracting(32..<64), commitment.span) else { return nil }
    var key = try crypto { () throws(CryptoError) in try XAES256GCM(key: derived.span.extracting(first: 32)) }
    let aad = Self.additionalData(clear(), vault: vault)
    var root = try SecretBytes.room(for: RootKey.length)
    try frame.unseal(with: &key, authenticating: aad.span, into: &root)
    return RootKey(root)
  }
}
