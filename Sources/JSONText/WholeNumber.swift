extension JSONValue {
  /// The value of a number that is whole and fits, be it written `1790000000`, `1.79e9` or `17900000000.0e-1`.
  ///
  /// Exact: no floating-point type has a part in it.
  package var wholeNumber: Int64? {
    guard case .number(let text) = self else { return nil }
    if let number = Int64(text) { return number }
    let halves = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    let sign = text.hasPrefix("-") ? "-" : ""
    let places = halves[0].dropFirst(sign.count).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = places.count > 1 ? places[1] : ""
    let digits = (places[0] + fraction).drop { $0 == "0" }
    let zeros = digits.reversed().prefix { $0 == "0" }.count
    guard !digits.isEmpty else { return places[0].isEmpty ? nil : 0 }
    // No digits make up for an exponent that is larger than there are digits in the text, or than any integer.
    guard let exponent = halves.count > 1 ? Int(halves[1]) : 0, exponent.magnitude <= UInt(text.utf8.count) + 19 else {
      return nil
    }
    let shift = exponent - fraction.count + zeros
    guard shift >= 0, digits.count - zeros + shift <= 19 else { return nil }
    return Int64(sign + digits.dropLast(zeros) + String(repeating: "0", count: shift))
  }
}
