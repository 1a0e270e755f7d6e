package import VaultEngine
package import VaultFormat

/// One record, as whoever wrote it knows it.
package struct WrittenRecord: Hashable, Sendable {
  package let operation: VaultEntry.Operation
  package let name: Name
  package let value: [UInt8]
  package let version: UInt64

  package init(operation: VaultEntry.Operation, name: Name, value: [UInt8], version: UInt64) {
    self.operation = operation
    self.name = name
    self.value = value
    self.version = version
  }

  fileprivate init(_ entry: borrowing VaultEntry) {
    self.init(
      operation: entry.operation, name: Name(bytes: Array(entry.name)), value: Array(entry.value),
      version: entry.version)
  }
}

/// Everything that a reader says of a vault that opened. What it can't read is a failure of that one thing.
package struct Found: Sendable {
  /// Each name that was asked for, by itself and before anything else: `nil` inside for a name that is not there.
  package var values: [Name: Result<[UInt8]?, VaultError>] = [:]
  package var contents: Result<Contents, VaultError>
  /// Every record of the file, in its order.
  package var records: Result<[WrittenRecord], VaultError>
  /// The events, newest first, as each points to the one before.
  package var events: Result<[WrittenRecord], VaultError>
  package var lastVersion: UInt64
}

/// What a verification says.
package struct Verified: Equatable, Sendable {
  package var findings: [VaultError.Code] = []
  package var isDamaged = false
  /// Bytes of the whole batches, and the sequence they end with.
  package var end = 0
  package var sequence: UInt64 = 0
  /// Bytes behind them.
  package var rest = 0
  /// `nil` where nothing was opened.
  package var names: Int?
}

/// How a vault in an array is read. The laboratory judges whatever reader it is given: one that lies must be found out.
package struct VaultReading: Sendable {
  /// Opens with the key whose bytes all have a value, and reads everything.
  package var open: @Sendable (_ bytes: [UInt8], _ key: UInt8, _ names: [Name]) throws -> Found
  /// Opens against a pin, and reads nothing.
  package var check: @Sendable (_ bytes: [UInt8], _ key: UInt8, _ pin: Pin) throws -> Void
  /// Verifies, with a key or without one.
  package var verify: @Sendable (_ bytes: [UInt8], _ key: UInt8?) throws -> Verified

  package init(
    open: @escaping @Sendable (_ bytes: [UInt8], _ key: UInt8, _ names: [Name]) throws -> Found,
    check: @escaping @Sendable (_ bytes: [UInt8], _ key: UInt8, _ pin: Pin) throws -> Void,
    verify: @escaping @Sendable (_ bytes: [UInt8], _ key: UInt8?) throws -> Verified
  ) {
    self.open = open
    self.check = check
    self.verify = verify
  }

  /// The product.
  package static let engine = VaultReading(
    open: { (bytes, byte, names) in
      let environment = Environment.reading(BytesStorage(bytes))
      return try Found(in: Vault.open(environment, credential: key(byte), options: .reading), names)
    },
    check: { (bytes, byte, pin) in
      var options = VaultOptions.reading
      options.pin = pin
      _ = try Vault.open(.reading(BytesStorage(bytes)), credential: key(byte), options: options)
    },
    verify: { (bytes, byte) in
      let credential = try byte.map { try key($0) }
      return try Verified(
        Vault.verify(BytesFile(bytes), lockedBy: nil, credential: credential, pin: nil, progress: nil))
    })
}

extension Environment {
  /// A world in which a file is read: nothing is drawn, and no time passes.
  static func reading(_ storage: BytesStorage) -> Environment {
    Environment(storage: storage, now: { 0 }, makeRandom: { AnyRandomSource(SeededRandom(seed: 0)) })
  }
}

extension Found {
  /// Asks an open vault for all that it has. By name first: the index is then still in the file alone.
  fileprivate init(in vault: Vault, _ names: [Name]) throws {
    var values: [Name: Result<[UInt8]?, VaultError>] = [:]
    for name in names {
      values[name] = Result { () throws(VaultError) in
        guard let entry = try vault.entry(named: name.bytes.span) else { return nil }
        return Array(entry.value)
      }
    }
    let snapshot = Result { () throws(VaultError) in try vault.snapshot() }
    contents = snapshot.reading { (snapshot) throws(VaultError) in
      var contents: Contents = [:]
      try snapshot.forEachEntry { (entry) in contents[Name(bytes: Array(entry.name))] = Array(entry.value) }
      return contents
    }
    records = snapshot.reading { (snapshot) throws(VaultError) in
      var records: [WrittenRecord] = []
      try snapshot.forEachRecord { (entry) in records.append(WrittenRecord(entry)) }
      return records
    }
    let newest = Result { () throws(VaultError) in try vault.events() }
    events = newest.reading { (events) throws(VaultError) in
      var found: [WrittenRecord] = []
      try events.forEachEvent { (entry) in
        found.append(WrittenRecord(entry))
        return true
      }
      return found
    }
    lastVersion = try vault.events().lastVersion
    self.values = values
  }
}

extension Result<VaultSnapshot, VaultError> {
  fileprivate func reading<Value>(
    _ body: (VaultSnapshot) throws(VaultError) -> Value
  ) -> Result<Value, VaultError> {
    Result<Value, VaultError> { () throws(VaultError) in try body(get()) }
  }
}

extension Result<VaultEvents, VaultError> {
  fileprivate func reading<Value>(
    _ body: (VaultEvents) throws(VaultError) -> Value
  ) -> Result<Value, VaultError> {
    Result<Value, VaultError> { () throws(VaultError) in try body(get()) }
  }
}

extension Verified {
  fileprivate init(_ report: VerifyReport) {
    findings = report.findings.map(\.code)
    isDamaged = report.isDamaged
    end = Int(report.bytes)
    sequence = report.sequence
    rest = Int(report.tornBytes + report.zeroBytes)
    names = report.liveNames
  }
}
