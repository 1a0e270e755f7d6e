import TokenVault
import VaultCrypto
import VaultEngine
import VaultFormat

/// Something that is done to a vault on a disk whose calls fail.
struct FailingOperation: Sendable {
  let name: String
  /// What is on the disk before.
  let image: DiskImage
  /// Whether it must leave the disk alone, whatever happens.
  let isReading: Bool
  /// What is done while all calls still succeed; the rest of it is returned.
  let prepare: @Sendable (SimulatedDisk, UInt64) throws -> @Sendable () throws -> Void

  private init(
    name: String, image: DiskImage, isReading: Bool,
    prepare: @escaping @Sendable (SimulatedDisk, UInt64) throws -> @Sendable () throws -> Void
  ) {
    (self.name, self.image, self.isReading, self.prepare) = (name, image, isReading, prepare)
  }

  /// One whose calls may fail from the first on.
  private init(
    _ name: String, _ image: DiskImage, isReading: Bool = false,
    run: @escaping @Sendable (SimulatedDisk, UInt64) throws -> Void
  ) {
    self.init(name: name, image: image, isReading: isReading) { (disk, seed) in { try run(disk, seed) } }
  }

  private static let legacyKey = [UInt8](repeating: 9, count: 32)

  /// All that a vault can be asked for.
  static func all(seed: UInt64) throws -> [FailingOperation] {
    let (whole, torn) = try images(seed: seed)
    let operations = [(whole, ""), (torn, "-torn")].flatMap { (image, suffix) in
      reading(image, suffix) + writing(image, suffix) + generations(image, suffix)
    }
    return operations + creating(whole) + [try upgrade(seed: seed)]
  }

  /// A vault with a history, a second key, and a copy that is older; and the same with an append that was torn.
  private static func images(seed: UInt64) throws -> (whole: DiskImage, torn: DiskImage) {
    let disk = try Trace(Array(Trace.ordinary.prefix(4)), seed: seed).disk
    let vault = try Vault.open(.simulated(disk, seed: seed &+ 1), credential: key())
    try vault.addKey(key(9))
    _ = try Vault.backup(
      SimulatedStorage(disk: disk), credential: key(), to: SimulatedStorage(disk: disk, path: "copy"), replacing: false)
    try vault.commit([.put("alice", [4]), .put("later", [1]), .event("later", [2])])
    let whole = disk.cache
    try vault.commit([.put("torn", [UInt8](repeating: 1, count: 2000))])
    var torn = disk.cache
    for file in torn.files.keys where torn.files[file] != whole.files[file] { torn.files[file]?.removeLast(700) }
    return (whole, torn)
  }

  private static func environment(_ disk: SimulatedDisk, _ seed: UInt64, _ path: String) -> Environment {
    var environment = Environment.simulated(disk, seed: seed)
    environment.storage = SimulatedStorage(disk: disk, path: path)
    return environment
  }

  private static let batch: [Write] = [
    .put("new", [UInt8](repeating: 3, count: 900)), .delete("alice"), .event("new", [1]),
  ]

  private static func reading(_ image: DiskImage, _ suffix: String) -> [FailingOperation] {
    [
      FailingOperation("read" + suffix, image, isReading: true) { (disk, seed) in
        let vault = try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .reading)
        _ = try vault.contents()
        try vault.snapshot().forEachRecord { (_) throws(VaultError) in }
      },
      FailingOperation("verify" + suffix, image, isReading: true) { (disk, _) in
        let storage = SimulatedStorage(disk: disk)
        let report = try Vault.verify(
          storage.open(writable: false), lockedBy: storage, credential: key(), pin: nil, progress: nil)
        if let finding = report.findings.first { throw VaultError(finding.code, finding.sentence) }
      },
    ]
  }

  private static func writing(_ image: DiskImage, _ suffix: String) -> [FailingOperation] {
    [
      FailingOperation("commit" + suffix, image) { (disk, seed) in
        try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .impatient).commit(batch)
      },
      // A handle that has written before, and allocates space ahead now.
      FailingOperation(
        name: "commit-open-handle" + suffix, image: image, isReading: false,
        prepare: { (disk, seed) in
          let vault = try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .impatient)
          for number in 0..<4 { try vault.commit([.put("alice", [UInt8(number)])]) }
          return { _ = try vault.commit(batch) }
        }),
      FailingOperation("key-add" + suffix, image) { (disk, seed) in
        try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .impatient).addKey(key(8))
      },
      FailingOperation("key-change" + suffix, image) { (disk, seed) in
        try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .impatient).changeKey(to: key(8))
      },
      FailingOperation("key-remove" + suffix, image) { (disk, seed) in
        try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .impatient).removeKey(2)
      },
    ]
  }

  private static func generations(_ image: DiskImage, _ suffix: String) -> [FailingOperation] {
    var options = MaintenanceOptions()
    options.lockTimeout = .zero
    return [
      FailingOperation("compact" + suffix, image) { [options] (disk, seed) in
        _ = try Vault.compact(.simulated(disk, seed: seed), credential: key(), options: options)
      },
      FailingOperation("rotate" + suffix, image) { [options] (disk, seed) in
        _ = try Vault.rotate(.simulated(disk, seed: seed), credential: key(), options: options)
      },
      FailingOperation("rekey" + suffix, image) { [options] (disk, seed) in
        _ = try Vault.rekey(
          .simulated(disk, seed: seed), credential: key(), newKey: key(8), newPassphrase: nil, options: options)
      },
      FailingOperation("backup" + suffix, image) { (disk, _) in
        _ = try Vault.backup(
          SimulatedStorage(disk: disk), credential: key(), to: SimulatedStorage(disk: disk, path: "copy"),
          replacing: true)
      },
      FailingOperation("restore" + suffix, image) { (disk, seed) in
        var options = RestoreOptions()
        options.acceptsRollback = true
        options.lockTimeout = .zero
        _ = try Vault.restore(
          SimulatedStorage(disk: disk, path: "copy"), credential: key(), to: .simulated(disk, seed: seed),
          options: options)
      },
      FailingOperation("salvage" + suffix, image) { (disk, seed) in
        _ = try Vault.salvage(
          SimulatedStorage(disk: disk), credential: key(),
          to: (environment(disk, seed, "saved"), SimulatedStorage(disk: disk, path: "rest")))
      },
    ]
  }

  private static func creating(_ image: DiskImage) -> [FailingOperation] {
    [
      FailingOperation("init", DiskImage()) { (disk, seed) in
        _ = try Vault.create(.simulated(disk, seed: seed), credential: key(), options: .impatient)
      },
      FailingOperation("backup-elsewhere", image) { (disk, _) in
        _ = try Vault.backup(
          SimulatedStorage(disk: disk), credential: key(), to: SimulatedStorage(disk: disk, path: "other"),
          replacing: false)
      },
      FailingOperation("restore-elsewhere", image) { (disk, seed) in
        _ = try Vault.restore(
          SimulatedStorage(disk: disk, path: "copy"), credential: key(), to: environment(disk, seed, "other"))
      },
    ]
  }

  /// Legacy records become ordinary ones, all in one batch.
  private static func upgrade(seed: UInt64) throws -> FailingOperation {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: seed), credential: key())
    let secret = try SecretBytes(copying: legacyKey.span)
    for number in 0..<3 {
      let json = Array(#"{"access_token":"\#(number)"}"#.utf8)
      let record = try LegacyRecord.seal(
        json.span, .gcmRaw, with: secret, salt: [], iv: [UInt8](repeating: UInt8(number), count: 16))
      let (name, bytes) = (Array("user \(number)".utf8), record.serialized())
      var batch = try VaultBatch()
      try batch.put(name.span, legacyRecord: bytes.span)
      try vault.commit(batch)
    }
    return FailingOperation("upgrade", disk.cache) { (disk, seed) in
      let vault = try Vault.open(.simulated(disk, seed: seed), credential: key(), options: .impatient)
      _ = try TokenStore(vault).upgrade(with: LegacySecret(SecretBytes(copying: legacyKey.span)))
    }
  }
}
