package import VaultCrypto

/// What a checkpoint keeps of the file's beginning and of the vault's past (FORMAT.md, "Anchor").
///
/// The frame's clear part is a copy of the file header, from which salvage can start when the header itself is lost.
package struct Anchor: Equatable, Sendable {
  /// What is remembered of an earlier generation, 104 bytes.
  package struct Ancestor: Equatable, Sendable {
    package let generation: UInt64
    package let fileID: FixedBytes<32>
    package let lastSequence: UInt64
    package let lastVersion: UInt64
    package let head: Link
    /// Microseconds since 1970.
    package let time: Int64
    package let madeBy: Genesis.Maker

    package init(
      generation: UInt64, fileID: FixedBytes<32>, lastSequence: UInt64, lastVersion: UInt64, head: Link, time: Int64,
      madeBy: Genesis.Maker
    ) {
      self.generation = generation
      self.fileID = fileID
      self.lastSequence = lastSequence
      self.lastVersion = lastVersion
      self.head = head
      self.time = time
      self.madeBy = madeBy
    }
  }

  package let genesis: Genesis
  /// Newest first, at most 64.
  package let history: [Ancestor]

  private static let ancestorLength = 104

  /// - Precondition: at most 64 ancestors.
  package init(genesis: Genesis, history: [Ancestor]) {
    precondition(history.count <= Limits.history)
    self.genesis = genesis
    self.history = history
  }

  /// Reads an anchor frame's plaintext.
  ///
  /// - Throws: `frame-damaged`; `limit-exceeded` for more than 64 ancestors.
  package init(parsing plaintext: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(plaintext, failing: .frameDamaged, in: "anchor")
    let genesisLength = Int(try reader.u32())
    genesis = try Genesis(parsing: reader.take(genesisLength))
    let count = Int(try reader.u32())
    guard count <= Limits.history else {
      throw FormatError(.limitExceeded, "the anchor lists \(count) earlier generations; \(Limits.history) are allowed")
    }
    var history: [Ancestor] = []
    for _ in 0..<count {
      let ancestor = try Ancestor(parsing: &reader)
      if let newer = history.last, newer.generation <= ancestor.generation {
        throw reader.error("its history does not descend")
      }
      history.append(ancestor)
    }
    self.history = history
    try reader.zerosToBlock()
  }

  /// The bytes to be sealed: a multiple of 16.
  package func plaintext() -> [UInt8] {
    let first = genesis.plaintext()
    let length = (8 + first.count + history.count * Self.ancestorLength).rounded(upTo: 16)
    return [UInt8](capacity: length) { (output) in
      output.append(bigEndian: UInt32(first.count))
      output.append(contentsOf: first.span)
      output.append(bigEndian: UInt32(history.count))
      for ancestor in history { ancestor.serialize(into: &output) }
      output.pad(to: length)
    }
  }
}

extension Anchor.Ancestor {
  init(parsing reader: inout ByteReader) throws(FormatError) {
    generation = try reader.u64()
    fileID = try reader.fixed()
    lastSequence = try reader.u64()
    lastVersion = try reader.u64()
    head = try reader.fixed()
    time = try reader.i64()
    let maker = try reader.u8()
    try reader.zeros(7)
    guard let madeBy = Genesis.Maker(rawValue: maker) else { throw reader.error("a maker \(maker) is unknown") }
    self.madeBy = madeBy
    guard (1..<Limits.counter).contains(generation) else { throw reader.error("a generation is out of range") }
    guard lastSequence < Limits.counter, lastVersion < Limits.counter else {
      throw reader.error("a generation's last sequence or version is out of range")
    }
  }

  func serialize(into output: inout OutputSpan<UInt8>) {
    output.append(bigEndian: generation)
    output.append(contentsOf: fileID.span)
    output.append(bigEndian: lastSequence)
    output.append(bigEndian: lastVersion)
    output.append(contentsOf: head.span)
    output.append(bigEndian: time)
    output.append(madeBy.rawValue)
    output.append(repeating: 0, count: 7)
  }
}
