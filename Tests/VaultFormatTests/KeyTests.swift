import Testing
import VaultCrypto
import VaultFormat

@Suite struct KeySlotTests {
  private static let fast = KeySlot.Kind.scrypt(logN: 14, r: 8, p: 1)

  private func key(_ byte: UInt8) throws -> Credential {
    let secret = try [UInt8](repeating: byte, count: 32).secret()
    guard let credential = Credential(key: secret) else { throw FormatError(.wrongKey, "not 32 bytes") }
    return credential
  }

  private func passphrase(_ text: String) throws -> Credential {
    let secret = try Array(text.utf8).secret()
    guard let credential = Credential(passphrase: secret) else { throw FormatError(.wrongKey, "no bytes") }
    return credential
  }

  private func bytes(_ kind: UInt8, _ logN: UInt8, _ r: UInt8, _ p: UInt8, number: UInt32 = 1) -> [UInt8] {
    var bytes: [UInt8] = [kind, logN, r, p, 0, 0, 0, 0] + [UInt8](repeating: 9, count: 72)
    bytes.put(UInt64(number), count: 4, at: 4)
    return bytes
  }

  private func slot(_ logN: UInt8, _ r: UInt8 = 8, _ p: UInt8 = 1, number: UInt32 = 1) throws -> KeySlot {
    let clear = bytes(2, logN, r, p, number: number)
    return try KeySlot(parsing: clear.span)
  }

  /// A founding batch's slot frame in a file of `vault`, which `body` gets.
  private func withFrame(
    _ sealed: KeySlot.Sealed, in vault: SmallVault, damaging place: Int? = nil,
    _ body: (KeySlot, borrowing Frame) throws -> Void
  ) throws {
    var batch = try BatchEncoder(after: Chain(startOf: vault.generation), in: vault.generation)
    try batch.append(sealed)
    var bytes = batch.bytes
    if let place { bytes[place] ^= 1 }
    vault.repair(&bytes, frameAt: 0)
    let span = bytes.span
    let header = try FrameHeader(parsing: span, at: 128, in: vault.generation)
    let frame = try Frame(header, in: span)
    _ = try frame.checkedTrailer()
    try body(try KeySlot(parsing: frame.clear), frame)
  }

  @Test func theClearPartHasOneForm() throws {
    // Defends: round trip of both kinds; every truncation and flipped bit is slot-damaged or means itself.
    let canonical = Canonical(codes: [.slotDamaged], parse: { try KeySlot(parsing: $0) }, serialize: { $0.clear() })
    canonical.attack(bytes(1, 0, 0, 0))
    canonical.attack(bytes(2, 17, 8, 1))
    for bad in [bytes(0, 0, 0, 0), bytes(3, 0, 0, 0), bytes(1, 14, 0, 0), bytes(1, 0, 8, 0), bytes(1, 0, 0, 1)] {
      #expect(canonical.refuses(bad, "\(bad.prefix(4))"))
    }
    #expect(canonical.refuses(bytes(1, 0, 0, 0) + [0], "81 bytes"))
  }

  @Test func costsKeepToTheirBounds() throws {
    // Defends: no key derivation runs for a slot, or for slots together, beyond what an owner would ask for.
    func code(_ slots: [KeySlot]) -> FormatError.Code? {
      VaultFormatTests.code { try KeySlot.checkBounds(slots) }
    }
    for logN: UInt8 in 14...20 { #expect(code([try slot(logN)]) == nil) }
    for logN: UInt8 in [0, 1, 13, 21, 31, 32, 63, 64, 255] { #expect(code([try slot(logN)]) == .limitExceeded) }
    for r: UInt8 in [0, 1, 7, 9, 255] { #expect(code([try slot(14, r)]) == .limitExceeded) }
    for p: UInt8 in 1...4 { #expect(code([try slot(20, 8, p)]) == nil) }
    for p: UInt8 in [0, 5, 255] { #expect(code([try slot(14, 8, p)]) == .limitExceeded) }
    let many = try (UInt32(1)...9).map { try slot(14, number: $0) }
    #expect(code(Array(many.dropLast())) == nil && code(many) == .limitExceeded)
    let costly = try [slot(20, 8, 4, number: 1), slot(14, 8, 1, number: 2)]
    #expect(code([costly[0]]) == nil && code(costly) == .limitExceeded)
    let raw = try (UInt32(1)...33).map { (number) in
      let clear = bytes(1, 0, 0, 0, number: number)
      return try KeySlot(parsing: clear.span)
    }
    #expect(code(Array(raw.dropLast())) == nil && code(raw) == .limitExceeded)
    #expect(code([raw[0], raw[1], raw[0]]) == .slotDamaged, "a number used twice")
    #expect(code([]) == nil)
  }

  @Test func costsAreRefusedEvenWhenNobodyChecked() throws {
    // Defends: a slot with N = 2^63 that gets as far as being tried is an error at once, not an endless derivation.
    let vault = try SmallVault()
    let passphrase = try passphrase("x")
    try withFrame(vault.slot, in: vault) { (_, frame) in
      for slot in try [slot(63), slot(255), slot(64), slot(20, 255, 255), slot(20, 0, 0)] {
        let refused = VaultFormatTests.code {
          _ = try slot.unwrap(frame, with: passphrase, vault: vault.header.vaultID)
        }
        #expect(refused != nil)
      }
    }
  }

  @Test func aCredentialOpensItsOwnSlot() throws {
    // Defends: wrapping and unwrapping under both kinds; another credential is not an error, only not the one.
    let vault = try SmallVault()
    let id = vault.header.vaultID
    var random = SplitMix64(seed: 4)
    let expected = try tag(under: vault.root, vault)
    for kind in [KeySlot.Kind.raw, Self.fast] {
      let right = kind == .raw ? try key(1) : try passphrase("correct horse")
      let wrong = kind == .raw ? try key(2) : try passphrase("correct horsf")
      let other = kind == .raw ? try passphrase("correct horse") : try key(1)
      let sealed = try KeySlot.seal(
        vault.root, under: right, kind: kind, number: 7, created: -3, vault: id, random: &random)
      #expect(sealed.slot.number == 7 && sealed.slot.created == -3 && sealed.slot.kind == kind)
      try withFrame(sealed, in: vault) { (slot, frame) in
        #expect(slot == sealed.slot)
        let opened = try slot.unwrap(frame, with: right, vault: id)
        guard let root = opened else {
          Issue.record("the right credential does not open the slot")
          return
        }
        #expect(try tag(under: root, vault) == expected)
        try refuse(slot, frame, wrong, id)
        try refuse(slot, frame, other, id)
        try refuse(slot, frame, right, Samples.filled(1))
      }
    }
  }

  /// Expects that the credential is not the slot's in that vault, which is no error.
  private func refuse(
    _ slot: KeySlot, _ frame: borrowing Frame, _ credential: borrowing Credential, _ vault: FixedBytes<16>
  ) throws {
    if case .some = try slot.unwrap(frame, with: credential, vault: vault) {
      Issue.record("a slot opens under what is not its own")
    }
  }

  /// The tag of one name, by which root keys are told apart.
  private func tag(under root: borrowing RootKey, _ vault: SmallVault) throws -> LookupTag {
    var key = try root.lookupKey(of: vault.header)
    let name = Array("name".utf8)
    return try key.tag(of: name.span)
  }

  @Test func aDamagedSlotSaysSo() throws {
    // Defends: where the commitment fits and the box does not open, the slot is damaged: the credential is not wrong.
    let vault = try SmallVault()
    for place in [168, 180, 192, 207, 208, 239] {
      try withFrame(vault.slot, in: vault, damaging: place) { (slot, frame) in
        #expect(throws: FormatError(.slotDamaged, ""), "byte \(place)") {
          _ = try slot.unwrap(frame, with: vault.credential, vault: vault.header.vaultID)
        }
      }
    }
    // Salt and commitment decide whether it is this credential's slot at all; number and time are authenticated.
    for place in [88 + 16, 88 + 47, 88 + 48, 88 + 79] {
      try withFrame(vault.slot, in: vault, damaging: place) { (slot, frame) in
        if case .some = try slot.unwrap(frame, with: vault.credential, vault: vault.header.vaultID) {
          Issue.record("byte \(place) changed, and the slot opens")
        }
      }
    }
    for place in [88 + 7, 88 + 15] {
      try withFrame(vault.slot, in: vault, damaging: place) { (slot, frame) in
        #expect(throws: FormatError(.slotDamaged, "")) {
          _ = try slot.unwrap(frame, with: vault.credential, vault: vault.header.vaultID)
        }
      }
    }
  }

  @Test func credentialsHaveTheirLengths() throws {
    // Defends: a raw key has 32 bytes, a passphrase at least one.
    for count in [0, 31, 33] {
      let bytes = try [UInt8](repeating: 1, count: count).secret()
      if Credential(key: bytes) != nil { Issue.record("a key of \(count) bytes") }
    }
    let empty = try [UInt8]().secret()
    if Credential(passphrase: empty) != nil { Issue.record("an empty passphrase") }
  }
}

@Suite struct DataKeyTests {
  private let vault: FixedBytes<16> = Samples.filled(0xA1)

  private func bytes(term: UInt32 = 3) throws -> [UInt8] {
    var random = SplitMix64(seed: 8)
    let key = try DataKey(term: term, created: 11, from: &random)
    let plaintext = try key.plaintext(for: vault)
    return plaintext.span.array
  }

  private func code(_ bytes: [UInt8], of vault: FixedBytes<16>? = nil) -> FormatError.Code? {
    VaultFormatTests.code { _ = try DataKey(parsing: bytes.span, of: vault ?? self.vault) }
  }

  @Test func aDataKeyComesBack() throws {
    // Defends: round trip, and that two keys are the same only in term and bytes.
    let bytes = try bytes()
    #expect(bytes.count == 80)
    let key = try DataKey(parsing: bytes.span, of: vault)
    #expect(key.term == 3 && key.created == 11)
    let again = try DataKey(parsing: bytes.span, of: vault)
    let otherBytes = try self.bytes(term: 4)
    let other = try DataKey(parsing: otherBytes.span, of: vault)
    let same = (key.isSame(as: again), key.isSame(as: other))
    #expect(same == (true, false))
  }

  @Test func theCommitmentIsChecked() throws {
    // Defends: key, term, vault and commitment belong together; every flipped bit but those of the time is refused.
    let bytes = try bytes()
    for bit in 0..<640 {
      let found = code(bytes.flipping(bit: bit))
      switch bit / 8 {
      case 8..<16: #expect(found == nil, "the time is authenticated by the frame")
      case 4..<8: #expect(found == .frameDamaged, "reserved, bit \(bit)")
      case 0..<4 where bytes.flipping(bit: bit).number(at: 0, count: 4) == 0: #expect(found == .frameDamaged)
      default: #expect(found == .commitmentMismatch, "bit \(bit)")
      }
    }
    #expect(code(bytes, of: Samples.filled(0xA2)) == .commitmentMismatch)
    #expect(code(try self.bytes(term: 0)) == .frameDamaged, "term 0")
  }

  @Test func aDataKeyHasOneLength() throws {
    // Defends: 80 bytes and no other number.
    let bytes = try bytes()
    for count in 0..<80 { #expect(code(Array(bytes.prefix(count))) == .frameDamaged) }
    #expect(code(bytes + [0]) == .frameDamaged)
  }
}
