/// What one file may hold when the power goes: what was synced for sure, and of everything since then any part.
///
/// The unit is a sector. In each of them every unsynced write is there or not by itself, whatever became of the same write in
/// other sectors and of other writes in this one: all subsets of the operations, each torn in all ways, are among these states.
/// Two that come to the same bytes are one.
package struct UncertainFile: Sendable {
  package static let sector = 512

  private struct Change {
    enum Kind {
      case bytes(at: Int, [UInt8])
      case length(Int)
    }
    enum Fate {
      /// The next sync brings it to the disk.
      case open
      /// A sync failed, and the system took its pages for clean: no later sync brings it to the disk.
      case lost
      case sure
    }

    let kind: Kind
    var fate: Fate

    var isBytes: Bool { if case .bytes = kind { true } else { false } }
  }

  /// What is on the disk, whatever happens.
  package private(set) var durable: [UInt8]
  /// What came after that, in its order.
  private var changes: [Change] = []
  /// What a running program sees.
  private var latest: [UInt8]
  /// Bytes that were cut off, in their places.
  private var past: [UInt8] = []

  package init(_ durable: [UInt8] = []) { (self.durable, latest) = (durable, durable) }

  // MARK: Operations

  package mutating func write(_ bytes: [UInt8], at offset: Int) {
    changes.append(Change(kind: .bytes(at: offset, bytes), fate: .open))
    latest.overwrite(at: offset, with: bytes[...])
  }

  package mutating func resize(to length: Int) {
    changes.append(Change(kind: .length(length), fate: .open))
    if length < latest.count { past.overwrite(at: length, with: latest[length...]) }
    latest.resize(to: length)
  }

  package mutating func sync() {
    for number in changes.indices where changes[number].fate == .open { changes[number].fate = .sure }
    while let first = changes.first, first.fate == .sure {
      Self.apply(first, to: &durable)
      changes.removeFirst()
    }
  }

  /// A sync that failed: what was written before it may be lost, whatever later syncs say. A length is kept by the file system.
  package mutating func failSync() {
    for number in changes.indices where changes[number].fate == .open && changes[number].isBytes {
      changes[number].fate = .lost
    }
  }

  private static func apply(_ change: Change, to bytes: inout [UInt8]) {
    switch change.kind {
    case .bytes(let offset, let new): bytes.overwrite(at: offset, with: new[...])
    case .length(let length): bytes.resize(to: length)
    }
  }

  // MARK: States

  /// Whether there is but one state.
  package var isCertain: Bool { !changes.contains { $0.fate != .sure } }

  /// Whether a cut is among what is not synced: then what was cut off may come back with a later length.
  package var hasOpenCut: Bool { changes.contains { $0.fate != .sure && !$0.isBytes } }

  /// The states.
  ///
  /// - Parameter bringsBack: a cut that is not synced took the length alone, and the bytes are back where the file grows over
  ///   them; else there are zeros.
  package func states(bringsBack: Bool = false) -> FileStates {
    var base = durable
    for change in changes where change.fate == .sure { Self.apply(change, to: &base) }
    let lengths = lengths()
    let sectors = sectors(bringsBack, base: base)
    let durable = base.count
    base.resize(to: lengths.last ?? 0)
    return FileStates(base: base, lengths: lengths, sectors: sectors, past: past, durable: durable)
  }

  /// Ascending. A write that makes the file longer may have done so up to each sector.
  private func lengths() -> [Int] {
    var lengths: Set<Int> = [durable.count]
    for change in changes {
      let isSure = change.fate == .sure
      var found: Set<Int> = isSure ? [] : lengths
      for length in lengths {
        let end =
          switch change.kind {
          case .bytes(let offset, let bytes): max(length, offset + bytes.count)
          case .length(let length): length
          }
        found.insert(end)
        guard !isSure, end > length else { continue }
        found.formUnion(stride(from: (length / Self.sector + 1) * Self.sector, to: end, by: Self.sector))
      }
      lengths = found
    }
    return lengths.sorted()
  }

  private func sectors(_ bringsBack: Bool, base: [UInt8]) -> [FileStates.Sector] {
    var touched: [Int: [Int]] = [:]
    let extent = changes.reduce(durable.count) { (extent, change) in
      switch change.kind {
      case .bytes(let offset, let bytes): max(extent, offset + bytes.count)
      case .length(let length): max(extent, length)
      }
    }
    for (number, change) in changes.enumerated() {
      let range: Range<Int>
      switch change.kind {
      case .bytes(let offset, let bytes): range = offset..<offset + bytes.count
      case .length(let length): range = min(length, extent)..<extent
      }
      guard !range.isEmpty else { continue }
      for sector in range.lowerBound / Self.sector...(range.upperBound - 1) / Self.sector {
        touched[sector, default: []].append(number)
      }
    }
    return touched.sorted { $0.key < $1.key }.compactMap { sector($0.key, touchedBy: $0.value, bringsBack) }
  }

  /// - Returns: `nil` when nothing about it is unsure.
  private func sector(_ sector: Int, touchedBy numbers: [Int], _ bringsBack: Bool) -> FileStates.Sector? {
    let unsure = numbers.filter { changes[$0].fate != .sure }
    guard !unsure.isEmpty else { return nil }
    let start = sector * Self.sector
    var old = [UInt8](repeating: 0, count: Self.sector)
    if start < durable.count { old.overwrite(at: 0, with: durable[start..<min(start + Self.sector, durable.count)]) }
    var contents: [[UInt8]] = []
    // Many operations on one sector, which no part of the engine makes, would be too many subsets.
    for subset in 0..<1 << min(unsure.count, 8) {
      let isKept = Dictionary(
        uniqueKeysWithValues: unsure.enumerated().map { ($1, $0 < 8 ? subset >> $0 & 1 == 1 : true) })
      var bytes = old
      for number in numbers where isKept[number] ?? true {
        apply(changes[number], to: &bytes, from: start, bringsBack)
      }
      if !contents.contains(bytes) { contents.append(bytes) }
    }
    var written = Self.sector..<Self.sector
    // What a later sync brought to the disk for sure can't be missing any more.
    let sure = numbers.last { changes[$0].fate == .sure } ?? 0
    for number in unsure where number >= sure {
      guard case .bytes(let offset, let bytes) = changes[number].kind else { continue }
      let range = max(offset - start, 0)..<min(offset + bytes.count - start, Self.sector)
      written =
        written.isEmpty ? range : min(written.lowerBound, range.lowerBound)..<max(written.upperBound, range.upperBound)
    }
    return FileStates.Sector(number: sector, contents: contents, written: written)
  }

  private func apply(_ change: Change, to sector: inout [UInt8], from start: Int, _ bringsBack: Bool) {
    let end = start + Self.sector
    switch change.kind {
    case .bytes(let offset, let bytes):
      let range = max(offset, start)..<min(offset + bytes.count, end)
      sector.overwrite(at: range.lowerBound - start, with: bytes[range.lowerBound - offset..<range.upperBound - offset])
    case .length(let length):
      guard length < end, !bringsBack || change.fate == .sure else { return }
      let cut = max(length - start, 0)
      sector.overwrite(at: cut, with: [UInt8](repeating: 0, count: Self.sector - cut)[...])
    }
  }
}
