internal import VaultFormat
internal import VaultLaboratory

extension FuzzTarget {
  /// A program of operations on a simulated disk, by several handles, with failing calls and power cuts between, against a
  /// dictionary.
  static let operations = FuzzTarget(
    "operations", longest: 192,
    seeds: { _ in
      [UInt64](1...32).map { (number) in
        var random = SeededRandom(seed: number)
        return random.array(48)
      }
    }
  ) { (input) throws(Violation) in
    do {
      var run = try OperationsRun(ByteProgram(input.array))
      try run.run()
    } catch let violation as Violation {
      throw violation
    } catch {
      throw Violation("an operation failed: \(error)")
    }
  }
}

/// Decisions, a byte each, until there are no more.
struct ByteProgram {
  private let bytes: [UInt8]
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { next >= bytes.count }

  /// A number below `count`; 0 behind the end.
  mutating func draw(_ count: Int) -> Int {
    guard !isAtEnd else { return 0 }
    defer { next += 1 }
    return Int(bytes[next]) % count
  }
}
