internal import VaultFormat
internal import VaultLaboratory

extension LooseVault {
  /// A file changed in one to three ways, and put together again.
  ///
  /// - Returns: `nil` for what is no file of frames.
  static func mutated(_ file: [UInt8], key: [UInt8]?, longest: Int, _ random: inout SeededRandom) -> [UInt8]? {
    guard var vault = LooseVault(file, key: key), !vault.pieces.isEmpty else { return nil }
    for _ in 0...random.below(3) where !vault.pieces.isEmpty { vault.change(&random) }
    var changed = vault.serialized(keepsPlaces: random.below(16) == 0)
    if random.below(4) == 0 { changed.disturbEnd(&random) }
    return changed.count <= longest ? changed : nil
  }

  private mutating func change(_ random: inout SeededRandom) {
    let place = random.below(pieces.count)
    switch random.below(14) {
    case 0...3: changePlaintext(of: place, &random)
    case 4: pieces[place].forced.append(Self.headerField(&random))
    case 5: pieces[place].forcedTrailer.append((random.below(4) * 4, random.number(of: 4)))
    case 6: pieces.remove(at: place)
    case 7: pieces.insert(pieces[place], at: random.below(pieces.count + 1))
    case 8: pieces.swapAt(place, random.below(pieces.count))
    case 9: pieces[place].header[7] ^= 1
    case 10: pieces[place].header.replaceSubrange(28..<32, with: random.number(of: 4))
    case 11: changeFileHeader(&random)
    case 12 where !pieces[place].clear.isEmpty: pieces[place].clear.changeByte(&random)
    default: takeFromAnother(place, &random)
    }
  }

  private mutating func changePlaintext(of place: Int, _ random: inout SeededRandom) {
    var bytes = pieces[place].plaintext ?? pieces[place].sealed
    guard !bytes.isEmpty else { return }
    switch random.below(6) {
    case 0: bytes.changeByte(&random)
    case 1, 2:
      // Fields stand at even places, most of them near the beginning.
      let size = 1 << random.below(4)
      let start = random.below(random.below(2) == 0 ? min(bytes.count, 64) : bytes.count) & ~1
      guard start + size <= bytes.count else { return }
      bytes.replaceSubrange(start..<start + size, with: random.number(of: size))
    case 3: bytes += [UInt8](repeating: 0, count: 16 << random.below(4))
    case 4: bytes.removeLast(min(bytes.count, 16 << random.below(4)))
    default: bytes[random.below(min(bytes.count, 2))] = UInt8(random.below(6))
    }
    if pieces[place].plaintext != nil {
      pieces[place].plaintext = bytes
    } else if bytes.count >= 16 {
      pieces[place].sealed = bytes
    }
  }

  private static func headerField(_ random: inout SeededRandom) -> (place: Int, bytes: [UInt8]) {
    let fields = [
      (4, 1), (5, 1), (6, 2), (8, 8), (16, 8), (24, 4), (28, 4), (32, 4), (36, 4), (40, 4), (72, 8), (80, 4),
    ]
    let (place, size) = fields[random.below(fields.count)]
    return (place, random.number(of: size))
  }

  private mutating func changeFileHeader(_ random: inout SeededRandom) {
    let fields = [(8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (72, 8), (80, 2), (82, 1), (24, 4), (40, 4), (83, 1)]
    let (place, size) = fields[random.below(fields.count)]
    fileHeader.replaceSubrange(place..<place + size, with: random.number(of: size))
  }

  /// Puts a part of one frame's content in the place of another's.
  private mutating func takeFromAnother(_ place: Int, _ random: inout SeededRandom) {
    let other = random.below(pieces.count)
    guard var bytes = pieces[place].plaintext, let source = pieces[other].plaintext else { return }
    let size = min(1 << random.below(7), bytes.count, source.count)
    let start = random.below(min(bytes.count, source.count) - size + 1)
    bytes.replaceSubrange(start..<start + size, with: source[start..<start + size])
    pieces[place].plaintext = bytes
  }
}

extension [UInt8] {
  fileprivate mutating func changeByte(_ random: inout SeededRandom) {
    self[random.below(count)] ^= 1 << UInt8(random.below(8))
  }

  /// What an append leaves that was cut off, and what it does not.
  fileprivate mutating func disturbEnd(_ random: inout SeededRandom) {
    switch random.below(5) {
    case 0: self += [UInt8](repeating: 0, count: random.below(1200))
    case 1: removeLast(random.below(Swift.min(count, 2000)))
    case 2: self += random.array(random.below(600))
    case 3:
      // A sector that did not arrive.
      let sector = (count - 1 - random.below(Swift.min(count, 2000))) / 512 * 512
      for index in sector..<Swift.min(sector + 512, count) where index >= 128 { self[index] = 0 }
    default:
      let start = random.below(count)
      self += self[start..<Swift.min(count, start + 1500)]
    }
  }
}

extension SeededRandom {
  fileprivate mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// A big-endian number of so many bytes: near an edge, or small, or any.
  fileprivate mutating func number(of size: Int) -> [UInt8] {
    let bits = UInt64(size * 8)
    let number: UInt64
    switch below(6) {
    case 0: number = UInt64(below(4))
    case 1: number = UInt64.max &- UInt64(below(3))
    case 2: number = 1 << (next() % bits)
    case 3: number = (1 << (next() % bits)) &- 1
    case 4: number = UInt64(below(1 << 10)) * 16
    default: number = next()
    }
    return Array(LooseVault.bytes(number).suffix(size))
  }
}
