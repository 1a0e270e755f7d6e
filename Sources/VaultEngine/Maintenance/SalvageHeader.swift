internal import VaultFormat

/// Finds out what the frames of a damaged file are bound to (FORMAT.md, "Salvage").
enum SalvageHeader {
  /// The generation that the file's frames belong to: by the file header, or by an anchor's copy of it.
  ///
  /// - Throws: `header-damaged` when neither is left; `unsupported-version`, `unsupported-feature`; `io`.
  static func generation(_ window: inout FileWindow) throws(VaultError) -> (generation: Generation, isLost: Bool) {
    do throws(VaultError) {
      return (try window.generation(), false)
    } catch {
      guard error.code == .headerDamaged else { throw error }
      guard let found = try generationOfAnchors(&window) else {
        throw VaultError(
          .headerDamaged, "the file header is damaged, and there is no anchor whose copy could stand for it",
          remedy: "nothing can be opened without it; restore a backup")
      }
      return (found, true)
    }
  }

  /// What most anchors say, of those whose own checksum fits under what they say.
  private static func generationOfAnchors(_ window: inout FileWindow) throws(VaultError) -> Generation? {
    var found: [(generation: Generation, count: Int)] = []
    for offset in stride(from: UInt64(0), to: window.length, by: 16) {
      guard let generation = try generation(ofAnchorAt: offset, &window) else { continue }
      if let known = found.firstIndex(where: { $0.generation.header == generation.header }) {
        found[known].count += 1
      } else {
        found.append((generation, 1))
      }
    }
    return found.max { $0.count < $1.count }?.generation
  }

  private static func generation(
    ofAnchorAt offset: UInt64, _ window: inout FileWindow
  ) throws(VaultError) -> Generation? {
    let length = FrameHeader.length + FileHeader.length
    try window.load(at: offset, count: length)
    let bytes = window.bytes(at: offset, count: length)
    guard bytes.count == length, bytes[0] == FrameHeader.sync[0], bytes[1] == FrameHeader.sync[1],
      bytes[4] == FrameType.anchor.rawValue
    else { return nil }
    do {
      let header = try FileHeader(parsing: bytes.extracting(FrameHeader.length..<length))
      let generation = try Generation(header: header)
      return FrameHeader.valid(in: bytes, at: offset, of: generation) == nil ? nil : generation
    } catch {
      guard error.code != .cryptoFailure else { throw VaultError(error) }
      return nil
    }
  }
}
