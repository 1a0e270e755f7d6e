internal import VaultCrypto

/// How a legacy record is written as text: four parts joined by colons, in some order and encoding.
package struct LegacyText: Equatable, Sendable {
  /// A part of a sealed record.
  package enum Part: Sendable { case salt, iv, authTag, ciphertext }

  /// The order of the parts; each once. Records without a salt may leave it out, and CBC records the tag.
  package var order: [Part]
  /// Hexadecimal or base64.
  package var encoding: TextEncoding

  /// What most of the family writes: `salt:iv:authTag:ciphertext` in base64.
  package static let common = LegacyText(order: [.salt, .iv, .authTag, .ciphertext], encoding: .base64)

  package init(order: [Part], encoding: TextEncoding) {
    self.order = order
    self.encoding = encoding
  }

  /// Takes a text apart.
  ///
  /// - Throws: `legacy-malformed` for another number of parts, or a part that is not in the encoding.
  package func parse(_ text: Span<UInt8>, _ profile: LegacyProfile) throws(FormatError) -> LegacyRecord {
    let parts = try parts(of: text)
    return try LegacyRecord(
      profile, salt: parts[.salt] ?? [], iv: parts[.iv] ?? [], authTag: parts[.authTag] ?? [],
      ciphertext: parts[.ciphertext] ?? [])
  }

  /// The decoded parts of a text.
  ///
  /// - Throws: as ``parse(_:_:)``.
  package func parts(of text: Span<UInt8>) throws(FormatError) -> [Part: [UInt8]] {
    var parts: [Part: [UInt8]] = [:]
    var start = 0
    var count = 0
    for index in 0...text.count where index == text.count || text[index] == UInt8(ascii: ":") {
      if count < order.count { parts[order[count]] = try decode(text.extracting(start..<index)) }
      count += 1
      start = index + 1
    }
    guard count == order.count else {
      throw FormatError(.legacyMalformed, "the legacy record has \(count) parts instead of \(order.count)")
    }
    return parts
  }

  private func decode(_ text: Span<UInt8>) throws(FormatError) -> [UInt8] {
    guard let decoded = try encoding.decode(text) else {
      throw FormatError(.legacyMalformed, "a part of the legacy record is not written in the profile's encoding")
    }
    return decoded.span.array
  }

  /// The text of `record`, as UTF-8.
  package func serialize(_ record: LegacyRecord) -> [UInt8] {
    Array(
      order.map { (part) in
        switch part {
        case .salt: encoding.encode(record.salt.span)
        case .iv: encoding.encode(record.iv.span)
        case .authTag: encoding.encode(record.authTag.span)
        case .ciphertext: encoding.encode(record.ciphertext.span)
        }
      }.joined(separator: [UInt8(ascii: ":")]))
  }
}
