internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat
internal import VaultLaboratory

/// What readers make of a file that came from anywhere.
struct VaultFindings {
  /// What a verification says, or why there was none.
  struct Verdict: Equatable, CustomStringConvertible {
    var refused: VaultError.Code?
    var damage: [String] = []
    var isDamaged = false
    var frames: UInt64 = 0
    var records: UInt64 = 0
    var batches: UInt64 = 0
    var bytes: UInt64 = 0
    var torn: UInt64 = 0
    var zeros: UInt64 = 0
    var names: Int?
    var head = ""

    var description: String {
      "refused \(refused?.description ?? "no"), damage \(damage), \(frames) frames in \(bytes) bytes, torn \(torn), "
        + "zeros \(zeros), names \(names ?? -1)"
    }

    /// Whether a bad index is all that was found.
    var blamesIndex: Bool { !isDamaged && damage.contains { $0.hasPrefix("index-damaged") } }
  }

  /// What a vault holds that was opened, or why it was not.
  enum Opened: Equatable, CustomStringConvertible {
    case refused(VaultError.Code)
    /// Values by name, as far as they can be read, and how many names there are.
    case contents(Contents, names: Int, lastVersion: UInt64)
    /// Opened, but a record can't be read.
    case unreadable(VaultError.Code)
    /// Opened, but a name has another value when it alone is asked for.
    case contradictory

    var description: String {
      switch self {
      case .refused(let code): "refused: \(code)"
      case .contents(_, let names, let version): "\(names) names, version \(version)"
      case .unreadable(let code): "opened, unreadable: \(code)"
      case .contradictory: "opened, contradictory"
      }
    }
  }

  let bytes: [UInt8]
  private let storage: BytesStorage

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    storage = BytesStorage(bytes)
  }

  /// - Parameter key: 32 bytes; `nil` to verify without one.
  func verdict(key: [UInt8]?) throws(Violation) -> Verdict {
    do {
      let report = try Vault.verify(
        BytesFile(bytes), lockedBy: storage, credential: key.map { try credential($0) }, pin: nil, progress: nil)
      return Verdict(report)
    } catch {
      return Verdict(refused: try Self.code(error))
    }
  }

  func opened(key: [UInt8], readsWhole: Bool) throws(Violation) -> Opened {
    var options = VaultOptions.reading
    options.readsWhole = readsWhole
    let environment = Environment(
      storage: storage, now: { 0 }, makeRandom: { () throws(CryptoError) in AnyRandomSource(SeededRandom(seed: 0)) })
    let vault: Vault
    do {
      vault = try Vault.open(environment, credential: credential(key), options: options)
    } catch {
      return .refused(try Self.code(error))
    }
    do {
      let snapshot = try vault.snapshot()
      let contents = try snapshot.contents()
      for (name, value) in contents where try vault.value(of: name) != value { return .contradictory }
      return .contents(contents, names: snapshot.count, lastVersion: snapshot.lastVersion)
    } catch {
      return .unreadable(try Self.code(error))
    }
  }

  private func credential(_ key: [UInt8]) throws -> Credential {
    guard let credential = Credential(key: try SecretBytes(copying: key.span)) else { throw HelperError.noCredential }
    return credential
  }

  /// An error that bytes may bring about. No file makes a reader write, or fails it as a disk does.
  private static func code(_ error: any Error) throws(Violation) -> VaultError.Code {
    guard let error = error as? VaultError else { throw Violation("an error of another type: \(error)") }
    let known: Set<VaultError.Code> = [
      .wrongKey, .unsupportedVersion, .unsupportedFeature, .limitExceeded, .indexDamaged,
    ]
    try demand(error.code.isDamage || known.contains(error.code), "an error that no file should cause: \(error)")
    return error.code
  }
}

extension VaultFindings.Verdict {
  init(_ report: VerifyReport) {
    damage = report.findings.map { "\($0.code)@\($0.offset ?? 0)" }
    isDamaged = report.isDamaged
    (frames, records, batches) = (report.frames, report.records, report.batches)
    (bytes, torn, zeros) = (report.bytes, report.tornBytes, report.zeroBytes)
    names = report.liveNames
    head = report.head
  }
}
