/// Ends that an interrupted append leaves: served up to the last complete batch, which ends at byte 992.
enum TornVaults {
  static let all: [Recipe] = zeros + cut + lost + checkpoints

  private static let zeros: [Recipe] = [
    Recipe("tail_good-zeros", .success, "Space allocated ahead (T0).") { (vault) in
      vault.begin()
      vault.bytes += [UInt8](repeating: 0, count: 4096)
    },
    Recipe("tail_good-odd-zeros", .success, "Zeros up to an odd length (T0).") { (vault) in
      vault.begin()
      vault.bytes += [UInt8](repeating: 0, count: 5)
    },
    Recipe("tail_single-byte", .tornTail, "One byte in the zeros, with a hole where a header would stand.") { (vault) in
      vault.begin()
      vault.keepReleased()
      vault.bytes += [UInt8](repeating: 0, count: 3000)
      vault.bytes[3000] = 7
    },
  ]

  private static let cut: [Recipe] = [
    cut("in-sync", 2, "The file ends inside the sync of a frame."),
    cut("in-header", 40, "The file ends inside a header."),
    cut("behind-header", 88, "The file ends behind a header."),
    cut("in-frame", 150, "The file ends inside a ciphertext."),
    cut("in-trailer", 207, "The last byte of the batch is missing."),
    Recipe("tail_cut-between-frames", .tornTail, "The file ends between two frames of a batch.") { (vault) in
      vault.begin()
      vault.keepReleased()
      vault.put("bob", "two", ends: false)
    },
    Recipe("tail_cut-in-second-frame", .tornTail, "The file ends inside the second frame of a batch.") { (vault) in
      vault.begin()
      vault.keepReleased()
      vault.put("bob", "two", ends: false)
      vault.put("carol", "three")
      vault.bytes.removeLast(100)
    },
    Recipe("tail_cut-with-wrong-key", .wrongKey, keyless: .tornTail, "A torn tail is no reason to doubt the slots.") {
      (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.bytes.removeLast(100)
      vault.credential = .key([UInt8](repeating: 1, count: 32))
    },
  ]

  private static let lost: [Recipe] = [
    lost("first", [1, 2], "The sectors of the header are lost."),
    lost("header-end", [2], "The sector with the end of the header is lost."),
    lost("middle", [4], "A sector in the middle of the batch is lost."),
    lost("last", [8], "The sector of the trailer is lost."),
    lost("every-second", [2, 4, 6, 8], "Every second sector is lost."),
    Recipe("tail_lost-in-second-of-three", .tornTail, "A sector of the second of three frames is lost.") { (vault) in
      three(&vault)
      vault.lose(4)
    },
    Recipe("tail_lost-second-header", .tornTail, "The sector with the header of the second of three frames is lost.") {
      (vault) in
      three(&vault)
      vault.lose(3)
    },
    Recipe("tail_lost-and-space-ahead", .tornTail, "Lost sectors, and zeros behind the batch.") { (vault) in
      three(&vault)
      vault.lose(6)
      vault.bytes += [UInt8](repeating: 0, count: 2000)
    },
  ]

  private static let checkpoints: [Recipe] = [
    Recipe("tail_torn-checkpoint", .tornTail, "A torn checkpoint whose root survived is not committed (proved).") {
      (vault) in
      vault.begin()
      vault.keepReleased()
      vault.checkpoint()
      vault.lose(3)
    },
    Recipe("tail_torn-checkpoint-slot", .tornTail, "A torn checkpoint of which the root alone is left.") { (vault) in
      vault.begin()
      vault.keepReleased()
      vault.checkpoint()
      for sector in 1...11 { vault.lose(sector) }
    },
    Recipe("tail_torn-rotation", .tornTail, "Frames under a term whose data key was lost are excused by the hole.") {
      (vault) in
      vault.begin()
      vault.keepReleased()
      vault.makeDataKey(2)
      vault.checkpoint()
      vault.lose(3)
    },
    Recipe("tail_torn-behind-checkpoint", .tornTail, "A torn batch behind a checkpoint.") { (vault) in
      vault.begin()
      vault.checkpoint()
      vault.put("bob", "two")
      vault.keepReleased()
      vault.put("carol", "three")
      vault.bytes.removeLast(30)
    },
  ]

  // MARK: Shapes

  /// A put of 208 bytes of which the first `count` are left.
  private static func cut(_ name: String, _ count: Int, _ comment: String) -> Recipe {
    Recipe("tail_cut-\(name)", .tornTail, comment) { (vault) in
      vault.begin()
      vault.keepReleased()
      let put = vault.put("bob", "two")
      vault.bytes.removeSubrange((put.offset + count)...)
    }
  }

  /// A put of 3184 bytes whose sectors of these numbers hold what they held before: zeros.
  private static func lost(_ name: String, _ sectors: [Int], _ comment: String) -> Recipe {
    Recipe("tail_lost-\(name)", .tornTail, comment) { (vault) in
      vault.begin()
      vault.keepReleased()
      vault.put("bob", String(repeating: "0123456789", count: 300))
      for sector in sectors { vault.lose(sector) }
    }
  }

  /// A batch of three frames of 784 bytes.
  private static func three(_ vault: inout ScenarioBuilder) {
    vault.begin()
    vault.keepReleased()
    let value = String(repeating: "0123456789", count: 60)
    vault.put("bob", value, ends: false)
    vault.put("eve", value, ends: false)
    vault.put("ann", value)
  }
}

extension ScenarioBuilder {
  /// Makes the aligned sector of this number zero, as far as it lies behind the first put.
  mutating func lose(_ sector: Int) {
    let start = max(frames[3].range.upperBound, 512 * sector)
    let range = start..<min(512 * (sector + 1), end)
    bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
  }
}
