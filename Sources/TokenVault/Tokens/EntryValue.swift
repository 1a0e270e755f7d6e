internal import VaultCrypto
internal import VaultFormat

/// What is stored beside a token's JSON (FORMAT.md, "Entries"): a value is the JSON alone, or `01`, attributes, JSON.
struct EntryValue: Equatable, Sendable {
  /// A property of an entry that is not part of the token.
  struct Attribute: Equatable, Sendable {
    let id: UInt8
    let bytes: [UInt8]
  }

  /// By ascending id; ids that are not known are kept.
  private(set) var attributes: [Attribute] = []

  init() {}

  /// The bytes of an attribute; `nil` takes it away.
  subscript(id: UInt8) -> [UInt8]? {
    get { attributes.first { $0.id == id }?.bytes }
    set {
      attributes.removeAll { $0.id == id }
      guard let newValue else { return }
      let place = attributes.firstIndex { $0.id > id } ?? attributes.count
      attributes.insert(Attribute(id: id, bytes: newValue), at: place)
    }
  }

  /// Bytes that stand in front of the token's JSON.
  var encodedLength: Int { attributes.isEmpty ? 0 : attributes.reduce(3) { $0 + 3 + $1.bytes.count } }

  /// The stored bytes of an entry with this token.
  ///
  /// - Throws: `crypto-failure` when there is no memory; `value-too-large` when the attributes are over 64 KiB.
  func encoded(with json: Span<UInt8>) throws(VaultError) -> SecretBytes {
    guard !attributes.isEmpty else { return try SecretBytes(json) }
    let length = attributes.reduce(0) { $0 + 3 + $1.bytes.count }
    guard length <= 0xffff else {
      throw VaultError(.valueTooLarge, "what is kept beside the token has \(length) bytes; 65535 is the limit")
    }
    var value = try crypto { () throws(CryptoError) in try SecretBytes(capacity: 3 + length + json.count) }
    value.append([1, UInt8(length >> 8), UInt8(length & 255)].span)
    for attribute in attributes {
      let count = attribute.bytes.count
      value.append([attribute.id, UInt8(count >> 8), UInt8(count & 255)].span)
      value.append(attribute.bytes.span)
    }
    value.append(json)
    return value
  }

  /// Takes a stored value apart.
  ///
  /// - Returns: the attributes, and where the token's JSON begins.
  /// - Throws: `unsupported-feature` for a form that this version does not know; `frame-damaged` for attributes that don't add up.
  static func decode(_ value: Span<UInt8>) throws(VaultError) -> (value: EntryValue, jsonStart: Int) {
    var entry = EntryValue()
    let start = try forEachAttribute(of: value) { (id, place) in
      entry.attributes.append(Attribute(id: id, bytes: value.extracting(place).array))
    }
    return (entry, start)
  }

  /// Gives the id of every attribute of a stored value, and where its bytes stand, to `body`.
  ///
  /// - Returns: where the token's JSON begins.
  /// - Throws: as ``decode(_:)``.
  static func forEachAttribute(
    of value: Span<UInt8>, _ body: (UInt8, Range<Int>) -> Void
  ) throws(VaultError) -> Int {
    guard value.count > 0 else { throw malformed }
    if value[0] == UInt8(ascii: "{") { return 0 }
    guard value[0] == 1 else {
      throw VaultError(
        .unsupportedFeature, "an entry is of form \(value[0]), which this program does not know",
        remedy: "use a newer release of tokenvault")
    }
    guard value.count >= 3 else { throw malformed }
    let end = 3 + (Int(value[1]) << 8 | Int(value[2]))
    guard end > 3, end <= value.count else { throw malformed }
    var place = 3
    var last: UInt8?
    while place < end {
      guard end - place >= 3 else { throw malformed }
      let id = value[place]
      let start = place + 3
      place = start + (Int(value[place + 1]) << 8 | Int(value[place + 2]))
      guard place <= end else { throw malformed }
      if let last, last >= id { throw malformed }
      last = id
      body(id, start..<place)
    }
    return end
  }

  /// The attributes break the rules of FORMAT.md.
  static var malformed: VaultError {
    VaultError(.frameDamaged, "an entry opens, but its attributes don't add up: another program wrote it wrongly")
  }
}
