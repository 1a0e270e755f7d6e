internal import VaultCrypto
internal import VaultFormat
internal import VaultLaboratory

/// A vault file taken apart, so that it can be changed in the clear and put together again: places, links, checksums and seals
/// are then made to fit what was changed.
///
/// It reads what no reader would accept, and is written after FORMAT.md alone, with nothing of the codec's.
struct LooseVault {
  /// A frame.
  struct Piece {
    var header: [UInt8]
    var clear: [UInt8]
    /// Salt and iv.
    var nonce: [UInt8]
    /// `authTag | ciphertext`, as it stood.
    var sealed: [UInt8]
    /// `nil`, when it did not open.
    var plaintext: [UInt8]?
    /// What the header says in the end, whatever would be right there.
    var forced: [(place: Int, bytes: [UInt8])] = []
    /// The same of the trailer.
    var forcedTrailer: [(place: Int, bytes: [UInt8])] = []

    var type: FrameType { FrameType(rawValue: header[4]) }
    var endsBatch: Bool { header[7] & 1 == 1 }
    var term: UInt32 { header.span.bigEndian(at: 28) }
  }

  var fileHeader: [UInt8]
  var pieces: [Piece] = []
  /// What stands behind the last frame.
  var tail: [UInt8]
  /// Those of all terms among them; `nil`, when nothing opens.
  private var keys: LooseKeys?

  /// - Parameter key: `nil` to leave everything sealed.
  init?(_ file: [UInt8], key: [UInt8]?) {
    guard file.count >= FileHeader.length else { return nil }
    fileHeader = Array(file.prefix(FileHeader.length))
    var place = FileHeader.length
    while let piece = Self.piece(in: file, at: place) {
      pieces.append(piece)
      place += Frame.overhead + piece.clear.count + piece.sealed.count - 16
    }
    tail = Array(file[place...])
    if let key { openAll(LooseKeys(key, header: file.prefix(FileHeader.length), pieces)) }
  }

  private static func piece(in file: [UInt8], at place: Int) -> Piece? {
    let left = file.count - place
    guard left >= Frame.overhead, Array(file[place..<place + 4]) == FrameHeader.sync else { return nil }
    let clear = Int(file.span.bigEndian(at: place + 32, as: UInt32.self))
    let ciphertext = Int(file.span.bigEndian(at: place + 36, as: UInt32.self))
    guard clear <= 256, Frame.overhead + clear + ciphertext <= left else { return nil }
    var next = place
    func take(_ count: Int) -> [UInt8] {
      defer { next += count }
      return Array(file[next..<next + count])
    }
    return Piece(header: take(FrameHeader.length), clear: take(clear), nonce: take(24), sealed: take(16 + ciphertext))
  }

  private mutating func openAll(_ found: LooseKeys?) {
    guard var keys = found else { return }
    let zeroLink = zeroLink
    for place in pieces.indices {
      let piece = pieces[place]
      pieces[place].plaintext = keys.open(piece, zeroLink)
      if piece.type == .dataKey, let plaintext = pieces[place].plaintext { keys.learn(plaintext) }
    }
    self.keys = keys
  }

  // MARK: Putting together

  var zeroLink: [UInt8] { LooseKeys.sha256(Array("tokenvault/1 link".utf8) + [0] + fileHeader) }

  /// The file, in which everything fits that was not forced to be otherwise.
  ///
  /// - Parameter keepsPlaces: leaves sequences, offsets, positions and links as they are.
  func serialized(keepsPlaces: Bool = false) -> [UInt8] {
    var header = fileHeader
    header.replaceSubrange(124..<128, with: Self.bytes(CRC32(of: header.span.extracting(first: 124)).value))
    var copy = self
    copy.fileHeader = header
    let zeroLink = copy.zeroLink
    var place = Place(link: zeroLink)
    var file = header
    for piece in pieces {
      let frame = frame(
        piece, place: keepsPlaces ? nil : place, zeroLink, batchStart: &place.batchStart, at: file.count)
      place.advance(behind: piece, at: file.count)
      place.link = LooseKeys.sha256(Array("tokenvault/1 link".utf8) + [0] + frame)
      file += frame
    }
    return file + tail
  }

  /// Where the next frame belongs.
  private struct Place {
    var sequence: UInt64 = 1
    var position: UInt32 = 0
    var link: [UInt8]
    var newestRoot: UInt64 = 0
    /// `nil` between batches.
    var batchStart: Int?

    init(link: [UInt8]) { self.link = link }

    mutating func advance(behind piece: Piece, at offset: Int) {
      sequence += 1
      position += 1
      guard piece.endsBatch else { return }
      if piece.type == .indexRoot { newestRoot = UInt64(offset) }
      (position, batchStart) = (0, nil)
    }
  }

  private func frame(
    _ piece: Piece, place: Place?, _ zeroLink: [UInt8], batchStart: inout Int?, at offset: Int
  ) -> [UInt8] {
    let start = batchStart ?? offset
    batchStart = start
    var header = piece.header
    func put(_ bytes: [UInt8], at index: Int) { header.replaceSubrange(index..<index + bytes.count, with: bytes) }
    if let place {
      put(Self.bytes(place.sequence) + Self.bytes(UInt64(offset)) + Self.bytes(place.position), at: 8)
      put(place.link + Self.bytes(place.newestRoot), at: 40)
    }
    put(
      Self.bytes(UInt32(piece.clear.count)) + Self.bytes(UInt32(piece.plaintext?.count ?? piece.sealed.count - 16)),
      at: 32)
    for (index, bytes) in piece.forced { put(bytes, at: index) }
    var checksum = CRC32(of: zeroLink.span)
    checksum.add(header.span.extracting(first: 84))
    put(Self.bytes(checksum.value), at: 84)
    var sealing = piece
    sealing.header = header
    let (clear, sealed) = keys?.seal(sealing, zeroLink) ?? (piece.clear, piece.sealed)
    var frame = header + clear + piece.nonce + sealed
    let total = frame.count + FrameTrailer.length
    var trailer = Self.bytes(UInt32(total)) + Self.bytes(UInt32(offset + total - start))
    trailer += Self.bytes(CRC32(of: frame.span).value) + Self.bytes(~UInt32(total))
    for (index, bytes) in piece.forcedTrailer { trailer.replaceSubrange(index..<index + bytes.count, with: bytes) }
    frame += trailer
    return frame
  }

  static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    [UInt8](capacity: MemoryLayout<Number>.size) { (output) in output.append(bigEndian: number) }
  }
}

/// The keys of a vault that is changed.
struct LooseKeys {
  private let key: [UInt8]
  private let header: [UInt8]
  private let root: [UInt8]
  private var terms: [UInt32: [UInt8]] = [:]

  private var vault: [UInt8] { Array(header[24..<40]) }

  /// `nil`, if the key opens no slot.
  init?(_ key: [UInt8], header: ArraySlice<UInt8>, _ pieces: [LooseVault.Piece]) {
    (self.key, self.header) = (key, Array(header))
    let vault = Array(self.header[24..<40])
    let roots = pieces.lazy.filter { $0.type == .keySlot && $0.clear.count == KeySlot.clearLength }.compactMap {
      (slot) in
      let derived = Self.derive(key, slot, vault)
      let aad = Self.label("tokenvault/1 slot", vault + slot.clear)
      return Self.open(slot, Array(derived.prefix(32)), aad)
    }
    guard let root = roots.first else { return nil }
    self.root = root
  }

  mutating func learn(_ plaintext: [UInt8]) {
    guard plaintext.count >= 48 else { return }
    terms[plaintext.span.bigEndian(at: 0)] = Array(plaintext[16..<48])
  }

  func open(_ piece: LooseVault.Piece, _ zeroLink: [UInt8]) -> [UInt8]? {
    if piece.type == .keySlot { return nil }
    return sealingKey(of: piece).flatMap { Self.open(piece, $0, Self.additionalData(piece, zeroLink)) }
  }

  /// The clear part and `authTag | ciphertext` of a frame under the header that it has now.
  func seal(_ piece: LooseVault.Piece, _ zeroLink: [UInt8]) -> (clear: [UInt8], sealed: [UInt8]) {
    if piece.type == .keySlot, piece.clear.count == KeySlot.clearLength, piece.clear[0] == 1 {
      // What the credential derives to depends on the salt, and the commitment on that.
      var slot = piece
      let derived = Self.derive(key, slot, vault)
      slot.clear.replaceSubrange(48..<80, with: derived.suffix(32))
      let aad = Self.label("tokenvault/1 slot", vault + slot.clear)
      return (slot.clear, Self.seal(root, slot.nonce, Array(derived.prefix(32)), aad) ?? slot.sealed)
    }
    guard let plaintext = piece.plaintext, let key = sealingKey(of: piece) else { return (piece.clear, piece.sealed) }
    return (
      piece.clear, Self.seal(plaintext, piece.nonce, key, Self.additionalData(piece, zeroLink)) ?? piece.sealed
    )
  }

  private func sealingKey(of piece: LooseVault.Piece) -> [UInt8]? {
    switch piece.type {
    case .dataKey, .anchor: Self.hkdf(root, vault, Array("tokenvault/1 wrap".utf8), 32)
    case .genesis: Self.hkdf(root, vault, Self.label("tokenvault/1 genesis", Array(header[40..<72])), 32)
    default: terms[piece.term]
    }
  }

  // MARK: Primitives

  private static func derive(_ key: [UInt8], _ slot: LooseVault.Piece, _ vault: [UInt8]) -> [UInt8] {
    hkdf(key, Array(slot.clear[16..<48]), label("tokenvault/1 slot raw", vault), 64) ?? []
  }

  private static func additionalData(_ piece: LooseVault.Piece, _ zeroLink: [UInt8]) -> [UInt8] {
    var header = Array(piece.header.prefix(84))
    if !piece.endsBatch { header.replaceSubrange(40..<72, with: [UInt8](repeating: 0, count: 32)) }
    return label("tokenvault/1 frame", zeroLink + header + piece.clear)
  }

  private static func label(_ text: String, _ context: [UInt8]) -> [UInt8] { Array(text.utf8) + [0] + context }

  private static func hkdf(_ key: [UInt8], _ salt: [UInt8], _ info: [UInt8], _ count: Int) -> [UInt8]? {
    let derived = try? KeyDerivation.hkdfSHA256(
      keyMaterial: key.span, salt: salt.span, info: info.span, count: count)
    switch consume derived {
    case .some(let derived): return derived.span.array
    case .none: return nil
    }
  }

  private static func open(_ piece: LooseVault.Piece, _ key: [UInt8], _ aad: [UInt8]) -> [UInt8]? {
    guard key.count == 32, var cipher = try? XAES256GCM(key: key.span) else { return nil }
    let nonce = piece.nonce.span
    return try? [UInt8](capacity: piece.sealed.count) { (output) throws(CryptoError) in
      try cipher.open(
        piece.sealed.span.extracting(16..<piece.sealed.count), salt: FixedBytes(nonce.extracting(0..<12)),
        iv: FixedBytes(nonce.extracting(12..<24)), tag: piece.sealed.span.extracting(first: 16),
        authenticating: aad.span, appendingTo: &output)
    }
  }

  private static func seal(_ plaintext: [UInt8], _ nonce: [UInt8], _ key: [UInt8], _ aad: [UInt8]) -> [UInt8]? {
    guard key.count == 32, var cipher = try? XAES256GCM(key: key.span) else { return nil }
    return try? [UInt8](capacity: 16 + plaintext.count) { (output) throws(CryptoError) in
      try cipher.seal(
        plaintext.span, salt: FixedBytes(nonce.span.extracting(0..<12)), iv: FixedBytes(nonce.span.extracting(12..<24)),
        authenticating: aad.span, appendingTo: &output)
    }
  }

  static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    guard let digest = try? SHA256.digest(of: bytes.span) else { return [] }
    return digest.span.array
  }
}
