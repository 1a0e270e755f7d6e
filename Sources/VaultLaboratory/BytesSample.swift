import VaultEngine
package import VaultFormat

/// A frame in a file, by its place alone.
package struct SampleFrame: Sendable {
  package let offset: Int
  package let length: Int
  package let type: UInt8
  package let endsBatch: Bool
  /// Where its batch begins.
  package let batchStart: Int
  /// Bytes of its clear part.
  package let clearLength: Int

  package var range: Range<Int> { offset..<offset + length }

  /// Whether a byte of the file is ciphertext of this frame: neither header nor clear part, nonce, tag or trailer.
  package func isCiphertext(_ place: Int) -> Bool {
    (offset + 88 + clearLength + 40..<offset + length - 16).contains(place)
  }
}

/// What a vault held when one of its commits had returned, known from what was written and not from any reader.
package struct SampleState: Sendable {
  /// Where the commit ends in the file.
  package let end: Int
  /// Frames up to there.
  package let sequence: UInt64
  package let contents: Contents
  package let records: [WrittenRecord]
  /// What its owner may have written down at that moment.
  package let pin: Pin
  /// Where the newest checkpoint begins; 0 as long as there is none.
  package let checkpoint: Int
  /// The value of all bytes of the key that opens it.
  package let key: UInt8

  package var lastVersion: UInt64 { records.last?.version ?? 0 }
  package var events: [WrittenRecord] { records.reversed().filter { $0.operation == .event } }
}

/// A vault in an array with all that it ever held: what the laboratory attacks, and judges readers by.
package struct VaultSample: Sendable {
  package let name: String
  package let bytes: [UInt8]
  /// Of the whole batches.
  package let frames: [SampleFrame]
  /// The oldest first: of the first generation the empty vault, of another what its copying ended with.
  package let states: [SampleState]
  /// Every name that was ever written, and one that never was.
  package let names: [Name]
  /// Which of its bytes are given every value; of the others, some are drawn.
  package var thoroughness = Thoroughness.whole

  /// A part of a vault.
  package enum Thoroughness: Sendable {
    case whole
    /// The last batch, and what is behind it.
    case end
    /// Headers, clear parts, nonces, tags and trailers.
    case allButCiphertext
    case sampled
  }

  package init(name: String, bytes: [UInt8], frames: [SampleFrame], states: [SampleState]) {
    self.name = name
    self.bytes = bytes
    self.frames = frames
    self.states = states
    let written = states.last?.records.map(\.name) ?? []
    names = Array(Set(written + ["nobody"])).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// End of the founding batch.
  package var foundingEnd: Int { frames.first { $0.endsBatch }.map { $0.range.upperBound } ?? 128 }
  /// End of the last whole batch.
  package var end: Int { frames.last.map { $0.range.upperBound } ?? 128 }

  /// The newest state.
  package var newest: SampleState { states[states.count - 1] }

  /// The newest state of which nothing is missing in the first `length` bytes.
  package func state(within length: Int) -> SampleState? { states.last { $0.end <= length } }

  /// The frame that holds a byte.
  package func frame(at place: Int) -> SampleFrame? { frames.first { $0.range.contains(place) } }

  /// The same vault with other bytes behind its last batch.
  package func followed(by tail: [UInt8], named name: String) -> VaultSample {
    VaultSample(name: name, bytes: bytes.prefix(end) + tail, frames: frames, states: states)
  }

  /// The same vault, of which this part is given every value.
  package func attacked(_ thoroughness: Thoroughness) -> VaultSample {
    var copy = self
    copy.thoroughness = thoroughness
    return copy
  }
}

extension SampleFrame {
  /// Takes a file apart by what the frames' headers say of their lengths, up to where no frame begins.
  package static func all(in bytes: [UInt8]) -> [SampleFrame] {
    var frames: [SampleFrame] = []
    var offset = 128
    var batchStart = 128
    while offset + 88 <= bytes.count, Array(bytes[offset..<offset + 4]) == FrameHeader.sync {
      let clear = Int(bytes.number(at: offset + 32, 4))
      let length = 144 + clear + Int(bytes.number(at: offset + 36, 4))
      guard offset + length <= bytes.count else { break }
      let endsBatch = bytes[offset + 7] & 1 == 1
      frames.append(
        SampleFrame(
          offset: offset, length: length, type: bytes[offset + 4], endsBatch: endsBatch, batchStart: batchStart,
          clearLength: clear))
      offset += length
      if endsBatch { batchStart = offset }
    }
    return frames
  }
}

extension [UInt8] {
  /// The big-endian number of `size` bytes at a place.
  package func number(at place: Int, _ size: Int) -> UInt64 {
    self[place..<place + size].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Puts a number there.
  package mutating func setNumber(_ number: UInt64, at place: Int, _ size: Int) {
    for index in 0..<size { self[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * (size - 1 - index))) }
  }
}
