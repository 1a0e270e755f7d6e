public import VaultCrypto
public import VaultEngine
internal import VaultFormat

/// A text with places for secrets: `{{tv://USER/FIELD}}`, with blanks inside the braces or without (``TokenReference``).
///
/// Anything else in double braces is text like all the rest.
public struct SecretTemplate: Sendable {
  /// A place for a secret.
  public struct Place: Sendable {
    /// Where it stands in the text, braces included.
    public let range: Range<Int>
    /// What belongs there.
    public let reference: TokenReference
    /// The line that it stands on, from 1.
    public let line: Int
  }

  /// The places, in the order of the text.
  public let places: [Place]

  /// Finds the places in `text`.
  ///
  /// - Throws: `usage`, `invalid-name` with its line, for a place that is not closed on its line or holds no reference.
  public init(parsing text: Span<UInt8>) throws(VaultError) {
    var places: [Place] = []
    var line = 1
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "\n") { line += 1 }
      guard let start = Self.reference(in: text, at: index) else {
        index += 1
        continue
      }
      do throws(VaultError) {
        let (reference, end) = try Self.parsed(text, from: start)
        places.append(Place(range: index..<end, reference: reference, line: line))
        index = end
      } catch {
        throw Self.on(line, error)
      }
    }
    self.places = places
  }

  /// Where the reference of a place that begins at `index` begins; `nil` when none does.
  private static func reference(in text: Span<UInt8>, at index: Int) -> Int? {
    guard text.has("{{", at: index) else { return nil }
    let start = text.endOfBlanks(from: index + 2)
    return text.has(TokenReference.prefix, at: start) ? start : nil
  }

  private static func parsed(_ text: Span<UInt8>, from start: Int) throws(VaultError) -> (TokenReference, Int) {
    var end = start
    while end < text.count, text[end] > 0x20, text[end] != UInt8(ascii: "}") { end += 1 }
    let close = text.endOfBlanks(from: end)
    guard text.has("}}", at: close) else {
      throw VaultError(
        .usage, "a reference to a token is not closed by }}",
        remedy: "write {{tv://USER/FIELD}}; blanks and braces within are written as %20, %7B and %7D")
    }
    guard let reference = String(validating: text.extracting(start..<end).array, as: UTF8.self) else {
      throw VaultError(.usage, "a reference to a token is not UTF-8", remedy: "write other bytes as % and two digits")
    }
    return (try TokenReference(parsing: reference), close + 2)
  }

  private static func on(_ line: Int, _ error: VaultError) -> VaultError {
    VaultError(error.code, "line \(line): \(error.sentence)", remedy: error.remedy)
  }

  /// `text`, in which the places were found, with the secrets in them; as they are, with nothing quoted.
  ///
  /// - Throws: `not-found`, with the line, for a token or a member that is not there; otherwise as ``TokenStore/token(for:by:)``.
  public func filled(
    _ text: Span<UInt8>, from store: TokenStore, by context: AuditContext = .none
  ) throws(VaultError) -> SecretBytes {
    var result = try crypto { () throws(CryptoError) in try SecretBytes(capacity: text.count) }
    var end = 0
    for place in places {
      try Self.append(text.extracting(end..<place.range.lowerBound), to: &result)
      do throws(VaultError) {
        let secret = try store.token(at: place.reference, by: context).secret()
        try Self.append(secret.span, to: &result)
      } catch {
        throw Self.on(place.line, error)
      }
      end = place.range.upperBound
    }
    try Self.append(text.extracting(end..<text.count), to: &result)
    return result
  }

  private static func append(_ bytes: Span<UInt8>, to result: inout SecretBytes) throws(VaultError) {
    do throws(CryptoError) {
      try result.reserve(result.count + bytes.count)
    } catch {
      throw VaultError(error)
    }
    result.append(bytes)
  }
}

extension Span<UInt8> {
  fileprivate func has(_ text: String, at index: Int) -> Bool {
    guard index + text.utf8.count <= count else { return false }
    var place = index
    for byte in text.utf8 {
      guard self[place] == byte else { return false }
      place += 1
    }
    return true
  }

  fileprivate func endOfBlanks(from index: Int) -> Int {
    var index = index
    while index < count, self[index] == 0x20 || self[index] == 0x09 { index += 1 }
    return index
  }
}
