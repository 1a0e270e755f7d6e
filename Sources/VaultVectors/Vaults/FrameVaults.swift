/// Damage in a frame that an intact batch follows, so that no rule of the tail applies.
enum FrameVaults {
  static let all: [Recipe] = good + flipped + headers + trailers + forged + moved

  private static let good: [Recipe] = [
    Recipe("frame_good-ancillary", .success, "Frames of unknown ancillary types are opened and ignored (grease).") {
      (vault) in
      vault.begin()
      vault.unknown(0x80)
      vault.unknown(0xFF, ends: false)
      vault.put("bob", "two")
    },
    Recipe("frame_good-batch", .success, "A batch of several operations.") { (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false)
      vault.event("alice", "signed in", ends: false)
      vault.unknown(0x93, ends: false)
      vault.delete("alice", ends: false)
      vault.put("bob", "three")
    },
  ]

  private static let flipped: [Recipe] = [
    damage("sync", "The sync is another.") { $0[0] ^= 1 },
    damage("header-flipped", "A bit of the sequence is flipped.") { $0[15] ^= 1 },
    damage("header-checksum", "A bit of the header's checksum is flipped.") { $0[87] ^= 1 },
    damage("salt-flipped", "A bit of the salt is flipped.") { $0[88] ^= 1 },
    damage("tag-flipped", "A bit of the authTag is flipped.") { $0[112] ^= 1 },
    damage("ciphertext-flipped", "A bit of the ciphertext is flipped.") { $0[140] ^= 1 },
    damage("zeroed", "A whole frame is zeros.") { $0 = [UInt8](repeating: 0, count: $0.count) },
  ]

  private static let headers: [Recipe] = [
    header("critical-type-0", "Type 0, which is critical and unknown.") { $0.set(FrameField.type, 0) },
    header("critical-type-8", "Type 8, which is critical and unknown (grease).") { $0.set(FrameField.type, 8) },
    header("critical-type-127", "Type 127, which is critical and unknown (grease).") {
      $0.set(FrameField.type, 127)
    },
    header("suite-cbc", "The legacy suite 0x81 seals no frame.") { $0.set(FrameField.suite, 0x81) },
    header("suite-gcm", "The legacy suite 0x82 seals no frame.") { $0.set(FrameField.suite, 0x82) },
    header("suite-0", "Suite 0.") { $0.set(FrameField.suite, 0) },
    header("suite-2", "Suite 2.") { $0.set(FrameField.suite, 2) },
    header("reserved-flag", "A reserved flag is set.") { $0.set(FrameField.flags, 3) },
    header("reserved", "A reserved byte of the header is not zero.") { $0.set(FrameField.reserved, 1) },
    header("offset", "The frame says that it stands 16 bytes further on.") {
      $0.set(FrameField.offset, $0.get(FrameField.offset) + 16)
    },
    header("clear-length", "A record with a clear part.") { $0.set(FrameField.clearLength, 16) },
    header("no-ciphertext", "A ciphertext of no bytes.") { $0.set(FrameField.ciphertextLength, 0) },
    header("odd-ciphertext", "A ciphertext of 40 bytes.") { $0.set(FrameField.ciphertextLength, 40) },
    header("too-long", "A ciphertext of 64 MiB, with which the frame is too long.") {
      $0.set(FrameField.ciphertextLength, 1 << 26)
    },
    header("length-4-gib", "Lengths that would overflow 32 bits.") {
      $0.set(FrameField.clearLength, 0xFFFF_FFF0)
      $0.set(FrameField.ciphertextLength, 0xFFFF_FFF0)
    },
  ]

  private static let trailers: [Recipe] = [
    trailer("trailer-total", "The trailer's total is 16 bytes too long.") {
      $0.set(TrailerField.total, $0.get(TrailerField.total) + 16)
      $0.set(TrailerField.complement, ~$0.get(TrailerField.total))
    },
    trailer("trailer-complement", "The trailer's complement is another.") { $0[15] ^= 0x10 },
    trailer("trailer-distance", "The trailer says that its batch began 16 bytes before.") {
      $0.set(TrailerField.distance, $0.get(TrailerField.distance) + 16)
    },
    trailer("trailer-checksum", "The checksum over the frame is another.") { $0[8] ^= 1 },
  ]

  private static let forged: [Recipe] = [
    forge("forged-ciphertext", "A changed ciphertext with checksums and links made right.") { $0[140] ^= 1 },
    forge("forged-tag", "A changed authTag with checksums and links made right.") { $0[127] ^= 1 },
    forge("short-tag", "Of the authTag only the first 12 bytes are right.") {
      for index in 124..<128 { $0[index] ^= 0xFF }
    },
    forge("tag-of-one-byte", "Of the authTag only the first byte is right.") {
      for index in 113..<128 { $0[index] ^= 0xFF }
    },
    forge("no-tag", "The authTag is zeros.") {
      for index in 112..<128 { $0[index] = 0 }
    },
    forge("swapped-salt-and-iv", "Salt and iv are exchanged.") { $0.swapFields(FrameField.salt, FrameField.iv) },
    forge("forged-term", "The term was changed after sealing.") { $0.set(FrameField.term, 2) },
  ]

  private static let moved: [Recipe] = [
    Recipe("frame_inflated-length", .frameDamaged, "A length in the middle swallows the next batch.") { (vault) in
      vault.begin()
      let swallowed = 208
      let edit: (inout [UInt8]) -> Void = {
        $0.set(FrameField.ciphertextLength, $0.get(FrameField.ciphertextLength) + UInt64(swallowed))
      }
      vault.finding = vault.put("bob", "two", .forge(edit)).offset
      vault.put("carol", "three")
      vault.put("dave", "four")
    },
    Recipe("frame_other-generation", .frameDamaged, "A frame of another generation in the place of one of the same kind.") {
      (vault) in
      var other = vault.successor()
      other.found()
      other.put("alice", "old")
      let stale = other.parts[3]
      vault.begin()
      vault.put("bob", "two")
      vault.bytes.replaceSubrange(vault.frames[3].range, with: stale)
      vault.finding = vault.frames[3].offset
    },
    Recipe("frame_copied-over-newer", .frameDamaged, "An old put and its link are copied over the newer one (proved).") {
      (vault) in
      vault.begin()
      vault.put("alice", "two")
      vault.put("bob", "three")
      vault.bytes.replaceSubrange(vault.frames[4].range, with: vault.parts[3])
      vault.finding = vault.frames[4].offset
    },
  ]

  // MARK: One put among three, changed

  private static func damage(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("frame_\(name)", .frameDamaged, comment) { $0.surround(.damage(edit)) }
  }

  private static func header(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("frame_\(name)", .frameDamaged, comment) { $0.surround(.header(edit)) }
  }

  private static func trailer(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("frame_\(name)", .frameDamaged, comment) { $0.surround(.trailer(edit)) }
  }

  private static func forge(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("frame_\(name)", name == "forged-term" ? .chainBroken : .frameDamaged, keyless: .success, comment) {
      $0.surround(.forge(edit))
    }
  }
}
