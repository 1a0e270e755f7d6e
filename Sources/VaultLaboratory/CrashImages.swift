/// The states in which a power cut may leave a disk: at a point of its journal, with any part of what was not yet synced
/// (FORMAT.md, "Crash contract"). See ``UncertainFile`` for what that means; here states are drawn within a budget, with names
/// and files that are not the vault's.
package struct CrashImages {
  package static let sector = UncertainFile.sector

  private let disk: UncertainDisk
  private let budget: Int
  private var random: SeededRandom

  /// - Parameters:
  ///   - point: how many operations were made before the cut.
  ///   - budget: about how many images are made of a point that has more.
  package init(of disk: SimulatedDisk, at point: Int, budget: Int, seed: UInt64) {
    var uncertain = UncertainDisk(disk.start)
    for operation in disk.journal[..<point] { uncertain.apply(operation) }
    self.init(uncertain, budget: budget, seed: seed)
  }

  package init(_ disk: UncertainDisk, budget: Int, seed: UInt64) {
    self.disk = disk
    self.budget = budget
    random = SeededRandom(seed: seed)
  }

  /// The images, each once, in an order that the seed fixes.
  package mutating func all() -> [DiskImage] {
    var images: [DiskImage] = []
    var seen: Set<DiskImage> = []
    let directories = disk.directories()
    let states = disk.files.mapValues { $0.states() }
    // Of the file with the most that is open, all states; the others are in one that is drawn.
    let main = states.filter { $0.value.breadth > 0 }.max { ($0.value.breadth, $0.key) < ($1.value.breadth, $1.key) }?
      .key
    for directory in directories {
      let limit = max(budget / directories.count, 4)
      let mainStates = main.flatMap { states[$0]?.all(limit: limit, random: &random).states } ?? []
      for number in 0..<max(mainStates.count, 1) {
        var image = DiskImage(names: directory)
        image.note = disk.note
        for file in Set(directory.values).sorted() {
          guard let all = states[file] else { continue }
          image.files[file] = all.bytes(of: file == main ? mainStates[number] : one(of: all))
        }
        if seen.insert(image).inserted { images.append(image) }
      }
    }
    return images
  }

  /// One image that the seed draws.
  package mutating func any() -> DiskImage {
    let directories = disk.directories()
    let directory = directories[Int(random.next() % UInt64(directories.count))]
    var image = DiskImage(names: directory)
    image.note = disk.note
    for (_, file) in directory.sorted(by: { $0.key < $1.key }) {
      guard let uncertain = disk.files[file] else { continue }
      let states = uncertain.states(bringsBack: random.next() & 1 == 0)
      image.files[file] = states.bytes(of: states.any(random: &random))
    }
    return image
  }

  private mutating func one(of states: FileStates) -> FileStates.State {
    switch random.next() % 4 {
    case 0: states.oldest
    case 1: states.newest
    default: states.any(random: &random)
    }
  }
}
