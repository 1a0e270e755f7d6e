package import VaultEngine
package import VaultFormat

/// What a reader may say of a file, and of nothing else: the laboratory's own understanding of FORMAT.md.
package struct Expectation: Sendable {
  /// What a verification says of the whole file.
  package enum Verdict: Sendable {
    /// Nothing is wrong.
    case whole
    case damaged
    /// Damaged, or no more than an index page: whoever has the key tells.
    case damagedOrIndex
    /// The one or the other: the reader's choice.
    case any
  }

  /// What is served, if the file opens; `nil` where it must not.
  package var state: SampleState?
  /// The codes with which the file may be refused, and must be where there is no state.
  package var refusals: Set<VaultError.Code>
  /// Names whose record may be unreadable, alone, in a file that opens.
  package var unreadable: Set<Name> = []
  /// Whether a reading of every record may fail.
  package var mayMissHistory = false
  package var verdict: Verdict
  /// Whether somebody without a key can be asked at all: who fits checksums and links anew needs none to do so.
  package var isSeenWithoutKey = true
  /// Whether slots may stand in the file that are not the vault's own, or not all of them: whoever makes checksums and links
  /// right can have that. Only of what is whole without a key may a verification say so.
  package var mayHaveOtherSlots = false

  /// Opens, and no reader says otherwise.
  package static func served(_ state: SampleState) -> Self {
    Self(state: state, refusals: [], verdict: .whole)
  }

  /// Must be refused.
  package static func refused(_ codes: Set<VaultError.Code>) -> Self {
    Self(state: nil, refusals: codes, verdict: .damaged)
  }

  /// Whatever is wrong with the bytes behind the header.
  package static let damage: Set<VaultError.Code> = [
    .frameDamaged, .slotDamaged, .chainBroken, .tailDamaged, .commitmentMismatch,
  ]
}

// MARK: Judging

extension Expectation {
  /// What is wrong with how a file was opened and read.
  package func faults(in answer: Result<Found, VaultError>) -> [String] {
    switch answer {
    case .failure(let error):
      let isAllowed = refusals.contains(error.code) || mayHaveOtherSlots && error.code == .wrongKey
      return isAllowed ? [] : ["refused as \(error)"]
    case .success(let found):
      guard let state else { return ["opened, though it is damaged"] }
      return faults(in: found, as: state)
    }
  }

  private func faults(in found: Found, as state: SampleState) -> [String] {
    var faults: [String] = []
    for (name, value) in found.values {
      let mayFail = unreadable.contains(name)
      if !isRight(value, state.contents[name], mayFail: mayFail) {
        faults.append("a name asked for by itself gives \(Self.text(value)), wrongly")
      }
    }
    if !isRight(found.contents, state.contents, mayFail: !unreadable.isEmpty) {
      faults.append("the names with their values are \(Self.text(found.contents)), wrongly")
    }
    if !isRight(found.records, state.records, mayFail: mayMissHistory) {
      faults.append("the records are \(Self.text(found.records)), wrongly")
    }
    if !isRight(found.events, state.events, mayFail: mayMissHistory) {
      faults.append("the events are \(Self.text(found.events)), wrongly")
    }
    if found.lastVersion != state.lastVersion {
      faults.append("the last version is \(found.lastVersion) instead of \(state.lastVersion)")
    }
    return faults
  }

  private func isRight<Value: Equatable>(
    _ result: Result<Value, VaultError>, _ right: Value, mayFail: Bool
  ) -> Bool {
    switch result {
    case .success(let value): value == right
    case .failure(let error): mayFail && Self.damage.contains(error.code)
    }
  }

  /// No value is printed: a count is enough to find the fault.
  private static func text<Value>(_ result: Result<Value, VaultError>) -> String {
    switch result {
    case .success(let value):
      if let list = value as? any Collection { "\(list.count) things" } else { "a value" }
    case .failure(let error): "\(error)"
    }
  }

  /// What is wrong with how a file was verified.
  ///
  /// - Parameter length: of the file.
  package func faults(
    in answer: Result<Verified, VaultError>, ofLength length: Int, withKey: Bool
  ) -> [String] {
    let verified: Verified
    switch answer {
    case .failure(let error):
      return refusals.contains(error.code) && !Self.damage.contains(error.code) ? [] : ["verifying failed: \(error)"]
    case .success(let found): verified = found
    }
    var faults: [String] = []
    for code in verified.findings where !isDeclared(code) { faults.append("a finding \(code)") }
    switch verdict {
    case .any: break
    case .damaged where !withKey && !isSeenWithoutKey: break
    case .damaged: if !verified.isDamaged { faults.append("verified as whole") }
    case .damagedOrIndex: if verified.findings.isEmpty { faults.append("verified as whole") }
    case .whole: faults += wholeFaults(in: verified, length, withKey: withKey)
    }
    return faults
  }

  private func isDeclared(_ code: VaultError.Code) -> Bool {
    Self.damage.contains(code) || code == .indexDamaged || refusals.contains(code)
  }

  private func wholeFaults(in verified: Verified, _ length: Int, withKey: Bool) -> [String] {
    guard let state else { return ["a file that is refused can't be whole"] }
    var faults: [String] = []
    if !verified.findings.isEmpty { faults.append("a finding \(verified.findings[0]) in a whole file") }
    if (verified.end, verified.sequence, verified.rest) != (state.end, state.sequence, length - state.end) {
      faults.append("verified up to byte \(verified.end), frame \(verified.sequence), with \(verified.rest) more bytes")
    }
    if withKey, verified.names != state.contents.count { faults.append("verified with other names") }
    return faults
  }
}

extension VaultReading {
  /// Which of the readers is asked.
  package struct Ways: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Opening with the key, asking for each name, and reading everything.
    package static let open = Ways(rawValue: 1)
    package static let verifyWithoutKey = Ways(rawValue: 2)
    package static let verifyWithKey = Ways(rawValue: 4)
    package static let all: Ways = [.open, .verifyWithoutKey, .verifyWithKey]
  }

  /// Reads a file in the ways asked for.
  ///
  /// - Returns: what is wrong with the answers.
  package func faults(
    in bytes: [UInt8], expecting expected: Expectation, key: UInt8, names: [Name], by ways: Ways = .all
  ) -> [String] {
    var faults: [String] = []
    if ways.contains(.open) {
      faults += expected.faults(in: answer { try open(bytes, key, names) })
    }
    if ways.contains(.verifyWithoutKey) {
      let answer = answer { try verify(bytes, nil) }
      faults += expected.faults(in: answer, ofLength: bytes.count, withKey: false).map { "without a key: \($0)" }
    }
    if ways.contains(.verifyWithKey) {
      let answer = answer { try verify(bytes, key) }
      if case .failure(let error) = answer, error.code == .wrongKey, expected.mayHaveOtherSlots {
        let isDamaged = try? verify(bytes, nil).isDamaged
        return isDamaged == false ? faults : faults + ["verified as a wrong key, though it is damaged"]
      }
      faults += expected.faults(in: answer, ofLength: bytes.count, withKey: true).map { "with the key: \($0)" }
    }
    return faults
  }

  /// Opens a file against a pin.
  ///
  /// - Returns: the code with which it is refused; `nil` if it opens.
  package func code(of bytes: [UInt8], key: UInt8, pin: Pin) -> VaultError.Code? {
    switch answer({ try check(bytes, key, pin) }) {
    case .success: nil
    case .failure(let error): error.code
    }
  }

  /// What no reader may throw is given as an error that nothing allows.
  package func answer<Value>(_ body: () throws -> Value) -> Result<Value, VaultError> {
    do {
      return .success(try body())
    } catch let error as VaultError {
      return .failure(error)
    } catch {
      return .failure(VaultError(.unavailable, "\(error)"))
    }
  }
}
