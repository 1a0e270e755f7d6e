internal import VaultCrypto
internal import VaultFormat

/// Which runs of an index become one, and what that one holds (FORMAT.md, "Index").
enum RunMerge {
  /// Runs of a level that become one of the next.
  private static let fanIn = 4

  /// How many of `runs`, newest first, become one with a new run of so many entries, and the level of the outcome: those of
  /// lower levels, and whenever four of a level stand side by side, the four together.
  static func choose(_ runs: [IndexRoot.Run], new entries: Int) -> (count: Int, level: UInt8) {
    var level = level(of: entries)
    var count = runs.prefix { $0.level < level }.count
    while true {
      let same = runs[count...].prefix { $0.level == level }.count
      guard same >= fanIn - 1, level < .max else { return (count, level) }
      count += same
      level += 1
    }
  }

  /// The level of a run that is not made of others: the one that it would have come to by merges. On a lower one, a few small
  /// runs would soon be merged with all of it.
  static func level(of entries: Int) -> UInt8 {
    var (level, size) = (UInt8(0), 1024 * fanIn)
    while entries >= size {
      level += 1
      size *= fanIn
    }
    return level
  }

  /// Two runs as one: the newer entry of a tag counts.
  static func merge(_ newer: [IndexEntry], _ older: [IndexEntry]) -> [IndexEntry] {
    var merged: [IndexEntry] = []
    merged.reserveCapacity(newer.count + older.count)
    var (a, b) = (0, 0)
    while a < newer.count, b < older.count {
      if older[b].tag.precedes(newer[a].tag) {
        merged.append(older[b])
        b += 1
      } else {
        if older[b].tag == newer[a].tag { b += 1 }
        merged.append(newer[a])
        a += 1
      }
    }
    merged += newer[a...]
    merged += older[b...]
    return merged
  }

  /// The entries of a new run: of each tag the newest.
  ///
  /// - Parameter written: in the order of the file.
  static func run(of written: [IndexEntry]) -> [IndexEntry] {
    // As it is, when one batch was written since the newest root.
    if zip(written, written.dropFirst()).allSatisfy({ $0.tag.precedes($1.tag) }) { return written }
    var run: [IndexEntry] = []
    run.reserveCapacity(written.count)
    for number in order(of: written) {
      if run.last?.tag == written[number].tag { run.removeLast() }
      run.append(written[number])
    }
    return run
  }

  /// The places of entries by ascending tag; those of one tag stay in their order.
  ///
  /// Tags spread evenly, so that their first bits nearly tell the place: what is left are neighbours that change places.
  static func order(of entries: [IndexEntry]) -> [Int] {
    guard !entries.isEmpty else { return [] }
    let shift = UInt64(entries.count.leadingZeroBitCount)
    var ends = [Int](repeating: 0, count: 1 << (64 - Int(shift)))
    for entry in entries { ends[Int(entry.tag.head >> shift)] += 1 }
    for bucket in ends.indices.dropFirst() { ends[bucket] += ends[bucket - 1] }
    var order = [Int](repeating: 0, count: entries.count)
    for place in entries.indices.reversed() {
      let bucket = Int(entries[place].tag.head >> shift)
      ends[bucket] -= 1
      order[ends[bucket]] = place
    }
    for next in order.indices.dropFirst() {
      let place = order[next]
      var free = next
      while free > 0, entries[place].tag.precedes(entries[order[free - 1]].tag) {
        order[free] = order[free - 1]
        free -= 1
      }
      order[free] = place
    }
    return order
  }
}
