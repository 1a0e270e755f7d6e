/// The states in which a power cut may leave a disk: at a point of its journal, with any part of what was not yet synced.
///
/// What was synced is there. Every other operation is there or not, by itself, and of the newest write any subset of its
/// 512-byte sectors, with every length that the file may have had meanwhile (FORMAT.md, "Crash contract").
package struct CrashImages {
  package static let sector = 512

  private let start: DiskImage
  private let journal: ArraySlice<DiskOperation>
  /// Places in the journal of what need not be on the disk.
  private let unsure: [Int]
  private let budget: Int
  private var random: SeededRandom

  /// - Parameters:
  ///   - point: how many operations were made before the cut.
  ///   - budget: images of one point beyond which subsets are drawn instead of all being made.
  package init(of disk: SimulatedDisk, at point: Int, budget: Int, seed: UInt64) {
    start = disk.start
    journal = disk.journal[..<point]
    unsure = Self.unsure(in: journal)
    self.budget = budget
    random = SeededRandom(seed: seed)
  }

  private static func unsure(in journal: ArraySlice<DiskOperation>) -> [Int] {
    var pending: [Int: [Int]] = [:]
    var lost: [Int] = []
    var names: [Int] = []
    for (place, operation) in zip(journal.indices, journal) {
      switch operation {
      case .write(let file, _, _), .resize(let file, _): pending[file, default: []].append(place)
      case .sync(let file): pending[file] = nil
      case .failedSync(let file):
        // Pages are clean after a failure: no later sync brings them to the disk. A length is kept by the file system.
        let places = pending[file] ?? []
        lost += places.filter { if case .write = journal[$0] { true } else { false } }
        pending[file] = places.filter { if case .resize = journal[$0] { true } else { false } }
      case .create, .rename, .remove: names.append(place)
      case .syncDirectory: names = []
      case .note: break
      }
    }
    return (pending.values.joined() + lost + names).sorted()
  }

  /// The images, each once, in an order that the seed fixes.
  package mutating func all() -> [DiskImage] {
    var images: [DiskImage] = []
    var seen: Set<DiskImage> = []
    let newest = unsure.last { if case .write = journal[$0] { true } else { false } }
    let others = unsure.filter { $0 != newest }
    let choices = subsets(of: others.count, limit: max(budget / 8, 8))
    for choice in choices {
      let kept = Set(zip(others, choice).filter { $0.1 }.map { $0.0 })
      for image in variants(keeping: kept, newest: newest, limit: max(budget / choices.count, 4))
      where seen.insert(image).inserted {
        images.append(image)
      }
    }
    return images
  }

  /// One of the images, drawn.
  package mutating func one() -> DiskImage {
    let newest = unsure.last { if case .write = journal[$0] { true } else { false } }
    // Nothing, everything, and any part are equally likely.
    let kind = random.next() % 3
    var kept: Set<Int> = []
    for place in unsure where place != newest && (kind == 1 || kind == 2 && random.next() & 1 == 0) {
      kept.insert(place)
    }
    guard let newest, case .write(let file, let offset, let bytes) = journal[newest] else {
      return image(keeping: kept, newest: nil)
    }
    let drawn = random.next()
    let sectors = offset / Self.sector...(offset + bytes.count - 1) / Self.sector
    let isThere = sectors.map { _ in kind == 1 || random.next() & 1 == 0 }
    let length = max((sectors.lowerBound + Int(drawn >> 2) % sectors.count) * Self.sector - offset, 0)
    return image(keeping: kept, newest: newest) { (image) in
      switch drawn & 3 {
      case 0: return
      case 1: image.files[file, default: []].overwrite(at: offset, with: bytes[..<length])
      default:
        if image.files[file, default: []].count < offset + bytes.count {
          image.files[file, default: []].resize(to: offset + bytes.count)
        }
        for (sector, isThere) in zip(sectors, isThere) where isThere {
          let from = max(sector * Self.sector, offset)
          let end = min((sector + 1) * Self.sector, offset + bytes.count)
          image.files[file]?.overwrite(at: from, with: bytes[from - offset..<end - offset])
        }
      }
    }
  }

  /// Every subset of `count` things, or `limit` of them: none, all, each alone, all but each, and others that are drawn.
  private mutating func subsets(of count: Int, limit: Int) -> [[Bool]] {
    if count < 20, 1 << count <= limit {
      return (0..<1 << count).map { bits in (0..<count).map { bits >> $0 & 1 == 1 } }
    }
    var subsets = [[Bool](repeating: false, count: count), [Bool](repeating: true, count: count)]
    for one in 0..<count where subsets.count < limit {
      subsets.append((0..<count).map { $0 == one })
      subsets.append((0..<count).map { $0 != one })
    }
    while subsets.count < limit { subsets.append((0..<count).map { _ in random.next() & 1 == 0 }) }
    return subsets
  }

  private mutating func variants(keeping kept: Set<Int>, newest: Int?, limit: Int) -> [DiskImage] {
    guard let newest, case .write(let file, let offset, let bytes) = journal[newest] else {
      return [image(keeping: kept, newest: nil)]
    }
    let first = offset / Self.sector
    let last = (offset + bytes.count - 1) / Self.sector
    var images = [image(keeping: kept, newest: newest)]
    for subset in subsets(of: last - first + 1, limit: limit) {
      images.append(
        image(keeping: kept, newest: newest) { (image) in
          let end = offset + bytes.count
          // The length is the new one: sectors that did not arrive hold what they held before, or zeros.
          let old = image.files[file] ?? []
          image.files[file] = old
          if old.count < end { image.files[file]?.resize(to: end) }
          for (sector, isNew) in zip(first...last, subset) where isNew {
            let from = max(sector * Self.sector, offset)
            let part = bytes[from - offset..<min((sector + 1) * Self.sector, end) - offset]
            image.files[file]?.overwrite(at: from, with: part)
          }
        })
    }
    // The file may be shorter: cut at every sector that the write touches.
    for sector in first...last {
      let length = max(sector * Self.sector - offset, 0)
      images.append(
        image(keeping: kept, newest: newest) { (image) in
          image.files[file, default: []].overwrite(at: offset, with: bytes[..<length])
        })
    }
    return images
  }

  /// Replays the journal.
  private func image(
    keeping kept: Set<Int>, newest: Int?, writing: (inout DiskImage) -> Void = { _ in }
  ) -> DiskImage {
    var image = start
    let unsure = Set(unsure)
    for (place, operation) in zip(journal.indices, journal) {
      if place == newest {
        writing(&image)
      } else if kept.contains(place) || !unsure.contains(place) {
        image.apply(operation)
      }
    }
    return image
  }
}
