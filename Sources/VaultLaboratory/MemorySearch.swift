import Glibc
import Synchronization

/// Looks for a few secret bytes in all memory of this process that can be written, as whoever reads its core or its swap would.
///
/// It holds the bytes inverted, so that it finds no copy of its own.
package struct MemorySearch: Sendable {
  private let inverted: [UInt8]

  /// Bytes that are nowhere else: drawn from `seed`.
  package init(seed: UInt64, count: Int = 32) {
    var random = SeededRandom(seed: seed)
    inverted = random.array(count)
  }

  /// Bytes that are known; the caller's copy is the caller's to wipe.
  package init(for bytes: Span<UInt8>) {
    var inverted: [UInt8] = []
    for index in bytes.indices { inverted.append(~bytes[index]) }
    self.inverted = inverted
  }

  /// How many bytes they are.
  package var length: Int { inverted.count }

  /// Appends the bytes to a buffer that is wiped.
  package func append(to output: inout OutputSpan<UInt8>) {
    for byte in inverted { output.append(~byte) }
  }

  /// One search at a time: what one has read of a secret that still lives must not be found by another when it is gone.
  private static let turn = Mutex<Void>(())

  /// How often the bytes stand in memory.
  package func count() throws -> Int {
    try Self.turn.withLock { (_) in try countAlone() }
  }

  private func countAlone() throws -> Int {
    var found = 0
    let memory = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    guard memory >= 0 else { throw HelperError.system(errno) }
    defer { close(memory) }
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.piece, alignment: 4096)
    defer {
      unsafe explicit_bzero(buffer, Self.piece)
      unsafe buffer.deallocate()
    }
    let own = UInt(bitPattern: buffer)
    for region in try Self.regions() {
      var start = region.lowerBound
      while start < region.upperBound {
        let size = Int(min(UInt(Self.piece), region.upperBound - start))
        let read = unsafe pread(memory, buffer, size, off_t(start))
        // A page that is gone, or may not be looked at.
        guard read > 0 else {
          start += 4096
          continue
        }
        found += unsafe matches(in: UnsafeRawBufferPointer(start: buffer, count: read), at: start, without: own)
        // What goes over the border of two pieces is seen with the second.
        start += UInt(read == size && start + UInt(read) < region.upperBound ? read - inverted.count : read)
      }
    }
    return found
  }

  private static let piece = 1 << 20

  /// - Parameter own: where the search's own buffer lies.
  private func matches(in bytes: UnsafeRawBufferPointer, at start: UInt, without own: UInt) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    var (found, place) = (0, 0)
    while place + inverted.count <= bytes.count {
      let left = bytes.count - inverted.count - place + 1
      guard let next = unsafe memchr(base + place, Int32(~inverted[0]), left) else { break }
      place = unsafe UnsafeRawPointer(next) - base
      let address = start + UInt(place)
      let isOwn = address >= own && address < own + UInt(Self.piece)
      if !isOwn, unsafe isMatch(bytes, place) { found += 1 }
      place += 1
    }
    return found
  }

  private func isMatch(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    for index in inverted.indices where unsafe bytes[place + index] != ~inverted[index] { return false }
    return true
  }

  /// What can be written, as the kernel lists it.
  private static func regions() throws -> [Range<UInt>] {
    let maps = unsafe open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    guard maps >= 0 else { throw HelperError.system(errno) }
    defer { close(maps) }
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe part.withUnsafeMutableBytes { unsafe read(maps, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      text += part[..<count]
    }
    return text.split(separator: UInt8(ascii: "\n")).compactMap { (line) in
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard fields.count > 1, fields[1].starts(with: "rw".utf8) else { return nil }
      let ends = fields[0].split(separator: UInt8(ascii: "-"))
        .compactMap { UInt(String(decoding: $0, as: UTF8.self), radix: 16) }
      return ends.count == 2 ? ends[0]..<ends[1] : nil
    }
  }
}
