internal import VaultCrypto
internal import VaultFormat

/// Gathers the keys of a damaged file: any key slot that the credential opens, and all data keys that are left, wherever they
/// stand.
struct SalvageKeys {
  private struct Slot {
    let slot: KeySlot
    let header: FrameHeader
    let frame: [UInt8]
  }

  /// Distinct slots, in the order of the file.
  private var slots: [Slot] = []
  private var dataKeys: [FrameHeader] = []

  /// Notes the frame of a slot, if its checksums fit, or of a data key.
  ///
  /// - Throws: `slot-damaged`.
  mutating func take(_ frame: borrowing Frame) throws(FormatError) {
    if frame.header.type == .dataKey { dataKeys.append(frame.header) }
    guard frame.header.type == .keySlot else { return }
    _ = try frame.checkedTrailer()
    let slot = try KeySlot(parsing: frame.clear)
    guard !slots.contains(where: { $0.slot == slot }) else { return }
    slots.append(Slot(slot: slot, header: frame.header, frame: frame.bytes.array))
  }

  /// The keys that the credential gives.
  ///
  /// - Throws: `slot-damaged` when no slot is left; `wrong-key`; `frame-damaged` when no data key is left; `io`.
  func keyring(
    with credential: borrowing Credential, _ window: inout FileWindow, in generation: Generation
  ) throws(VaultError) -> Keyring {
    guard !slots.isEmpty else {
      throw VaultError(
        .slotDamaged, "no key slot of the file is left: no key or passphrase can open anything", remedy: Self.remedy)
    }
    guard let keyring = try unlock(with: credential, in: generation) else {
      throw VaultError(
        .wrongKey, "the \(credential.kind == .key ? "key" : "passphrase") opens none of the key slots that are left",
        remedy: "try another that opens the vault")
    }
    for (_, header) in try opened(by: keyring, &window, in: generation) {
      try window.load(at: header.offset, count: header.frameLength)
      do {
        let frame = try Frame(header, in: window.bytes(at: header.offset, count: header.frameLength))
        let plaintext = try keyring.open(frame, in: generation)
        _ = try keyring.accept(dataKey: plaintext.span)
      } catch {
        // Another key of a term that is there already: what it seals stays unopened.
        guard error.code == .commitmentMismatch else { throw VaultError(error) }
      }
    }
    guard keyring.termCount > 0 else {
      throw VaultError(
        .frameDamaged, "no data key of the file is left: no record can be opened", remedy: Self.remedy)
    }
    return keyring
  }

  private static let remedy = "restore a backup; the file was not changed"

  /// Newer slots first. As many are tried as a vault may have, at costs that it may have.
  private func unlock(with credential: borrowing Credential, in generation: Generation) throws(VaultError) -> Keyring? {
    var tried: [KeySlot] = []
    for found in slots.reversed() where credential.fits(found.slot.kind) {
      guard (try? KeySlot.checkBounds(tried + [found.slot])) != nil else { continue }
      tried.append(found.slot)
      do throws(FormatError) {
        let frame = try Frame(found.header, in: found.frame.span)
        let root = try found.slot.unwrap(frame, with: credential, vault: generation.header.vaultID)
        if let root { return try Self.keyring(root, found.slot.number, generation.header) }
      } catch {
        guard error.code == .slotDamaged else { throw VaultError(error) }
      }
    }
    return nil
  }

  private static func keyring(
    _ root: consuming RootKey, _ slot: UInt32, _ header: FileHeader
  ) throws(FormatError) -> Keyring {
    do throws(VaultError) {
      return try Keyring(root: root, slot: slot, header: header)
    } catch {
      throw FormatError(.cryptoFailure, error.sentence)
    }
  }

  /// The data-key frames that open, by term.
  private func opened(
    by keyring: Keyring, _ window: inout FileWindow, in generation: Generation
  ) throws(VaultError) -> [(term: UInt32, header: FrameHeader)] {
    var found: [(term: UInt32, header: FrameHeader)] = []
    for header in dataKeys {
      try window.load(at: header.offset, count: header.frameLength)
      do {
        let frame = try Frame(header, in: window.bytes(at: header.offset, count: header.frameLength))
        let plaintext = try keyring.open(frame, in: generation)
        found.append((try DataKey(parsing: plaintext.span, of: generation.header.vaultID).term, header))
      } catch {
        guard error.code != .cryptoFailure else { throw VaultError(error) }
      }
    }
    return found.sorted { ($0.term, $0.header.offset) < ($1.term, $1.header.offset) }
  }
}
