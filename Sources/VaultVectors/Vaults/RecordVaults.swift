/// The plaintext of records, under tags that are right.
enum RecordVaults {
  static let all: [Recipe] = good + plaintexts + values + history

  private static let legacy: [UInt8] =
    [0x82, 3] + [0, 0, 12, 16, 0, 0, 0, 0, 0, 4] + [UInt8](repeating: 0x11, count: 12)
    + [UInt8](repeating: 0x22, count: 16) + [1, 2, 3, 4]

  private static let good: [Recipe] = [
    Recipe("record_good-history", .success, "Put, event, deletion, put again, event.") { (vault) in
      vault.begin()
      vault.put("alice", "two")
      vault.event("alice", "refreshed")
      vault.delete("alice")
      vault.put("alice", "three")
      vault.event("alice", "")
    },
    Recipe("record_good-lengths", .success, "A name of 1024 bytes, an empty value, and one without padding.") { (vault) in
      vault.begin()
      vault.put(String(repeating: "n", count: 1024), "")
      vault.put("12345678", "12345678901234567890123456789012345678901234567890123456")
    },
    Recipe("record_good-bytes", .success, "Names and values are any bytes.") { (vault) in
      vault.begin()
      vault.record(.init(operation: .put, name: [0], value: [0xFF, 0x00, 0x0A]))
    },
    Recipe("record_good-version-gap", .success, "Versions may have gaps.") { (vault) in
      vault.begin()
      vault.record(.put("bob", "two", version: 1 << 40))
      vault.put("carol", "three")
    },
    Recipe("record_good-deflated", .success, "Deflated values in a vault that allows it.") { (vault) in
      allowDeflate(&vault)
      vault.begin()
      vault.record(deflated(Array("stored".utf8), as: Deflating.stored(Array("stored".utf8))))
      vault.record(deflated([UInt8](repeating: 0x61, count: 5000), as: Deflating.repeated(0x61, count: 5000)))
    },
    Recipe("record_good-deflated-legacy", .success, "A legacy sealed record that is deflated besides.") { (vault) in
      allowDeflate(&vault)
      vault.begin()
      var draft = deflated(legacy, as: Deflating.stored(legacy))
      draft.flags = 3
      vault.record(draft)
    },
    Recipe("record_good-legacy", .success, "A put that carries a legacy sealed record.") { (vault) in
      vault.begin()
      vault.record(.init(operation: .put, flags: 2, name: Array("bob".utf8), value: legacy))
    },
    Recipe("record_good-large", .success, "A value of 40 000 bytes.") { (vault) in
      vault.begin()
      vault.put("bob", String(repeating: "0123456789", count: 4000))
    },
  ]

  private static let plaintexts: [Recipe] = [
    plaintext("operation-0", "Operation 0.") { $0.set(RecordField.operation, 0) },
    plaintext("operation-4", "Operation 4.") { $0.set(RecordField.operation, 4) },
    plaintext("reserved-flag", "A reserved flag is set.") { $0.set(RecordField.flags, 4) },
    plaintext("no-name", "A name of no bytes.") {
      $0.set(RecordField.nameLength, 0)
      $0.set(RecordField.valueLength, 6)
    },
    plaintext("lengths-too-long", "Lengths that reach behind the plaintext.") {
      $0.set(RecordField.valueLength, 3000)
    },
    plaintext("lengths-too-short", "A plaintext that is one multiple too long.") {
      $0 += [UInt8](repeating: 0, count: 32)
    },
    plaintext("padding", "The padding is not zero.") { $0[$0.count - 1] = 1 },
    plaintext("padding-16", "Padded to 16 where the vault pads to 32.") { $0.removeLast(16) },
    plaintext("version-0", "Version 0.") { $0.set(RecordField.version, 0) },
    plaintext("version-limit", "Version 2^63.") { $0.set(RecordField.version, 1 << 63) },
    plaintext("previous-odd", "Previous is no multiple of 16.") { $0.set(RecordField.previous, 129) },
    plaintext("previous-in-header", "Previous lies in the file header.") { $0.set(RecordField.previous, 64) },
    plaintext("previous-forward", "Previous lies behind the record.") { $0.set(RecordField.previous, 1 << 20) },
    Recipe("record_long-name", .frameDamaged, keyless: .success, "A name of 1025 bytes.") { (vault) in
      vault.begin(with: .put(String(repeating: "n", count: 1025), "two"))
    },
    Recipe("record_deletion-with-value", .frameDamaged, keyless: .success, "A deletion with a value.") { (vault) in
      vault.begin(with: .init(operation: .delete, name: Array("alice".utf8), value: [1]))
    },
    Recipe("record_deletion-with-flag", .frameDamaged, keyless: .success, "A deletion with a flag.") { (vault) in
      vault.begin(with: .init(operation: .delete, flags: 2, name: Array("alice".utf8)))
    },
    Recipe("record_legacy-event", .frameDamaged, keyless: .success, "An event that carries a legacy record.") { (vault) in
      vault.begin(with: .init(operation: .event, flags: 2, name: Array("alice".utf8), value: legacy))
    },
  ]

  private static let values: [Recipe] = [
    Recipe("record_deflate-forbidden", .frameDamaged, keyless: .success, "A deflated value where none is allowed.") {
      (vault) in
      vault.begin(with: sound)
    },
    Recipe("record_deflate-broken", .frameDamaged, keyless: .success, "A value that is no DEFLATE stream.") { (vault) in
      allowDeflate(&vault)
      vault.begin(with: .init(operation: .put, flags: 1, name: Array("bob".utf8), value: [0xFF, 0xFF, 0xFF]))
    },
    Recipe("record_deflate-cut", .frameDamaged, keyless: .success, "A DEFLATE stream without its end.") { (vault) in
      allowDeflate(&vault)
      var draft = sound
      draft.value.removeLast(2)
      vault.begin(with: draft)
    },
    Recipe("record_deflate-trailing", .frameDamaged, keyless: .success, "A byte stands behind the DEFLATE stream.") {
      (vault) in
      allowDeflate(&vault)
      var draft = sound
      draft.value.append(0)
      vault.begin(with: draft)
    },
    Recipe("record_deflate-bomb", .limitExceeded, keyless: .success, "A value that inflates to more than 16 MiB.") {
      (vault) in
      allowDeflate(&vault)
      vault.begin(with: deflated([], as: Deflating.repeated(0x20, count: 1 << 24 | 1)))
    },
  ]

  private static let history: [Recipe] = [
    draft("version-repeated", "Two records have one version.") { _ in .put("bob", "two", version: 1) },
    draft("previous-missing", "A put does not point to the one before it.") { _ in
      .put("alice", "two", previous: 0)
    },
    draft("previous-of-another", "A put points to another name's.") { (vault) in
      .put("bob", "two", previous: vault.frames[3].offset)
    },
    draft("previous-not-newest", "A put points to an older put than the newest.") { (vault) in
      vault.put("alice", "two")
      return .put("alice", "three", previous: vault.frames[3].offset)
    },
    draft("previous-behind-deletion", "A put points behind a deletion.") { (vault) in
      vault.delete("alice")
      return .put("alice", "three", previous: vault.frames[3].offset)
    },
    draft("deletion-without-previous", "A deletion does not point to what it deletes.") { _ in
      .init(operation: .delete, name: Array("alice".utf8), previous: 0)
    },
    draft("event-previous", "An event does not point to the one before it.") { (vault) in
      vault.event("alice", "signed in")
      return .init(operation: .event, name: Array("alice".utf8), previous: 0)
    },
    draft("version-descends", "A version below the one before it.") { (vault) in
      vault.record(.put("bob", "two", version: 9))
      return .put("carol", "three", version: 8)
    },
  ]

  // MARK: Shapes

  private static func allowDeflate(_ vault: inout ScenarioBuilder) {
    vault.editHeader { $0.set(HeaderField.policy, 1) }
  }

  private static var sound: ScenarioBuilder.RecordDraft {
    deflated([UInt8](repeating: 0x61, count: 500), as: Deflating.repeated(0x61, count: 500))
  }

  private static func deflated(_ value: [UInt8], as stored: [UInt8]) -> ScenarioBuilder.RecordDraft {
    .init(operation: .put, flags: 1, name: Array("bob".utf8), value: stored, inflated: value)
  }

  private static func plaintext(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("record_\(name)", .frameDamaged, keyless: .success, comment) { $0.surround(.plaintext(edit)) }
  }

  private static func draft(
    _ name: String, _ comment: String,
    _ make: @escaping @Sendable (inout ScenarioBuilder) -> ScenarioBuilder.RecordDraft
  ) -> Recipe {
    Recipe("record_\(name)", .chainBroken, keyless: .success, comment) { (vault) in
      vault.begin()
      let draft = make(&vault)
      vault.finding = vault.record(draft).offset
    }
  }
}
