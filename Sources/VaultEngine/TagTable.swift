internal import VaultCrypto
internal import VaultFormat

/// Index entries by lookup tag, in memory: about 30 bytes each.
///
/// A tag is the output of a MAC, so its first bits spread entries evenly: they choose a leaf, a short array in the order of the
/// tags, and tell about where in the leaf to look. A value: a copy shares all leaves, and a change copies one leaf and the
/// two short lists that lead to it, so that a snapshot costs the writer little.
struct TagTable: Sendable {
  /// An entry in 24 bytes, as it has in the file.
  fileprivate struct Slot: Sendable {
    /// The tag's first 8 bytes.
    let high: UInt64
    /// Its last 4, and the first 4 of the authTag prefix.
    let low: UInt64
    /// The last 2 of the prefix, and the offset, whose lowest bit says that it is a deletion.
    let place: UInt64
  }

  /// Entries to a leaf on average, before there are twice as many leaves.
  private static let fill = 64

  /// New entries of a leaf that are worth making it anew.
  private static let many = 4

  /// All leaves in the order of their tags: a list of lists, each of as many, so that copying one level copies few references.
  private var branches: [[[Slot]]]
  /// The number of leaves is 2 to this.
  private var bits: UInt64 = 0
  /// Entries.
  private(set) var count = 0

  /// An empty table with leaves for about `count` entries.
  init(expecting count: Int = 0) {
    while Self.fill << bits < count { bits += 1 }
    let leaves = 1 << Int(bits / 2)
    branches = Array(repeating: Array(repeating: [], count: leaves), count: (1 << Int(bits)) / leaves)
  }

  /// The entry of a tag; `nil` when there is none.
  subscript(_ tag: LookupTag) -> IndexEntry? {
    let key = Slot(tag)
    let (branch, leaf) = place(of: key)
    let slots = branches[branch][leaf]
    let position = position(of: key, in: slots)
    guard position < slots.count, slots[position].hasTag(of: key) else { return nil }
    return slots[position].entry
  }

  /// Puts an entry in the place of the one with its tag.
  ///
  /// - Returns: that one, if there was one.
  @discardableResult
  mutating func insert(_ entry: IndexEntry) -> IndexEntry? {
    if count >= Self.fill << bits { split() }
    let slot = Slot(entry)
    let (branch, leaf) = place(of: slot)
    let position = position(of: slot, in: branches[branch][leaf])
    if let before = branches[branch][leaf].put(slot, at: position) { return before.entry }
    count += 1
    return nil
  }

  /// Puts many entries in the places of those with their tags: what comes to one leaf makes it anew, in one go.
  ///
  /// - Parameters:
  ///   - entries: by ascending tag, each tag once.
  ///   - removing: a deletion removes the entry of its tag, instead of taking its place.
  ///   - visit: is given the number of each of `entries`, and what had its tag before.
  mutating func merge(
    _ entries: [IndexEntry], removingDeletions removing: Bool, visit: (Int, IndexEntry?) -> Void = { (_, _) in }
  ) {
    let slots = entries.map { Slot($0) }
    var next = 0
    while next < slots.count {
      let (branch, leaf) = place(of: slots[next])
      var end = next + 1
      while end < slots.count, place(of: slots[end]) == (branch, leaf) { end += 1 }
      let before = branches[branch][leaf].count
      if end - next >= Self.many {
        branches[branch][leaf] = merging(slots[next..<end], into: branches[branch][leaf], removing, visit)
      } else {
        for number in next..<end {
          let position = position(of: slots[number], in: branches[branch][leaf])
          visit(number, branches[branch][leaf].take(slots[number], at: position, removingDeletions: removing)?.entry)
        }
      }
      count += branches[branch][leaf].count - before
      next = end
    }
    while count > Self.fill << bits { split() }
  }

  /// A leaf with new slots, which all belong to it.
  private func merging(
    _ new: ArraySlice<Slot>, into old: [Slot], _ removing: Bool, _ visit: (Int, IndexEntry?) -> Void
  ) -> [Slot] {
    var merged: [Slot] = []
    merged.reserveCapacity(old.count + new.count)
    var next = 0
    for (number, slot) in zip(new.indices, new) {
      let position = position(of: slot, in: old)
      merged += old[next..<position]
      next = position
      if next < old.count, old[next].hasTag(of: slot) {
        visit(number, old[next].entry)
        next += 1
      } else {
        visit(number, nil)
      }
      if !removing || !slot.isDeletion { merged.append(slot) }
    }
    merged += old[next...]
    return merged
  }

  /// Removes the entry of a tag, if there is one.
  ///
  /// - Returns: that one.
  @discardableResult
  mutating func remove(_ tag: LookupTag) -> IndexEntry? {
    let key = Slot(tag)
    let (branch, leaf) = place(of: key)
    let position = position(of: key, in: branches[branch][leaf])
    guard position < branches[branch][leaf].count, branches[branch][leaf][position].hasTag(of: key) else { return nil }
    count -= 1
    return branches[branch][leaf].remove(at: position).entry
  }

  /// All entries, by ascending tag.
  func forEach<Failure: Error>(_ body: (IndexEntry) throws(Failure) -> Void) throws(Failure) {
    for branch in branches {
      for leaf in branch {
        for slot in leaf { try body(slot.entry) }
      }
    }
  }

  /// All entries, by ascending tag.
  var entries: [IndexEntry] {
    var entries: [IndexEntry] = []
    entries.reserveCapacity(count)
    forEach { entries.append($0) }
    return entries
  }

  // MARK: Where a tag belongs

  private func place(of slot: Slot) -> (branch: Int, leaf: Int) {
    let number = bits == 0 ? 0 : Int(slot.high >> (64 - bits))
    let leaves = branches[0].count
    return (number / leaves, number % leaves)
  }

  /// The first position in a leaf whose tag is not before that of `slot`: the position that even spreading foretells, and
  /// from there step by step.
  private func position(of slot: Slot, in slots: [Slot]) -> Int {
    let fraction = (slot.high << bits) >> 32
    var position = Int((fraction * UInt64(slots.count)) >> 32)
    while position > 0, !slots[position - 1].precedes(slot) { position -= 1 }
    while position < slots.count, slots[position].precedes(slot) { position += 1 }
    return position
  }

  /// Makes two leaves of each.
  private mutating func split() {
    let next = bits + 1
    let leaves = 1 << Int(next / 2)
    var made: [[[Slot]]] = []
    made.reserveCapacity((1 << Int(next)) / leaves)
    var branch: [[Slot]] = []
    for number in branches.indices {
      let old = branches[number]
      branches[number] = []
      for leaf in old {
        let middle = leaf.firstIndex { $0.high >> (63 - bits) & 1 == 1 } ?? leaf.count
        for half in [leaf[..<middle], leaf[middle...]] {
          branch.append(Array(half))
          if branch.count == leaves {
            made.append(branch)
            branch = []
          }
        }
      }
    }
    branches = made
    bits = next
  }
}

extension Array where Element == TagTable.Slot {
  /// As ``put(_:at:)``, or removes what has the slot's tag.
  ///
  /// - Returns: what had its tag.
  fileprivate mutating func take(_ slot: Element, at position: Int, removingDeletions removing: Bool) -> Element? {
    guard removing, slot.isDeletion else { return put(slot, at: position) }
    return position < count && self[position].hasTag(of: slot) ? remove(at: position) : nil
  }

  /// - Returns: the slot in whose place it is; `nil` when it is one more.
  fileprivate mutating func put(_ slot: Element, at position: Int) -> Element? {
    if position < count, self[position].hasTag(of: slot) {
      defer { self[position] = slot }
      return self[position]
    }
    // Doubling would leave a third of all memory unused.
    if count == capacity { reserveCapacity(count + count / 8 + 4) }
    insert(slot, at: position)
    return nil
  }
}

extension TagTable.Slot {
  init(_ tag: LookupTag) {
    high = tag.span.bigEndian(at: 0)
    low = UInt64(tag.span.bigEndian(at: 8, as: UInt32.self)) << 32
    place = 0
  }

  init(_ entry: IndexEntry) {
    let (tag, prefix) = (entry.tag.span, entry.authTagPrefix.span)
    high = tag.bigEndian(at: 0)
    low = UInt64(tag.bigEndian(at: 8, as: UInt32.self)) << 32 | UInt64(prefix.bigEndian(at: 0, as: UInt32.self))
    place = UInt64(prefix.bigEndian(at: 4, as: UInt16.self)) << 48 | entry.offset | (entry.isDeletion ? 1 : 0)
  }

  var isDeletion: Bool { place & 1 != 0 }

  var entry: IndexEntry {
    let offset = place & 0xFFFF_FFFF_FFFE
    return IndexEntry(
      tag: FixedBytes(high, UInt32(truncatingIfNeeded: low >> 32)), offset: offset, isDeletion: isDeletion,
      authTagPrefix: FixedBytes(UInt32(truncatingIfNeeded: low), UInt16(truncatingIfNeeded: place >> 48)))
  }

  func precedes(_ other: Self) -> Bool {
    high != other.high ? high < other.high : low >> 32 < other.low >> 32
  }

  func hasTag(of other: Self) -> Bool { high == other.high && low >> 32 == other.low >> 32 }
}

extension FixedBytes {
  /// Two numbers in big-endian order, one behind the other.
  fileprivate init<First: FixedWidthInteger, Second: FixedWidthInteger>(_ first: First, _ second: Second) {
    self.init()
    var bytes = mutableSpan
    bytes.replace(at: 0, bigEndian: first)
    bytes.replace(at: MemoryLayout<First>.size, bigEndian: second)
  }
}
