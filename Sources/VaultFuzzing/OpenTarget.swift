internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat
internal import VaultLaboratory
internal import VaultVectors

extension FuzzTarget {
  /// A vault that is opened with its key, by its index and by replay, read and verified. The first 32 bytes of an input are the
  /// key. Inputs are changed in the clear and sealed again, so that what only the holder of the keys can write is met.
  static let open = FuzzTarget(
    "open", longest: 1 << 14,
    mutate: { (input, longest, random) in
      guard input.count > Credential.keyLength else { return nil }
      let key = Array(input.prefix(Credential.keyLength))
      let file = Array(input.dropFirst(Credential.keyLength))
      return LooseVault.mutated(file, key: key, longest: longest - key.count, &random).map { key + $0 }
    },
    seeds: { (testvectors) in
      var seeds = SampleFiles.ofTheLaboratory.map { [UInt8](repeating: 7, count: Credential.keyLength) + $0 }
      for scenario in SampleFiles.scenarios(in: testvectors) {
        if case .key(let key) = scenario.credential { seeds.append(key + scenario.vault) }
      }
      return seeds
    }
  ) { (input) throws(Violation) in
    guard input.count > Credential.keyLength else { return }
    let key = input.extracting(first: Credential.keyLength).array
    let findings = VaultFindings(input.extracting(Credential.keyLength..<input.count).array)
    let byReplay = try findings.opened(key: key, readsWhole: true)
    let byIndex = try findings.opened(key: key, readsWhole: false)
    try demand(try findings.opened(key: key, readsWhole: false) == byIndex, "another answer the second time")
    let keyed = try findings.verdict(key: key)
    let keyless = try findings.verdict(key: nil)
    try agree(byReplay, byIndex, keyed)
    try agree(keyed, keyless)
  }

  static func agree(
    _ byReplay: VaultFindings.Opened, _ byIndex: VaultFindings.Opened, _ keyed: VaultFindings.Verdict
  ) throws(Violation) {
    let all = "replay: \(byReplay); index: \(byIndex); verification: \(keyed)"
    switch byReplay {
    case .contents(_, let names, _):
      try demand(keyed.refused == nil && !keyed.isDamaged, "damage in a vault that replay reads: \(all)")
      try demand(keyed.names == names, "another number of names: \(all)")
      // Only a verification can tell that the holder of the keys has made a root or a page that lies.
      try demand(byIndex == byReplay || keyed.blamesIndex, "the index answers otherwise: \(all)")
    case .contradictory: throw Violation("a name has two values: \(all)")
    case .unreadable:
      try demand(keyed.isDamaged || keyed.refused != nil, "a record can't be read, and no verification says so: \(all)")
    case .refused(let code):
      try demand(keyed.isDamaged || keyed.refused == code, "refused, and no verification says so: \(all)")
    }
  }

  static func agree(_ keyed: VaultFindings.Verdict, _ keyless: VaultFindings.Verdict) throws(Violation) {
    let both = "with key: \(keyed); without: \(keyless)"
    if keyless.refused != nil { return try demand(keyed.refused == keyless.refused, both) }
    guard keyed.refused == nil else {
      // Who has no key can't tell whether it fits.
      return try demand(keyed.refused == .wrongKey || keyed.refused == .limitExceeded, both)
    }
    if keyed.isDamaged { return }
    try demand(!keyless.isDamaged || keyed.blamesIndex, "damage that is none with a key: \(both)")
    guard !keyless.isDamaged else { return }
    // Pages that only a key excuses are not counted.
    try demand(keyless.frames == keyed.frames || keyed.blamesIndex, both)
    try demand(keyless.head == keyed.head && keyless.torn == keyed.torn, both)
  }
}
