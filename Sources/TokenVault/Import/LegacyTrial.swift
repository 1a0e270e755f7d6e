internal import JSONText
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// The first rows of an import, on which it is tried how they were sealed.
///
/// A form counts by the rows that it opens: those of GCM have a tag, and what a record of CBC gives must be a token's JSON.
struct LegacyTrial {
  /// What a row holds that was sealed.
  private enum Sample {
    case text(String)
    case columns(data: [UInt8], iv: [UInt8], salt: [UInt8]?)
  }

  /// How a form did.
  struct Outcome {
    let form: LegacyForm
    let opened: Int
    let count: Int
  }

  /// Rows that are tried, and rows for which the whole family is gone through.
  private static let (limit, searches) = (10, 3)

  private let samples: [Sample]
  private let opener: LegacyOpener

  /// - Parameter lines: of the beginning; rows that can't be taken apart, or have nothing sealed in them, are passed over.
  init(_ source: ImportSource, _ lines: Lines?, _ opener: LegacyOpener) {
    self.opener = opener
    var samples: [Sample] = []
    for index in 0..<(lines?.ranges.count ?? 0) where samples.count < Self.limit {
      let sample = lines?.withLine(index) { (line) in Self.sample(source, line) }
      if let sample = sample ?? nil { samples.append(sample) }
    }
    self.samples = samples
  }

  private static func sample(_ source: ImportSource, _ line: Span<UInt8>) -> Sample? {
    guard let row = try? RowMembers(parsing: line) else { return nil }
    if source == .redditAccounts {
      guard row["revoked_at"] == nil, let text = try? row.text("refresh_token_encrypted") else { return nil }
      return .text(text)
    }
    guard let data = try? row.bytes("encrypted_data"), let iv = try? row.bytes("iv"),
      let salt = try? row.bytes("salt") as [UInt8]??
    else { return nil }
    return .columns(data: data, iv: iv, salt: salt)
  }

  /// Tries one form.
  ///
  /// - Throws: `wrong-key` when it opens none of the rows.
  func outcome(of form: LegacyForm) throws(VaultError) -> Outcome {
    let opened = samples.count { opens($0, form) }
    guard opened > 0 || samples.isEmpty else {
      throw VaultError(
        .wrongKey,
        "none of the first \(Self.rows(samples.count)) opens with that key and profile; nothing was imported",
        remedy:
          "see that the key is theirs; with --profile auto the whole family is tried, and otherwise its parameters\n"
          + LegacyForm.parameters)
    }
    return Outcome(form: form, opened: opened, count: samples.count)
  }

  /// Tries the family, the cheapest first.
  ///
  /// - Returns: the form that opens most of the rows; `nil` when there was nothing to try it on.
  /// - Throws: `wrong-key` when no form opens any.
  func search() throws(VaultError) -> Outcome? {
    guard !samples.isEmpty else { return nil }
    var best: Outcome?
    for sample in samples.prefix(Self.searches) {
      if let best, opens(sample, best.form) { continue }
      guard let form = Self.candidates(for: sample).first(where: { opens(sample, $0) }) else { continue }
      let outcome = Outcome(form: form, opened: samples.count { opens($0, form) }, count: samples.count)
      if outcome.opened == outcome.count { return outcome }
      if outcome.opened > best?.opened ?? 0 { best = outcome }
    }
    guard let best else {
      throw VaultError(
        .wrongKey,
        "no profile opens any of the first \(Self.rows(min(samples.count, Self.searches))) with that key; "
          + "nothing was imported",
        remedy: "see that the key is theirs; parameters that are not usual stand behind the profile's name:\n"
          + LegacyForm.parameters)
    }
    return best
  }

  private static func rows(_ count: Int) -> String { count == 1 ? "1 row" : "\(count) rows" }

  private func opens(_ sample: Sample, _ form: LegacyForm) -> Bool {
    switch sample {
    case .text(let text):
      guard form.profile.isAuthenticated, let record = try? form.record(text: text) else { return false }
      return (try? opener.open(record).count) ?? 0 > 0
    case .columns(let data, let iv, let salt):
      guard !form.profile.isAuthenticated, let record = try? form.record(data: data, iv: iv, salt: salt) else {
        return false
      }
      return (try? TokenRows.token(record, opener)) != nil
    }
  }

  // MARK: The family

  private static let pbkdf2 = [KeyDerivation.PBKDF2Hash.sha256, .sha512].flatMap { (hash) in
    TextEncoding.all.map { LegacyProfile.PBKDF2(hash, iterations: 100_000, secret: $0) }
  }

  private static let scrypt = TextEncoding.all.map { LegacyProfile.Scrypt(logN: 14, r: 8, p: 1, secret: $0) }

  private static func candidates(for sample: Sample) -> [LegacyForm] {
    switch sample {
    case .columns:
      return [LegacyForm(.cbcRaw)]
        + [LegacyForm.Salt.member, .prefix].flatMap { (salt) in
          pbkdf2.map { LegacyForm(.cbcPBKDF2($0), salt: salt) }
        }
    case .text(let text):
      let profiles = [.gcmRaw] + pbkdf2.map { .gcmPBKDF2($0) } + scrypt.map { LegacyProfile.gcmScrypt($0) }
      return profiles.flatMap { (profile) in
        layouts.map { LegacyForm(profile, text: $0) }.filter {
          // Most orders are ruled out by the lengths of the parts alone, before anything is derived.
          ($0.text.order.contains(.salt) || !profile.derivesKey) && (try? $0.record(text: text)) != nil
        }
      }
    }
  }

  /// Every way to write the parts down, the most common first.
  private static let layouts = [TextEncoding.base64, .hex].flatMap { (encoding) in
    (LegacyText.orders(of: [.salt, .iv, .authTag, .ciphertext]) + LegacyText.orders(of: [.iv, .authTag, .ciphertext]))
      .map { LegacyText(order: $0, encoding: encoding) }
  }
}
