internal import VaultFormat

extension Pin {
  /// The pin of a file whose last complete batch ends with `end`.
  init(of end: Chain, in generation: Generation) {
    self.init(
      vaultID: generation.header.vaultID, fileID: generation.header.fileID, generation: generation.header.generation,
      sequence: end.sequence, head: end.link)
  }
}

extension Opening {
  /// Holds an opened file against a pin (FORMAT.md, "Pin").
  ///
  /// - Parameter view: what was opened; `nil` without keys.
  /// - Returns: false when nothing can be said: of a pin of an earlier generation without keys, or when the history does not
  ///   reach back to that generation.
  /// - Throws: `rollback`.
  static func check(
    _ pin: Pin, _ structure: Structure, _ window: inout FileWindow, _ view: View?
  ) throws(VaultError) -> Bool {
    let header = structure.generation.header
    guard pin.vaultID == header.vaultID else { throw rollback("the pin is of another vault") }
    guard pin.generation <= header.generation else {
      throw rollback("the pin is of generation \(pin.generation), the file of generation \(header.generation)")
    }
    if pin.generation == header.generation {
      guard pin.fileID == header.fileID else { throw rollback("the pin is of another file of this generation") }
      let end = structure.walk.committed.sequence
      guard pin.sequence <= end else {
        throw rollback("the pin names frame \(pin.sequence), and the file ends with frame \(end)")
      }
      guard try link(at: pin.sequence, structure, &window, view?.excuse) == pin.head else {
        throw rollback("the history up to frame \(pin.sequence) is not the one that was pinned")
      }
      return true
    }
    guard let history = view?.history else { return false }
    guard let ancestor = history.first(where: { $0.generation == pin.generation }) else {
      let isForgotten = history.count == Limits.history && history.allSatisfy { $0.generation > pin.generation }
      guard isForgotten else { throw rollback("the vault's history does not list generation \(pin.generation)") }
      return false
    }
    guard ancestor.fileID == pin.fileID, ancestor.lastSequence >= pin.sequence,
      ancestor.lastSequence > pin.sequence || ancestor.head == pin.head
    else { throw rollback("generation \(pin.generation) ended otherwise than was pinned") }
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
