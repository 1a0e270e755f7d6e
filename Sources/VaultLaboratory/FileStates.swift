/// The states in which a file may be after a power cut: a length, and for each sector that is not sure one of its contents.
package struct FileStates: Sendable {
  /// A sector of which it is not sure what it holds.
  struct Sector: Sendable {
    let number: Int
    /// What it may hold, each once: what was there before comes first, what all that was asked for comes to last.
    let contents: [[UInt8]]
    /// Where in the sector something was written that is not synced.
    let written: Range<Int>
  }

  /// One of them: `choices` belongs to ``open``.
  package struct State: Sendable {
    package var length: Int
    package var choices: [Int]
  }

  /// What fills the places in which a write did not arrive.
  package enum Fill: String, CaseIterable, Sendable {
    /// What was there, or zeros: what the crash contract allows.
    case contract
    /// Anything.
    case random
    /// What stood in the place before it was cut off, or what another file holds there: blocks that are used again.
    case stale
  }

  private let base: [UInt8]
  /// Ascending.
  package let lengths: [Int]
  private let sectors: [Sector]
  /// Those of them that may hold more than one content.
  private let open: [Int]
  private let past: [UInt8]
  /// Bytes that the file had for sure.
  private let durable: Int

  init(base: [UInt8], lengths: [Int], sectors: [Sector], past: [UInt8], durable: Int) {
    (self.base, self.lengths, self.sectors, self.past, self.durable) = (base, lengths, sectors, past, durable)
    open = sectors.indices.filter { sectors[$0].contents.count > 1 }
  }

  /// How much is open: sectors with more than one content, and lengths.
  package var breadth: Int { open.count + lengths.count - 1 }

  // MARK: All, or many

  /// How many are drawn where there are too many.
  private static let drawn = 1 << 11

  /// All states, or some of them where there are more than `limit`.
  ///
  /// Where zeros follow the last open sector, how many of them is a matter of the length alone: with every choice of contents
  /// the fewest, the most and one other length are taken, with none or all of the contents every length.
  ///
  /// - Returns: the states, some of which may come to the same bytes; and whether they are all.
  package func all(limit: Int, random: inout SeededRandom) -> (states: [State], isWhole: Bool) {
    let (inside, behind) = splitLengths()
    let count =
      inside.reduce(0.0) { $0 + combinations(below: $1) } + combinations(below: .max) * Double(min(behind.count, 3))
    guard count <= Double(limit) else { return (drawn(min(limit, Self.drawn), random: &random), false) }
    var states: [State] = []
    for length in inside { product(below: length) { states.append(State(length: length, choices: $0)) } }
    product(below: .max) { (choices) in
      let isExtreme = choices.allSatisfy { $0 == 0 } || choices == full
      var lengths = behind
      if !isExtreme, behind.count > 3 {
        lengths = [behind[0], behind[Int(random.next() % UInt64(behind.count))], behind[behind.count - 1]]
      }
      for length in lengths { states.append(State(length: length, choices: choices)) }
    }
    return (states, true)
  }

  /// Lengths that leave out an open sector, and those that don't.
  private func splitLengths() -> (inside: [Int], behind: [Int]) {
    let border = open.last.map { sectors[$0].number * UncertainFile.sector } ?? 0
    let (inside, behind) = (lengths.filter { $0 <= border }, lengths.filter { $0 > border })
    return open.isEmpty ? ([], lengths) : (inside, behind)
  }

  private func visible(below length: Int) -> Int {
    open.count { sectors[$0].number * UncertainFile.sector < length }
  }

  private func combinations(below length: Int) -> Double {
    open.prefix(visible(below: length)).reduce(1) { $0 * Double(sectors[$1].contents.count) }
  }

  private func product(below length: Int, _ body: ([Int]) -> Void) {
    var choices = [Int](repeating: 0, count: open.count)
    let count = visible(below: length)
    while true {
      body(choices)
      var place = 0
      while place < count {
        choices[place] += 1
        if choices[place] < sectors[open[place]].contents.count { break }
        choices[place] = 0
        place += 1
      }
      if place == count { return }
    }
  }

  /// Everything arrived.
  private var full: [Int] { open.map { sectors[$0].contents.count - 1 } }

  /// Nothing arrived, everything did, each sector alone, each but one; then such as the seed draws.
  package func drawn(_ limit: Int, random: inout SeededRandom) -> [State] {
    let (longest, none) = (lengths[lengths.count - 1], [Int](repeating: 0, count: open.count))
    var states = [State(length: longest, choices: full), State(length: lengths[0], choices: none)]
    states.append(State(length: longest, choices: none))
    for place in open.indices where states.count < limit / 2 {
      var (one, others) = (none, full)
      one[place] = full[place]
      others[place] = 0
      states += [State(length: longest, choices: one), State(length: longest, choices: others)]
    }
    while states.count < limit { states.append(any(random: &random)) }
    return Array(states.prefix(limit))
  }

  /// One that the seed draws.
  package func any(random: inout SeededRandom) -> State {
    let isLong = random.next() & 1 == 0
    let length = isLong ? lengths[lengths.count - 1] : lengths[Int(random.next() % UInt64(lengths.count))]
    // Now few sectors are missing, now many.
    let mask = random.next() & random.next() | (random.next() & 1) &* random.next()
    let choices = open.enumerated().map { (place, sector) in
      let count = sectors[sector].contents.count
      if mask >> UInt64(place & 63) & 1 == 1 { return count - 1 }
      return Int(random.next() % UInt64(count))
    }
    return State(length: length, choices: choices)
  }

  /// Everything arrived.
  package var newest: State { State(length: lengths[lengths.count - 1], choices: full) }
  /// Nothing did.
  package var oldest: State { State(length: lengths[0], choices: open.map { _ in 0 }) }

  // MARK: Bytes

  /// What the file then holds.
  package func bytes(of state: State) -> [UInt8] {
    var bytes = base
    bytes.resize(to: state.length)
    for (place, sector) in open.enumerated() {
      put(
        sectors[sector].contents[state.choices[place]][...], at: sectors[sector].number * UncertainFile.sector,
        in: &bytes)
    }
    return bytes
  }

  /// The same, with something else where a write did not arrive.
  ///
  /// - Parameter other: a file whose blocks this one may have been given.
  package func bytes(of state: State, filledWith fill: Fill, other: [UInt8], random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes(of: state)
    guard fill != .contract else { return bytes }
    var place = 0
    for sector in sectors {
      var isMissing = random.next() & 1 == 0
      if sector.contents.count > 1 {
        isMissing = state.choices[place] < sector.contents.count - 1
        place += 1
      }
      guard isMissing else { continue }
      let start = sector.number * UncertainFile.sector
      // The whole sector is lost, or the part that was being written. What was on the disk has its block already.
      var range = fill == .random && random.next() & 3 == 0 ? 0..<UncertainFile.sector : sector.written
      if fill == .stale { range = min(max(range.lowerBound, durable - start), range.upperBound)..<range.upperBound }
      guard !range.isEmpty else { continue }
      let filling: [UInt8]
      switch fill {
      case .contract: continue
      case .random: filling = random.array(range.count)
      case .stale: filling = stale(start + range.lowerBound..<start + range.upperBound, other)
      }
      put(filling[...], at: start + range.lowerBound, in: &bytes)
    }
    return bytes
  }

  private func stale(_ range: Range<Int>, _ other: [UInt8]) -> [UInt8] {
    let mine = Array(past.dropFirst(range.lowerBound).prefix(range.count))
    let source = mine.allSatisfy { $0 == 0 } ? Array(other.dropFirst(range.lowerBound).prefix(range.count)) : mine
    return source + [UInt8](repeating: 0, count: range.count - source.count)
  }

  private func put(_ new: ArraySlice<UInt8>, at offset: Int, in bytes: inout [UInt8]) {
    let count = min(new.count, bytes.count - offset)
    if count > 0 { bytes.overwrite(at: offset, with: new.prefix(count)) }
  }
}
