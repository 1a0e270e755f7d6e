/// Vaults at the edges of what is allowed, with nothing wrong in them.
enum GoodVaults {
  static let all: [Recipe] = paddings + lengths + zeros + types + shapes

  private static let paddings: [Recipe] = [64, 128, 256, 512, 1024, 2048].map { (multiple: UInt64) in
    Recipe("shape_good-padding-\(multiple)", .success, "A padding multiple of \(multiple).") { (vault) in
      vault.editHeader { $0.set(HeaderField.padding, multiple) }
      vault.begin()
      vault.put("bob", String(repeating: "v", count: Int(multiple) - 35))
      vault.put("bob", String(repeating: "v", count: Int(multiple) - 34))
      vault.checkpoint()
    }
  }

  /// Around multiples of 32, with a name of 3 bytes behind 32 bytes.
  private static let lengths: [Recipe] = [0, 28, 29, 30, 61, 62, 1000].map { (length: Int) in
    Recipe("shape_good-value-\(length)", .success, "A value of \(length) bytes.") { (vault) in
      vault.begin()
      vault.put("bob", String(repeating: "v", count: length))
      vault.event("bob", String(repeating: "e", count: length))
    }
  }

  private static let zeros: [Recipe] = [1, 15, 16, 511, 512, 513, 1024].map { (count: Int) in
    Recipe("tail_good-zeros-\(count)", .success, "Space ahead of \(count) bytes (T0).") { (vault) in
      vault.begin()
      vault.bytes += [UInt8](repeating: 0, count: count)
    }
  }

  private static let types: [Recipe] = [0x81, 0xA5, 0xFE].map { (type: UInt8) in
    Recipe("frame_good-ancillary-\(type)", .success, "An ancillary frame of type \(type) (grease).") { (vault) in
      vault.begin()
      vault.unknown(type, ends: false)
      vault.unknown(type)
      vault.delete("alice")
    }
  }

  private static let shapes: [Recipe] = [
    Recipe("shape_good-batch-of-hundred", .success, "A batch of a hundred records.") { (vault) in
      vault.begin()
      for number in 0..<100 { vault.put("name-\(number % 7)", "\(number)", ends: number == 99) }
    },
    Recipe("shape_good-fifty-batches", .success, "Fifty batches of one record.") { (vault) in
      vault.begin()
      for number in 0..<50 { vault.put("name-\(number)", "value") }
    },
    Recipe("shape_good-five-checkpoints", .success, "Five checkpoints, the last of which merges.") { (vault) in
      vault.begin()
      for number in 1...4 {
        vault.put("name-\(number)", "value")
        vault.put("alice", "\(number)")
        vault.checkpoint()
      }
      vault.delete("name-2")
      vault.checkpoint(.init(merges: true))
      vault.put("name-2", "again")
    },
    Recipe("shape_good-rotations", .success, "Four terms, and a slot added and one removed between them.") { (vault) in
      vault.begin()
      for term in 2...4 {
        vault.makeDataKey(UInt32(term))
        vault.makeSlot(UInt32(term))
        if term > 2 { vault.slots[UInt32(term - 1)] = nil }
        vault.checkpoint()
        vault.put("alice", "under term \(term)")
      }
    },
    Recipe("slot_good-costs", .success, "A passphrase with N = 2^15 and p = 2.") { (vault) in
      vault.credential = .passphrase(Array("Füße".utf8))
      vault.makeSlot(costs: .init(logN: 15, p: 2))
      vault.begin()
    },
    Recipe("anchor_good-rotated-generation", .success, "A second generation that begins with term 2.") { (vault) in
      vault.begin()
      let older = vault
      vault = older.successor()
      vault.dataKeys = [:]
      vault.makeDataKey(2)
      vault.found(term: 2, madeBy: 2)
      vault.copy(from: older)
      vault.checkpoint(.init(history: [older.ancestor]))
      vault.put("bob", "two")
    },
  ]
}
