import Foundation
import JSONText
import Testing
import VaultCrypto
import VaultFormat

@testable import TokenVault

/// Sealed texts of the family, made by Node's crypto module.
@Suite struct LegacyFormTests {
  /// One of them.
  struct Kept {
    let form, secret, sealed, token: String
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "testvectors/legacy").path

  static func kept() throws -> [Kept] {
    let text = try String(contentsOfFile: folder + "/sealed-texts.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map { (line) in
      guard case .object(let members) = try JSONValue(parsing: Array(line.utf8).span) else {
        throw CocoaError(.coderInvalidValue)
      }
      func text(_ name: String) throws -> String {
        guard case .string(let text)? = members.first(where: { $0.0 == name })?.1 else {
          throw CocoaError(.coderInvalidValue)
        }
        return text
      }
      return Kept(
        form: try text("form"), secret: try text("secret"), sealed: try text("sealed"), token: try text("token"))
    }
  }

  private func opener(_ secret: String) throws -> LegacyOpener {
    LegacyOpener(try LegacySecret(SecretBytes(Array(secret.utf8).span)))
  }

  // Defends: what Node sealed opens in each variant: scrypt, both PBKDF2 and none; the secret as utf8, hex and base64; salts of 16,
  // 32 and 64 bytes, ivs of 12 and 16; five orders, hex and base64, the whole in base64 once more. A form's text gives that form.
  @Test func allVariantsOpen() throws {
    let kept = try Self.kept()
    #expect(kept.count == 60)
    #expect(Set(kept.map { $0.form.prefix { $0 != "," } }) == ["gcm-raw", "gcm-scrypt", "gcm-pbkdf2"])
    for text in kept {
      let form = try LegacyForm(parsing: text.form)
      #expect("\(form)" == text.form)
      let opened = try opener(text.secret).open(form.record(text: text.sealed))
      #expect(String(decoding: opened.span.array, as: UTF8.self) == text.token, "\(text.form)")
    }
  }

  // Defends: from some rows alone the profile and all its parameters are found, the same that sealed them.
  @Test(arguments: [0, 2, 5, 8, 16, 20, 25, 31, 40, 47, 50, 59]) func theFormIsFound(_ number: Int) throws {
    let text = try Self.kept()[number]
    let row = JSONValue.object([("user_id", .number("1")), ("refresh_token_encrypted", .string(text.sealed))]).text
    let parts = try RowParts(.bytes(Array("\n{}\nno row\n\(row)\n".utf8)))
    let outcome = try #require(
      try LegacyTrial(.redditAccounts, parts.beginning, opener(text.secret)).search())
    #expect(outcome.opened == 1 && outcome.count == 1)
    let opened = try opener(text.secret).open(outcome.form.record(text: text.sealed))
    #expect(String(decoding: opened.span.array, as: UTF8.self) == text.token)
    // With an unused salt, another part of 16 bytes may be taken for it: all else is told.
    if text.form.hasPrefix("gcm-raw") { return }
    #expect("\(outcome.form)" == text.form)
  }

  // Defends: the kept file is what Node makes today.
  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/node"), "Node is not installed: the kept file serves"))
  func nodeMakesThem() throws {
    let kept = try Data(contentsOf: URL(filePath: Self.folder + "/sealed-texts.jsonl"))
    let node = ChildProgram(["/usr/bin/node", Self.folder + "/make.mjs"], outputLimit: 2 * kept.count)
    let outcome = try node.run(input: Span())
    #expect(outcome.output.span.array == [UInt8](kept))
    let end = outcome.end
    #expect(end == .exited(0))
  }

  // Defends: a form that makes no sense is refused; one that is written short gets what is usual.
  @Test func forms() throws {
    #expect("\(try LegacyForm(parsing: "cbc-raw"))" == "cbc-raw")
    #expect(
      "\(try LegacyForm(parsing: "gcm-scrypt"))"
        == "gcm-scrypt,n=16384,r=8,p=1,secret=utf8,parts=salt:iv:tag:data,text=base64")
    #expect(
      "\(try LegacyForm(parsing: "cbc-pbkdf2,salt=00112233445566778899aabbccddeeff"))"
        == "cbc-pbkdf2,hash=sha256,iterations=100000,secret=utf8,salt=00112233445566778899aabbccddeeff")
    #expect("\(try LegacyForm(parsing: "cbc-pbkdf2,salt=prefix,secret=hex"))".hasSuffix("secret=hex,salt=prefix"))
    for text in [
      "", "aes", "cbc-raw,n=2", "gcm-scrypt,n=3", "gcm-scrypt,n=0", "gcm-scrypt,r=65", "gcm-scrypt,iterations=5",
      "gcm-scrypt,",
      "gcm-scrypt,n", "gcm-pbkdf2,hash=md5", "gcm-pbkdf2,iterations=0", "gcm-pbkdf2,secret=rot13", "gcm-raw,text=utf8",
      "gcm-raw,parts=iv:tag", "gcm-raw,parts=iv:iv:tag:data", "gcm-scrypt,parts=iv:tag:data", "cbc-pbkdf2,salt=00",
      "cbc-raw,parts=salt:iv:tag:data", "gcm-raw,salt=prefix",
    ] {
      #expect(throws: VaultError.self, "\(text)") { try LegacyForm(parsing: text) }
    }
  }

  // Defends: three parts, a tag of 4 bytes, no base64 and a changed byte are errors, and never a token.
  @Test func damagedTexts() throws {
    let text = try Self.kept()[6]
    let form = try LegacyForm(parsing: text.form)
    let parts = text.sealed.split(separator: ":").map { String($0) }
    #expect(parts.count == 4)
    let flipped = parts.last.map { ($0.first == "A" ? "B" : "A") + $0.dropFirst() } ?? ""
    for (sealed, code) in [
      (parts.dropLast().joined(separator: ":"), FormatError.Code.legacyMalformed), ("", .legacyMalformed),
      (parts.joined(separator: ":") + ":AAAA", .legacyMalformed),
      ("!!!:" + parts.dropFirst().joined(separator: ":"), .legacyMalformed),
      (parts.map { _ in "AAAAAA==" }.joined(separator: ":"), .legacyMalformed),
      (parts.dropLast().joined(separator: ":") + ":" + flipped, .legacyUnopened),
    ] {
      let error = #expect(throws: FormatError.self, "\(sealed)") {
        _ = try opener(text.secret).open(form.record(text: sealed))
      }
      #expect(error?.code == code, "\(sealed)")
    }
  }
}
