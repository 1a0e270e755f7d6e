/// Ends that no interrupted append leaves. The last complete batch ends at byte 992.
enum TailVaults {
  static let all: [Recipe] = later + behind + walked + lengths

  private static let later: [Recipe] = [
    Recipe("tail_later-trailer", .frameDamaged, "A damaged batch, and the trailer of a later one (T1).") { (vault) in
      vault.surround(.damage { $0[130] ^= 1 })
      let header = vault.frames[5].offset
      vault.bytes.replaceSubrange(header..<header + 88, with: [UInt8](repeating: 0, count: 88))
    },
    Recipe("tail_later-batch", .frameDamaged, "A lost sector, and a whole batch behind it (T1).") { (vault) in
      vault.begin()
      vault.finding = vault.put("bob", String(repeating: "0123456789", count: 300)).offset
      vault.put("carol", "three")
      vault.lose(4)
    },
    Recipe("tail_lost-data-key", .frameDamaged, "A lost sector with the data key of the four batches behind it (proved).") {
      (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.checkpoint()
      for name in ["bob", "carol", "dave", "erin"] { vault.put(name, "value") }
      vault.lose(3)
      vault.finding = vault.frames[6].offset
    },
    Recipe("tail_gap", .frameDamaged, "Zeros, and a batch that was made for its place behind them (T1).") { (vault) in
      vault.begin()
      vault.finding = vault.end
      vault.bytes += [UInt8](repeating: 0, count: 1024)
      vault.batchStart = vault.end
      vault.put("bob", "two")
    },
    Recipe("tail_distance", .frameDamaged, "The last trailer says that its batch began before (T1).") { (vault) in
      vault.begin()
      let edit: (inout [UInt8]) -> Void = { $0.set(TrailerField.distance, $0.get(TrailerField.distance) + 208) }
      vault.finding = vault.put("bob", "two", .trailer(edit)).offset
    },
    Recipe("tail_limit", .limitExceeded, "A checkpoint with thirty-three slots that was cut: the limit is told at once.") {
      (vault) in
      vault.begin()
      for number in 2...33 { vault.makeSlot(UInt32(number)) }
      vault.checkpoint()
      vault.bytes.removeLast(100)
    },
  ]

  private static let behind: [Recipe] = [
    Recipe("tail_bytes-behind-end", .frameDamaged, "A damaged batch, and bytes behind its end (T2).") { (vault) in
      vault.begin()
      vault.finding = vault.put("bob", "two", .damage { $0[130] ^= 1 }).offset
      vault.bytes += [UInt8](repeating: 0xAA, count: 20)
    },
    Recipe("tail_length-shortened", .frameDamaged, "The last frame says that it is 16 bytes shorter (T2).") { (vault) in
      vault.begin()
      let edit: (inout [UInt8]) -> Void = {
        $0.set(FrameField.ciphertextLength, $0.get(FrameField.ciphertextLength) - 16)
      }
      vault.finding = vault.put("bob", "two", .forge(edit)).offset
    },
  ]

  private static let walked: [Recipe] = [
    damage("flipped-bit", "A bit of the last frame's ciphertext is flipped.") { $0[130] ^= 1 },
    damage("flipped-header", "A bit of the last frame's header is flipped.") { $0[9] ^= 1 },
    damage("flipped-sync", "A bit of the last frame's sync is flipped.") { $0[0] ^= 1 },
    damage("flipped-checksum", "A bit of the last frame's checksum is flipped.") { $0[$0.count - 5] ^= 1 },
    damage("half-sector", "A part of a sector is zeros, which no crash leaves.") {
      $0.replaceSubrange(88..<188, with: [UInt8](repeating: 0, count: 100))
    },
    Recipe("tail_garbage", .tailDamaged, "Eight bytes behind the end that begin no frame.") { (vault) in
      vault.begin()
      vault.bytes += [UInt8](repeating: 0xAA, count: 8)
    },
    Recipe("tail_garbage-long", .tailDamaged, "Two hundred bytes behind the end that are no frame.") { (vault) in
      vault.begin()
      vault.bytes += [UInt8](repeating: 0xAA, count: 200)
    },
    Recipe("tail_two-bytes", .tailDamaged, "Bytes in the zeros, and no hole where a header would stand.") { (vault) in
      vault.begin()
      vault.bytes += [UInt8](repeating: 0, count: 3000)
      vault.bytes[1000] = 7
      vault.bytes[1100] = 7
    },
    Recipe("tail_two-attempts", .tailDamaged, "Sectors of two attempts to write the same batch (proved).") { (vault) in
      vault.begin()
      var other = vault.fork()
      let value = String(repeating: "0123456789", count: 300)
      vault.put("bob", value)
      other.put("bob", value)
      vault.bytes.replaceSubrange(2048..<2560, with: other.bytes[2048..<2560])
    },
    Recipe("tail_forged-frame", .tailDamaged, keyless: .tornTail, "A whole frame that does not open before the cut.") {
      (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false, .forge { $0[130] ^= 1 })
      vault.put("carol", "three")
      vault.bytes.removeLast(100)
    },
    Recipe("tail_term-without-hole", .tailDamaged, keyless: .tornTail, "A whole frame of an unknown term before the cut.") {
      (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.put("bob", "two", ends: false)
      vault.put("carol", "three")
      vault.bytes.removeLast(100)
    },
    header("previous-link", "The first frame of a cut batch does not link to the one before.") { $0[45] ^= 1 },
    header("critical-type", "A cut batch begins with an unknown critical type.") { $0.set(FrameField.type, 9) },
    header("legacy-suite", "A cut batch begins with a frame of a legacy suite.") {
      $0.set(FrameField.suite, 0x81)
    },
    header("reserved-flag", "A cut batch begins with a reserved flag.") { $0.set(FrameField.flags, 4) },
  ]

  private static let lengths: [Recipe] = [
    Recipe("tail_length-over-next", .tailDamaged, "The first frame's length covers the second (T4).") { (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false, .forge(longer(208)))
      vault.put("carol", "three")
    },
    Recipe("tail_length-over-end", .tailDamaged, "The last frame's length reaches behind the end of the file (T4).") {
      (vault) in
      vault.begin()
      vault.put("bob", "two", .forge(longer(4096)))
    },
    Recipe("tail_length-over-hole", .tailDamaged, "A length that covers the next frame, in spite of a hole (T4).") {
      (vault) in
      vault.begin()
      vault.put("bob", String(repeating: "0123456789", count: 300), ends: false, .forge(longer(208)))
      vault.put("carol", "three")
      vault.lose(4)
    },
  ]

  // MARK: Shapes

  private static func longer(_ count: UInt64) -> (inout [UInt8]) -> Void {
    { $0.set(FrameField.ciphertextLength, $0.get(FrameField.ciphertextLength) + count) }
  }

  /// The last batch is whole but for a change.
  private static func damage(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("tail_\(name)", .tailDamaged, comment) { (vault) in
      vault.begin()
      vault.put("bob", "two", .damage(edit))
    }
  }

  /// The last batch has two frames, the second of which is cut; the header of the first is changed.
  private static func header(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("tail_\(name)", .tailDamaged, comment) { (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false, .header(edit))
      vault.put("carol", "three")
      vault.bytes.removeLast(100)
    }
  }
}
