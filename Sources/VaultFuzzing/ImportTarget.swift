internal import Logging
internal import Metrics
internal import TokenVault
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat
internal import VaultLaboratory

extension FuzzTarget {
  /// Lines of every source that can be imported, into a vault in memory. What was sealed by another program is sealed here, so that
  /// what stands behind the seal comes from the input too. The first byte says what the lines are.
  static let `import` = FuzzTarget("import", longest: 4096, seeds: ImportLines.seeds) { (input) throws(Violation) in
    guard input.count > 1 else { return }
    let lines = ImportLines(input.extracting(2..<input.count).array)
    do {
      switch input[0] % 8 {
      case 0: try lines.check(.jsonl, .none)
      case 1: try lines.check(.sqliteTokens, .none, keepSealed: true)
      case 2: try lines.check(.sqliteTokens, .legacy)
      case 3: try lines.check(.redditAccounts, .legacy)
      case 4: try lines.check(.sealed, .export)
      case 5: try lines.sealedTokens().check(.sqliteTokens, .legacy)
      case 6: try lines.sealedAccounts().check(.redditAccounts, .legacy)
      default: try lines.sealedExport().check(.sealed, .export)
      }
      try lines.checkForm()
    } catch let violation as Violation {
      throw violation
    } catch {
      throw Violation("the import failed: \(error)")
    }
  }
}

/// Lines to be imported.
struct ImportLines {
  enum Key { case none, legacy, export }

  private static let raw = [UInt8](repeating: 0x5a, count: 32)
  private let text: [UInt8]

  init(_ text: [UInt8]) { self.text = text }

  // MARK: What must hold

  /// Every row is stored or accounted for; what was stored can be exported, and imports elsewhere as the same.
  func check(_ source: ImportSource, _ key: Key, keepSealed: Bool = false) throws {
    var options = ImportOptions()
    options.keepSealed = keepSealed
    options.onConflict = text.count % 2 == 0 ? .replace : .skip
    if source == .sqliteTokens { options.form = try LegacyForm(parsing: "cbc-raw") }
    if source == .redditAccounts { options.form = try LegacyForm(parsing: "gcm-raw") }
    let store = try Self.emptyStore()
    guard let report = try Self.imported(text, source, key, options, to: store) else { return }
    let crlf = text.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
    let again = try Self.imported(crlf, source, key, options, to: Self.emptyStore())
    try demand(again == report, "another report with CRLF: \(String(describing: again)) instead of \(report)")
    try checkExport(of: store, isSealed: keepSealed)
  }

  /// - Returns: `nil`, when the key opens nothing.
  private static func imported(
    _ text: [UInt8], _ source: ImportSource, _ key: Key, _ options: ImportOptions, to store: TokenStore
  ) throws -> ImportReport? {
    var rejected = 0
    do {
      let report = try store.importRows(
        source, from: .bytes(text), opening: importKey(key), options: options, rejected: { _ in rejected += 1 })
      let all = report.stored + report.replaced + report.skipped + report.rejected
      try demand(all == report.rows && report.rejected == rejected, "rows are lost: \(report), \(rejected) told of")
      return report
    } catch let error as VaultError where error.code == .wrongKey {
      return nil
    }
  }

  private func checkExport(of store: TokenStore, isSealed: Bool) throws {
    var lines: [UInt8] = []
    let exported = try store.export(as: .sealed, under: Self.exportKey()) { (line) in lines += line.array }
    try demand(exported.leftOut.isEmpty || isSealed, "what was imported can't be exported: \(exported.leftOut)")
    let other = try Self.emptyStore()
    guard let report = try Self.imported(lines, .sealed, .export, ImportOptions(), to: other) else {
      throw Violation("the key of an export does not open it")
    }
    try demand(
      report.stored == exported.exported && report.rejected == 0,
      "\(exported.exported) entries were exported, and of these imported: \(report)")
    try demand(try Self.clear(other) == Self.clear(store, skipping: isSealed), "other entries come back")
  }

  /// Everything in the clear.
  private static func clear(_ store: TokenStore, skipping: Bool = false) throws -> [UInt8] {
    var lines: [UInt8] = []
    try store.export(as: .jsonl) { (line) in lines += line.array }
    return lines
  }

  /// A form is written as it is read.
  func checkForm() throws {
    let text = String(decoding: text, as: UTF8.self)
    guard let form = try? LegacyForm(parsing: text) else { return }
    try demand(try LegacyForm(parsing: form.description) == form, "a form is another when it is written")
  }

  // MARK: Sealing

  /// One row, whose token is the first line; the other lines are more of its members, with a comma before each.
  func sealedTokens() throws -> ImportLines {
    let (first, rest) = halves
    let iv = [UInt8](repeating: 1, count: 16)
    let sealed = try AES256CBC.seal(first.span, key: Self.raw.span, iv: iv.span)
    return ImportLines(
      row("\"user_id\":\"u\",\"encrypted_data\":\"\(sealed.span.hex)\",\"iv\":\"\(iv.span.hex)\"", rest))
  }

  /// The same of an account.
  func sealedAccounts() throws -> ImportLines {
    let (first, rest) = halves
    let iv = [UInt8](repeating: 1, count: 12)
    let sealed = try AES256GCM.seal(first.span, key: Self.raw.span, iv: iv.span, authenticating: Span())
    let parts = [iv, Array(sealed.prefix(16)), Array(sealed.dropFirst(16))].map {
      String(decoding: TextEncoding.base64.encode($0.span), as: UTF8.self)
    }
    return ImportLines(
      row(
        "\"user_id\":\"u\",\"reddit_id\":\"t2_a\",\"refresh_token_encrypted\":\"\(parts.joined(separator: ":"))\"", rest
      ))
  }

  /// One line of an export, whose value is the text.
  func sealedExport() throws -> ImportLines {
    var cipher = try XAES256GCM(key: Self.raw.span)
    let name: [UInt8] = [UInt8(ascii: "u")]
    let sealed = try SealedText(
      sealing: text.span, for: name.span, with: &cipher, salt: FixedBytes(), iv: FixedBytes())
    return ImportLines(
      row("\"user_id\":\"u\",\"sealed\":\"\(String(decoding: sealed.serialized(), as: UTF8.self))\"", []))
  }

  private var halves: (first: [UInt8], rest: [UInt8]) {
    let end = text.firstIndex(of: UInt8(ascii: "\n")) ?? text.count
    return (Array(text[..<end]), Array(text[end...].dropFirst()))
  }

  private func row(_ members: String, _ rest: [UInt8]) -> [UInt8] {
    Array("{\(members)".utf8) + (rest.isEmpty ? [] : [UInt8(ascii: ",")] + rest) + Array("}".utf8)
  }

  // MARK: Parts

  /// Made once; each store has a disk of its own.
  private static let image = Result {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).close()
    return disk.cache
  }

  private static func emptyStore() throws -> TokenStore {
    let vault = try Vault.open(.simulated(SimulatedDisk(image.get()), seed: 2), credential: key())
    return TokenStore(
      vault, logger: Logger(label: "fuzzing"), metrics: NOOPMetricsHandler.instance, now: { 1_700_000_000_000_000 })
  }

  private static func exportKey() throws -> ExportKey { try ExportKey(SecretBytes(copying: raw.span)) }

  private static func importKey(_ key: Key) throws -> ImportKey {
    switch key {
    case .none: return .none
    case .legacy: return .legacy(try LegacySecret(SecretBytes(copying: raw.span)))
    case .export: return .export(try exportKey())
    }
  }

  static let seeds: @Sendable (String) -> [[UInt8]] = { _ in
    let token =
      "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_at\":1790000000,\"scope\":\"a b\",\"token_type\":\"bearer\"}"
    let texts: [(UInt8, String)] = [
      (
        0,
        "{\"user_id\":\"alice\",\"access_token\":\"a\"}\n\n{\"user_id\":\"bob\",\"provider\":\"p\",\"ttl\":\"30d\",\"token\":\(token)}\n"
      ),
      (
        0, "{\"user_id_hex\":\"ff00\",\"provider_hex\":\"61\",\"access_token\":\"a\"}\r\n[1]\n{\"user_id\":\"\\ud800\"}"
      ),
      (
        1,
        "{\"user_id\":1,\"encrypted_data\":\"00112233445566778899aabbccddeeff\",\"iv\":\"X'000102030405060708090a0b0c0d0e0f'\"}"
      ),
      (
        2,
        "{\"user_id\":\"u\",\"encrypted_data\":\"\\\\x00\",\"iv\":\"AAECAwQFBgcICQoLDA0ODw==\",\"salt\":\"0011223344556677\"}"
      ),
      (3, "{\"user_id\":\"u\",\"reddit_id\":\"t2_a\",\"refresh_token_encrypted\":\"YTpiOmM=\",\"revoked_at\":1}"),
      (4, "{\"user_id\":\"u\",\"sealed\":\"AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAA==:\"}"),
      (5, "\(token)\n\"created_at\":1700000000.5,\"updated_at\":\"2024-01-31 12:34:56.123456+05:30\""),
      (
        6,
        "refresh-token\n\"scopes\":\"{a,\\\"b c\\\",NULL}\",\"expires_at\":\"infinity\",\"linked_at\":\"2024-02-29T00:00:00Z\","
          + "\"last_rotated_at\":1.7e9,\"last_used_at\":\"0044-03-15 BC\",\"access_token_hash\":\"\(String(repeating: "a", count: 64))\""
      ),
      (6, "r\n\"scopes\":[\"a\"],\"revoked_at\":\"2024-01-31\",\"reddit_username\":\"name\""),
      (7, token), (7, "\u{1}\u{0}\u{b}\u{1}\u{0}\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}\(token)"),
      (0, "gcm-scrypt,n=16384,r=8,p=1,secret=hex,parts=iv:salt:tag:data,text=hex"),
      (0, "cbc-pbkdf2,hash=sha512,iterations=1000,secret=base64,salt=prefix"), (0, "gcm-pbkdf2,salt=0011223344556677"),
    ]
    return texts.map { (kind, text) in [kind, 0] + Array(text.utf8) }
  }
}
