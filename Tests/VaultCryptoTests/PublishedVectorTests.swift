import Testing

@testable import VaultVectors

/// What is known of each published file.
private struct Expected: Sendable, CustomTestStringConvertible {
  let name: String
  let kind: String
  let counts: FileReport.Counts

  init(_ name: String, _ kind: String, _ passed: Int, notApplicable: Int = 0, leftOut: Int = 0) {
    self.name = name
    self.kind = kind
    counts = .init(passed: passed, notApplicable: notApplicable, leftOut: leftOut)
  }

  var testDescription: String { name }

  static let all = [
    Expected("nist/CBCGFSbox256.rsp", "NIST CBC", 10),
    Expected("nist/CBCKeySbox256.rsp", "NIST CBC", 32),
    Expected("nist/CBCVarKey256.rsp", "NIST CBC", 512),
    Expected("nist/CBCVarTxt256.rsp", "NIST CBC", 256),
    Expected("nist/CBCMMT256.rsp", "NIST CBC", 20),
    Expected("nist/CBCMCT256.rsp", "NIST CBC Monte Carlo", 200),
    Expected("nist/gcmEncryptExtIV256.rsp", "NIST GCM", 5250),
    Expected("nist/gcmDecrypt256.rsp", "NIST GCM", 5250),
    // The keys of 128 and 192 bits: 211 cases. Of AES-256, tcId 276 has an IV that OpenSSL does not take.
    Expected("wycheproof/aes_gcm_test.json", "Wycheproof AES-GCM", 104, notApplicable: 212),
    Expected("wycheproof/hkdf_sha256_test.json", "Wycheproof HKDF-SHA-256", 86),
    Expected("rfc/rfc-5869-HKDF-SHA256.txt", "HKDF", 3),
    Expected("rfc/hkdf-generated.txt", "HKDF", 1),
    Expected("rfc/scrypt.txt", "scrypt", 4),
    Expected("rfc/scrypt-golang.txt", "scrypt", 9),
    Expected("rfc/pbkdf2-hmac-sha256.txt", "PBKDF2", 9),
    Expected("xaes-256-gcm.json", "XAES-256-GCM", 3, leftOut: 1),
  ]
}

@Suite("Published vectors")
struct PublishedVectorTests {
  // Defends the claim that VaultCrypto agrees with NIST, the RFCs, Wycheproof and C2SP, case by case.
  @Test(arguments: Expected.all)
  private func everyCaseAgrees(_ expected: Expected) throws {
    let report = VectorRun.verify(try Published.load(expected.name))
    #expect(report.kind == expected.kind)
    #expect(report.counts == expected.counts)
    #expect(report.failures == [])
  }

  // Defends that no file lies in the folder which the list above leaves untested.
  @Test func everyPublishedFileIsListed() throws {
    let folder = Published.path("")
    let names = try VectorFolder.files(at: folder).map { String($0.dropFirst(folder.count)) }
    #expect(names == Expected.all.map(\.name).sorted())
  }

  // Defends the one case of AES-256 that does not run: it is named, with its reason.
  @Test func theLongIVIsNamed() throws {
    let report = VectorRun.verify(try Published.load("wycheproof/aes_gcm_test.json"))
    let reasons = report.notApplicable.filter { !$0.sentence.hasPrefix("a key of") }
    #expect(reasons == [.init(id: "tcId 276", sentence: "an IV of 2056 bits")])
  }

  // Defends the share of GCM cases that demand a refusal: a reader that dropped FAIL would shift it.
  @Test func refusalsAreDemanded() throws {
    let file = try Published.load("nist/gcmDecrypt256.rsp")
    let refusals = file.cases.count { ($0.check as? AEADCheck)?.validity == .invalid }
    #expect(refusals == 2586)
  }

  // Defends the long accumulated test: left out by default, named, and not among the cases.
  @Test func theMillionRoundsAreLeftOut() throws {
    let report = VectorRun.verify(try Published.load("xaes-256-gcm.json"))
    #expect(report.leftOut == [.init(id: "accumulated 1000000", sentence: "run on request alone")])
    #expect(report.cases == 3)
  }
}
