/// The first 128 bytes of a vault.
enum HeaderVaults {
  static let all: [Recipe] = good + damaged + fields

  private static let good: [Recipe] = [
    Recipe("header_good", .success, "A vault with three records.") { (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.put("alice", "three")
    },
    Recipe("header_good-founding-alone", .success, "A vault that nothing was ever written to.") { (vault) in
      vault.found()
    },
    Recipe("header_good-minor-version", .success, "A minor version only informs.") { (vault) in
      vault.editHeader { $0.set(HeaderField.minorVersion, 7) }
      vault.begin()
    },
    Recipe("header_good-read-only-feature", .success, "An unknown read-only-compatible feature is read.") { (vault) in
      vault.editHeader { $0.set(HeaderField.readOnlyCompatible, 0x8000_0000) }
      vault.begin()
    },
    Recipe("header_good-compatible-feature", .success, "An unknown compatible feature is ignored.") { (vault) in
      vault.editHeader { $0.set(HeaderField.compatible, 1) }
      vault.begin()
    },
    Recipe("header_good-padding-16", .success, "The smallest padding multiple.") { (vault) in
      vault.editHeader { $0.set(HeaderField.padding, 16) }
      vault.begin()
    },
    Recipe("header_good-padding-4096", .success, "The largest padding multiple.") { (vault) in
      vault.editHeader { $0.set(HeaderField.padding, 4096) }
      vault.begin()
    },
  ]

  private static let damaged: [Recipe] = [
    Recipe("header_empty-file", .headerDamaged, "A file of no bytes.") { (vault) in vault.bytes = [] },
    Recipe("header_truncated", .headerDamaged, "The file ends inside its header.") { (vault) in
      vault.begin()
      vault.bytes.removeSubrange(100...)
    },
    Recipe("header_alone", .frameDamaged, "The file ends behind its header.") { (vault) in vault.finding = 128 },
    Recipe("header_magic", .headerDamaged, "The magic number is another.") { (vault) in
      vault.begin()
      vault.bytes[1] = UInt8(ascii: "t")
    },
    Recipe("header_text-mode", .headerDamaged, "A transfer in text mode took the carriage return out.") { (vault) in
      vault.begin()
      vault.bytes.remove(at: 5)
    },
    Recipe("header_checksum", .headerDamaged, "One bit of the vault id is flipped.") { (vault) in
      vault.begin()
      vault.bytes[30] ^= 4
    },
    Recipe("header_version-and-checksum", .headerDamaged, "A wrong checksum is found before the version.") { (vault) in
      vault.begin()
      vault.bytes[9] = 2
    },
    Recipe("header_other-file", .slotDamaged, "The whole header of another file: no frame's checksum fits.") { (vault) in
      let other = ScenarioBuilder(seed: [1]).header
      vault.begin()
      vault.bytes.replaceSubrange(0..<128, with: other)
      vault.finding = 128
    },
  ]

  private static let fields: [Recipe] = [
    field("major-version-2", .unsupportedVersion, "A major version to come.") {
      $0.set(HeaderField.majorVersion, 2)
    },
    field("major-version-0", .unsupportedVersion, "No version has the number 0.") {
      $0.set(HeaderField.majorVersion, 0)
    },
    field("incompatible-feature", .unsupportedFeature, "An unknown incompatible feature.") {
      $0.set(HeaderField.incompatible, 1)
    },
    field("version-before-feature", .unsupportedVersion, "The version is found before the feature.") {
      $0.set(HeaderField.majorVersion, 2)
      $0.set(HeaderField.incompatible, 1)
    },
    field("reserved", .headerDamaged, "A reserved byte is not zero.") { $0[123] = 1 },
    field("generation-0", .headerDamaged, "Generations count from 1.") { $0.set(HeaderField.generation, 0) },
    field("generation-limit", .headerDamaged, "Generation 2^63.") { $0.set(HeaderField.generation, 1 << 63) },
    field("padding-8", .headerDamaged, "A padding multiple that is too small.") { $0.set(HeaderField.padding, 8) },
    field("padding-48", .headerDamaged, "A padding multiple that is no power of two.") {
      $0.set(HeaderField.padding, 48)
    },
    field("padding-8192", .headerDamaged, "A padding multiple that is too large.") {
      $0.set(HeaderField.padding, 8192)
    },
    field("padding-0", .headerDamaged, "A padding multiple of 0.") { $0.set(HeaderField.padding, 0) },
    field("policy-reserved", .headerDamaged, "A reserved bit of the policy is set.") {
      $0.set(HeaderField.policy, 2)
    },
  ]

  /// A vault whose header is changed, with its checksum and all frames made for it.
  private static func field(
    _ name: String, _ expected: Expectation, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("header_\(name)", expected, comment) { (vault) in
      vault.editHeader(edit)
      vault.begin()
    }
  }
}
