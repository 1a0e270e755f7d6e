internal import VaultCrypto
internal import VaultFormat

extension Pin {
  /// The pin of a file whose last complete batch ends with `end`.
  init(of end: Chain, in generation: Generation) {
    self.init(
      vaultID: generation.header.vaultID, fileID: generation.header.fileID, generation: generation.header.generation,
      sequence: end.sequence, head: end.link)
  }
}

/// What somebody wrote down of a vault's history.
enum HistoryMark {
  case pin(Pin)
  case head(Head)

  /// Whether it is a pin.
  var isPin: Bool { if case .pin = self { true } else { false } }

  /// The word for a person.
  var word: String { isPin ? "pin" : "head" }

  /// Where it is.
  var head: Head {
    switch self {
    case .pin(let pin): Head(pin)
    case .head(let head): head
    }
  }

  /// Whether it is of a vault of this id; a head does not say.
  func isOf(vault id: FixedBytes<16>) -> Bool {
    if case .pin(let pin) = self { pin.vaultID == id } else { true }
  }

  /// Whether it is of the file of this id; a head does not say.
  func isOf(file id: FixedBytes<32>) -> Bool {
    if case .pin(let pin) = self { pin.fileID == id } else { true }
  }
}

extension Opening {
  /// Holds an opened file against a pin (FORMAT.md, "Pin"), or against a head in the same way.
  ///
  /// - Parameter view: what was opened; `nil` without keys.
  /// - Returns: false when nothing can be said: of an earlier generation without keys, or when the history does not reach back
  ///   to that generation.
  /// - Throws: `rollback`.
  static func check(
    _ mark: HistoryMark, _ structure: Structure, _ window: inout FileWindow, _ view: View?
  ) throws(VaultError) -> Bool {
    let (header, head, word) = (structure.generation.header, mark.head, mark.word)
    guard mark.isOf(vault: header.vaultID) else { throw rollback("the \(word) is of another vault") }
    guard head.generation <= header.generation else {
      throw rollback("the \(word) is of generation \(head.generation), the file of generation \(header.generation)")
    }
    if head.generation == header.generation {
      guard mark.isOf(file: header.fileID) else {
        throw rollback("the \(word) is of another file of this generation")
      }
      let end = structure.walk.committed.sequence
      guard head.sequence <= end else {
        throw rollback("the \(word) names frame \(head.sequence), and the file ends with frame \(end)")
      }
      guard try link(at: head.sequence, structure, &window, view?.excuse) == head.link else {
        throw rollback(
          "the history up to frame \(head.sequence) is not the one \(mark.isPin ? "that was pinned" : "of the head")")
      }
      return true
    }
    guard let history = view?.history else { return false }
    guard let ancestor = history.first(where: { $0.generation == head.generation }) else {
      let isForgotten = history.count == Limits.history && history.allSatisfy { $0.generation > head.generation }
      guard isForgotten else { throw rollback("the vault's history does not list generation \(head.generation)") }
      return false
    }
    guard mark.isOf(file: ancestor.fileID), ancestor.lastSequence >= head.sequence,
      ancestor.lastSequence > head.sequence || ancestor.head == head.link
    else {
      throw rollback(
        "generation \(head.generation) ended otherwise than \(mark.isPin ? "was pinned" : "the head says")")
    }
    return true
  }

  /// The link of a frame in a complete batch, computed from the bytes as are all links behind it; `nil` when there is none of
  /// this sequence, or a bad page prevents that.
  private static func link(
    at sequence: UInt64, _ structure: Structure, _ window: inout FileWindow, _ excuse: PageExcuse?
  ) throws(VaultError) -> Link? {
    let end = structure.walk.committed
    guard sequence < end.sequence else { return sequence == end.sequence ? end.link : nil }
    var link: Link?
    // A walk takes only frames whose previous link is the link that it computed.
    let start = Chain(startOf: structure.generation)
    let walk = try Walk(&window, from: start, in: structure.generation, excusing: excuse) { (header) in
      if header.sequence == sequence + 1 { link = header.previousLink }
    }
    // Of a bad page, and of what stands before it, no link but what the next header says is known.
    return walk.badPages.allSatisfy { $0.sequence < sequence } ? link : nil
  }

  private static func rollback(_ sentence: String) -> VaultError {
    VaultError(.rollback, sentence, remedy: "find out who put an older or another file here; nothing was changed")
  }
}
