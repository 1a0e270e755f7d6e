/// Records and ancillary frames.
extension ScenarioBuilder {
  /// What a record says. What is not given is what a right writer would write.
  struct RecordDraft {
    var operation: Scenario.Operation
    var flags: UInt8 = 0
    var name: [UInt8]
    /// As stored.
    var value: [UInt8] = []
    /// As released, if it is not as stored.
    var inflated: [UInt8]?
    var version: UInt64?
    var previous: Int?
  }

  /// Appends a put, as a batch of its own unless `ends` is false.
  @discardableResult
  mutating func put(_ name: String, _ value: String, ends: Bool = true, _ edit: FrameEdit = .none) -> Placed {
    record(RecordDraft(operation: .put, name: Array(name.utf8), value: Array(value.utf8)), ends: ends, edit)
  }

  /// Appends a deletion.
  @discardableResult
  mutating func delete(_ name: String, ends: Bool = true, _ edit: FrameEdit = .none) -> Placed {
    record(RecordDraft(operation: .delete, name: Array(name.utf8)), ends: ends, edit)
  }

  /// Appends an event.
  @discardableResult
  mutating func event(_ name: String, _ value: String, ends: Bool = true, _ edit: FrameEdit = .none) -> Placed {
    record(RecordDraft(operation: .event, name: Array(name.utf8), value: Array(value.utf8)), ends: ends, edit)
  }

  /// Appends any record.
  @discardableResult
  mutating func record(_ draft: RecordDraft, ends: Bool = true, _ edit: FrameEdit = .none) -> Placed {
    let version = draft.version ?? self.version + 1
    let previous = draft.previous ?? (draft.operation == .event ? newestEvent : puts[draft.name] ?? 0)
    let operations: [Scenario.Operation: UInt8] = [.put: 1, .delete: 2, .event: 3]
    let head =
      [operations[draft.operation] ?? 0, draft.flags] + bigEndian(UInt16(draft.name.count))
      + bigEndian(UInt32(draft.value.count)) + bigEndian(Self.epoch + version) + bigEndian(version)
      + bigEndian(UInt64(previous))
    let padding = Int(header.get(HeaderField.padding))
    let plaintext = (head + draft.name + draft.value).padded(to: max(padding, 1))
    let placed = frame(1, plaintext: plaintext, key: dataKey, term: term, ends: ends, edit)
    note(draft, version, placed)
    return placed
  }

  private mutating func note(_ draft: RecordDraft, _ version: UInt64, _ placed: Placed) {
    self.version = version
    switch draft.operation {
    case .put: puts[draft.name] = placed.offset
    case .delete: puts[draft.name] = nil
    case .event: newestEvent = placed.offset
    }
    if draft.operation != .event {
      let authTag = Array(bytes[placed.range(FrameField.authTag)])
      observed.append(
        Observed(
          sequence: placed.sequence, name: draft.name, offset: UInt64(placed.offset),
          isDeletion: draft.operation == .delete, authTag: authTag))
    }
    released.append(
      Scenario.Record(
        version: version, operation: draft.operation, name: draft.name, value: draft.inflated ?? draft.value))
  }

  /// Appends a frame of a type that nobody knows, sealed under the newest term.
  @discardableResult
  mutating func unknown(_ type: UInt8, ends: Bool = true, _ edit: FrameEdit = .none) -> Placed {
    frame(type, plaintext: Array("of a later version, 32 bytes long".utf8.prefix(32)), key: dataKey, term: term, ends: ends, edit)
  }

  /// Writes all that is live in another generation again, as a compaction does.
  mutating func copy(from older: ScenarioBuilder) {
    let live = older.released.filter { $0.operation == .put && older.isLive($0) }
    for record in live {
      self.record(RecordDraft(operation: .put, name: record.name, value: record.value, version: record.version))
    }
  }

  private func isLive(_ record: Scenario.Record) -> Bool {
    let last = released.last { $0.name == record.name && $0.operation != .event }
    return last?.version == record.version
  }
}
