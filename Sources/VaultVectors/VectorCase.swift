/// One case of a vector file: what it is called there, and what to check.
package struct VectorCase: Sendable {
  /// Names the case within its file: `tcId 276`, `line 120, COUNT 3`.
  package let id: String
  /// What running the case does.
  package let check: any Check
}

/// Something to be checked against an implementation. A value holds all of its inputs and expected outputs.
package protocol Check: Sendable {
  /// Runs the case. It does not throw: whatever an implementation does has an outcome.
  func run(with primitives: Primitives) -> Outcome

  /// True for a case that takes so long that it is run on request alone.
  var isLong: Bool { get }
}

extension Check {
  /// False: only a few checks take long.
  package var isLong: Bool { false }
}

/// What became of a case.
package enum Outcome: Sendable, Equatable {
  /// Everything that the case demands was seen.
  case passed
  /// Something else was seen; one sentence says what.
  case failed(String)
  /// The implementation does not take cases of this sort; one phrase says why. Never counted as passed.
  case notApplicable(String)
  /// The case was not run, by the wish of the caller; one phrase says why. Never counted as a case.
  case leftOut(String)
}

/// What a case demands, in Wycheproof's words.
enum Validity: Sendable {
  /// Sealing gives the bytes of the case, and opening gives the message.
  case valid
  /// It must be refused, whatever would come out.
  case invalid
  /// Refused or taken, both are right. What is taken must still be the message.
  case acceptable
}

/// A case that nothing here can run: another algorithm, another kind of test.
struct UnsupportedCheck: Check {
  let reason: String

  func run(with primitives: Primitives) -> Outcome { .notApplicable(reason) }
}

/// Ends a check early with the outcome that it found.
struct Verdict: Error {
  let outcome: Outcome

  static func failed(_ sentence: String) -> Self { Self(outcome: .failed(sentence)) }
  static func notApplicable(_ reason: String) -> Self { Self(outcome: .notApplicable(reason)) }
}

/// A check written as a list of demands, each of which throws if it is not met.
protocol DemandingCheck: Check {
  func demand(of primitives: Primitives) throws(Verdict)
}

extension DemandingCheck {
  /// Makes an outcome of the demands.
  package func run(with primitives: Primitives) -> Outcome {
    do throws(Verdict) {
      try demand(of: primitives)
      return .passed
    } catch {
      return error.outcome
    }
  }
}

/// Fails the case unless `condition` holds.
func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws(Verdict) {
  if !condition { throw .failed(sentence()) }
}

/// The result of a call that must work; its error fails the case.
func succeed<Result>(
  _ what: String, _ call: () throws(PrimitiveError) -> Result
) throws(Verdict) -> Result {
  do throws(PrimitiveError) {
    return try call()
  } catch {
    if case .isMissing(let what) = error { throw .notApplicable(what) }
    throw .failed("\(what) failed: \(error)")
  }
}

/// Fails the case unless the call is refused. A breakdown is not a refusal.
func beRefused<Result>(
  _ what: String, _ call: () throws(PrimitiveError) -> Result
) throws(Verdict) {
  do throws(PrimitiveError) {
    _ = try call()
  } catch {
    if case .isMissing(let what) = error { throw .notApplicable(what) }
    if case .broke = error { throw .failed("\(what) failed: \(error)") }
    return
  }
  throw .failed("\(what) was not refused")
}

/// The result of a call that may be refused, nil if it is. A breakdown fails the case.
func accepted<Result>(
  _ what: String, _ call: () throws(PrimitiveError) -> Result
) throws(Verdict) -> Result? {
  do throws(PrimitiveError) {
    return try call()
  } catch {
    if case .isMissing(let what) = error { throw .notApplicable(what) }
    if case .broke = error { throw .failed("\(what) failed: \(error)") }
    return nil
  }
}
