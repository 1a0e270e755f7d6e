internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// What a line becomes.
struct ImportRow: Sendable {
  /// What is stored under the id.
  enum Content: Sendable {
    /// A token, in the clear.
    case token(OAuthToken)
    /// A record as another program sealed it, in binary form.
    case sealed([UInt8])
  }

  let id: TokenID
  let content: Content
  /// What stands beside the token.
  var value = EntryValue()
  /// Whether the row tells all of an account, so that nothing of an earlier entry stays.
  var isWhole = false
  /// For how long the entry is there, from the moment that it is stored.
  var ttl: Duration?
  /// What is known of an access token that is out of use.
  var superseded: TokenDigest?
  /// When it was changed last where it comes from, in microseconds since 1970.
  var changed: Int64?
  /// When it was made there and changed, where the entry can't hold that.
  var times: (created: Int64?, updated: Int64?)?

  init(_ id: TokenID, _ content: Content) { (self.id, self.content) = (id, content) }

  /// Bytes of what is stored.
  var byteCount: Int {
    switch content {
    case .token(let token): token.withJSON { $0.count }
    case .sealed(let record): record.count
    }
  }
}

/// How a line is read; on any number of threads.
protocol RowForm: Sendable {
  /// - Throws: why the line can't be taken over.
  func row(_ line: Span<UInt8>) throws(LineFault) -> ImportRow
}

/// Tokens in the clear.
struct ClearRows: RowForm {
  let form: TokenLine

  func row(_ line: Span<UInt8>) throws(LineFault) -> ImportRow {
    let new = try form.parse(line)
    var row = ImportRow(new.id, .token(new.token))
    row.ttl = new.ttl
    return row
  }
}

/// Rows of the table `tokens`.
struct TokenRows: RowForm {
  let provider: [UInt8]
  let form: LegacyForm
  /// `nil` to leave them sealed.
  let opener: LegacyOpener?

  func row(_ line: Span<UInt8>) throws(LineFault) -> ImportRow {
    let members = try RowMembers(parsing: line)
    let user = try RowMembers.needed("user_id", members.key("user_id"))
    let id = try RowMembers.id(Array(user.utf8), provider: provider)
    let times = (created: try members.time("created_at"), updated: try members.time("updated_at"))
    let record = try Self.record(members, form)
    guard let opener else {
      var row = ImportRow(id, .sealed(record.serialized()))
      (row.times, row.changed) = (times, times.updated)
      return row
    }
    var row = ImportRow(id, .token(try Self.token(record, opener)))
    (row.value.linked, row.value.updated) = times
    row.changed = times.updated
    return row
  }

  static func record(_ members: RowMembers, _ form: LegacyForm) throws(LineFault) -> LegacyRecord {
    let data = try RowMembers.needed("encrypted_data", members.bytes("encrypted_data"))
    let iv = try RowMembers.needed("iv", members.bytes("iv"))
    let salt = try members.bytes("salt")
    do {
      return try form.record(data: data, iv: iv, salt: salt)
    } catch {
      throw LineFault(error)
    }
  }

  static func token(_ record: LegacyRecord, _ opener: LegacyOpener) throws(LineFault) -> OAuthToken {
    let plaintext: SecretBytes
    do {
      plaintext = try opener.open(record)
    } catch {
      throw LineFault(error)
    }
    do throws(VaultError) {
      let token = try OAuthToken(json: plaintext.span)
      try token.checkIsNoErrorAnswer()
      return token
    } catch {
      // What is wrong with the bytes that came out would tell of them, and without a tag they may be anything.
      guard error.code == .invalidToken else { throw LineFault(error) }
      throw LineFault("invalid-token", "the record opens, but what it holds is not a token's JSON")
    }
  }
}

/// Lines of an export under a key given for the purpose.
struct SealedRows: RowForm {
  let provider: String
  let key: ExportKey

  /// Sees that the key opens one of the first ten lines at least, if there are any that are sealed.
  ///
  /// - Throws: `wrong-key`.
  func checkKey(_ beginning: Lines?) throws(VaultError) {
    var failed = 0
    for index in 0..<(beginning?.ranges.count ?? 0) where failed < 10 {
      let code = beginning?.withLine(index) { (line) -> String? in
        do throws(LineFault) {
          _ = try row(line)
          return "opened"
        } catch {
          return error.code
        }
      }
      if code == "opened" { return }
      if code == "legacy-unopened" { failed += 1 }
    }
    guard failed == 0 else {
      throw VaultError(
        .wrongKey, "none of the first lines opens with that key; nothing was imported",
        remedy: "see that it is the key of the export")
    }
  }

  func row(_ line: Span<UInt8>) throws(LineFault) -> ImportRow {
    let members = try RowMembers(parsing: line)
    let id = try members.name(provider: provider).id
    let text = Array(try RowMembers.needed("sealed", members.text("sealed")).utf8)
    do {
      let sealed = try SealedText(parsing: text.span)
      var cipher = try key.cipher()
      let plaintext = try sealed.open(for: id.recordName.span, with: &cipher)
      let (value, start) = try EntryValue.decode(plaintext.span)
      let token = try OAuthToken(json: plaintext.span.extracting(start..<plaintext.count))
      var row = ImportRow(id, .token(token))
      (row.value, row.changed, row.isWhole) = (value, value.updated, true)
      return row
    } catch let error as FormatError {
      throw LineFault(error)
    } catch let error as VaultError {
      throw LineFault(error)
    } catch {
      throw LineFault("crypto-failure", "the row can't be opened")
    }
  }
}
