import VaultEngine

/// What FORMAT.md says of a vault of which one byte was changed, or that was cut off, in words of its own: nothing here is
/// computed by the code that is put to the test.
extension VaultSample {
  // MARK: One changed byte

  /// - Parameters:
  ///   - place: of the changed byte in ``bytes``.
  ///   - value: what it is now.
  package func expectation(changing place: Int, to value: UInt8) -> Expectation {
    if place < 128 { return .refused([.headerDamaged]) }
    guard let frame = frame(at: place) else { return expectation(behindEnd: place, value) }
    let isOpened = place < foundingEnd || place >= newest.checkpoint
    guard !isOpened else {
      let isLastBatch = frame.batchStart == frames.last?.batchStart
      return .refused(codes(of: frame, place).union(isLastBatch ? [.tailDamaged] : []))
    }
    // Opening begins at the newest checkpoint: whatever stands before is looked at by who reads it.
    var expected = Expectation.served(newest)
    expected.verdict = frame.type == 5 ? .damagedOrIndex : .damaged
    expected.mayMissHistory = true
    if let name = liveName(in: frame) { expected.unreadable = [name] }
    return expected
  }

  /// A slot's bytes are a slot's damage; but without its first four it is no frame at all, and what kind of frame it is says a
  /// byte that may be the changed one.
  private func codes(of frame: SampleFrame, _ place: Int) -> Set<VaultError.Code> {
    switch place - frame.offset {
    case 0..<4: [.frameDamaged]
    case 4: [.frameDamaged, .slotDamaged]
    default: frame.type == 2 ? [.slotDamaged] : [.frameDamaged]
    }
  }

  /// The name whose value stands in this frame and counts.
  private func liveName(in frame: SampleFrame) -> Name? {
    let places = frames.filter { $0.type == 1 }.map(\.offset)
    guard let number = places.firstIndex(of: frame.offset) else { return nil }
    let record = newest.records[number]
    let last = newest.records.last { $0.name == record.name && $0.operation != .event }
    return record.operation == .put && last == record ? record.name : nil
  }

  /// Nothing that counts stands there. A torn tail may look like damage afterwards; zeros are judged to the letter.
  private func expectation(behindEnd place: Int, _ value: UInt8) -> Expectation {
    var expected = Expectation.served(newest)
    guard bytes[end...].allSatisfy({ $0 == 0 }) else {
      expected.refusals = Expectation.damage
      expected.verdict = .any
      return expected
    }
    return isTorn(place, value) ? expected : .refused([.tailDamaged])
  }

  /// Whether zeros with this one other byte among them look like an append of which the beginning did not reach the disk.
  private func isTorn(_ place: Int, _ value: UInt8) -> Bool {
    let length = bytes.count
    let isShort = length - end < 88
    let isBegun = length - end == 1 && value == 0xF5
    let reach = isShort ? length : end + 88
    let hasHole = (end / 512...(reach - 1) / 512).contains { $0 != place / 512 }
    return hasHole || isShort && isBegun
  }

  // MARK: A file that is cut off

  /// - Parameter length: bytes that are left.
  package func expectation(truncatedTo length: Int) -> Expectation {
    if let state = state(within: length) { return .served(state) }
    if length < 128 { return .refused([.headerDamaged]) }
    if length < foundingEnd { return .refused([.frameDamaged, .slotDamaged]) }
    // A copy that was never finished: only behind the first generation.
    return .refused([.chainBroken, .frameDamaged, .slotDamaged])
  }
}
