/// Vaults held against a pin.
enum PinVaults {
  static let all: [Recipe] = good + sameGeneration + earlier

  private static let good: [Recipe] = [
    Recipe("pin_good-head", .success, "The pin is of the newest batch.") { (vault) in
      vault.begin()
      vault.pin = vault.currentPin
    },
    Recipe("pin_good-older", .success, "The vault went on behind the pin.") { (vault) in
      vault.begin()
      vault.pin = vault.currentPin
      vault.put("bob", "two")
      vault.checkpoint()
      vault.put("carol", "three")
    },
    Recipe("pin_torn-behind", .tornTail, "The pin is of the last complete batch before a torn tail.") { (vault) in
      vault.begin()
      vault.pin = vault.currentPin
      vault.keepReleased()
      vault.put("bob", "two")
      vault.bytes.removeLast(100)
    },
    Recipe("pin_good-earlier-generation", .success, "The pin is of the end of the generation before.") { (vault) in
      vault.begin()
      let pin = vault.currentPin
      AnchorVaults.succeed(&vault) { [$0.ancestor] }
      vault.pin = pin
    },
    Recipe("pin_good-earlier-batch", .success, "The pin is of an older batch of the generation before.") { (vault) in
      vault.begin()
      let pin = vault.currentPin
      vault.put("bob", "two")
      AnchorVaults.succeed(&vault) { [$0.ancestor] }
      vault.pin = pin
    },
  ]

  private static let sameGeneration: [Recipe] = [
    Recipe("pin_truncated", .rollback, keyless: .success, "The file was cut back to an older commit.") { (vault) in
      vault.begin()
      let older = vault.end
      vault.put("bob", "two")
      vault.pin = vault.currentPin
      vault.bytes.removeSubrange(older...)
    },
    Recipe("pin_torn", .rollback, keyless: .tornTail, "The batch that the pin is of reads as a torn tail.") { (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.pin = vault.currentPin
      vault.bytes.removeLast(100)
    },
    Recipe("pin_fork", .rollback, keyless: .success, "The same sequence in another history.") { (vault) in
      vault.begin()
      var other = vault.fork()
      other.put("bob", "no")
      vault.put("bob", "two")
      vault.put("carol", "three")
      vault.pin = other.currentPin
    },
    changed("other-vault", "The pin is of another vault.", at: 0),
    changed("other-file", "The pin is of another file of the same generation.", at: 20),
    changed("head", "The pin's head is another.", at: 95),
    changed("generation-above", "The pin is of a later generation.", at: 55, to: 2),
  ]

  private static let earlier: [Recipe] = [
    earlier("earlier-head", "The generation before ended with another head.", at: 95),
    earlier("earlier-file", "The generation before was another file.", at: 20),
    earlier("earlier-sequence", "The generation before ended before the pin's sequence.", at: 63),
    Recipe("pin_earlier-unlisted", .rollback, keyless: .success, "The pin's generation is not in the history.") { (vault) in
      vault.begin()
      let pin = vault.currentPin
      AnchorVaults.succeed(&vault) { [$0.ancestor] }
      AnchorVaults.succeed(&vault) { [$0.ancestor] }
      vault.pin = pin
    },
  ]

  /// A pin of the newest batch with one byte changed.
  private static func changed(_ name: String, _ comment: String, at index: Int, to value: UInt8? = nil) -> Recipe {
    Recipe("pin_\(name)", .rollback, keyless: .success, comment) { (vault) in
      vault.begin()
      var pin = vault.currentPin
      pin[index] = value ?? pin[index] ^ 1
      vault.pin = pin
    }
  }

  /// A pin of the generation before with one byte changed.
  private static func earlier(_ name: String, _ comment: String, at index: Int) -> Recipe {
    Recipe("pin_\(name)", .rollback, keyless: .success, comment) { (vault) in
      vault.begin()
      var pin = vault.currentPin
      pin[index] ^= name == "earlier-sequence" ? 0x40 : 1
      AnchorVaults.succeed(&vault) { [$0.ancestor] }
      vault.pin = pin
    }
  }
}
