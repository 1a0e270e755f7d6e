internal import JSONText
private import Synchronization
internal import VaultCrypto

/// Another implementation of the format: a program that answers requests over lines of JSON on its standard input and
/// output (testvectors/README.md, "Other implementations").
///
/// A program that dies, does not answer within a minute or answers nonsense fails every case from then on; it is not started
/// again, and nothing of it counts as passed. Safe to share between threads, which wait for each other.
package final class ExternalImplementation: Sendable {
  private struct State: ~Copyable {
    var child: ChildProcess
    var requests = 0
    /// Why nothing is asked any more.
    var failure: String?
  }

  /// Seconds that one request may take.
  private let patience: Int
  private let state: Mutex<State>

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - arguments: the program, found along `PATH`, and its arguments.
  ///   - patience: seconds that one request may take.
  /// - Throws: ``VectorError/Code/unreadable`` when it can't be started.
  package init(_ arguments: [String], patience: Int = 60) throws(VectorError) {
    self.patience = patience
    do throws(ChildProcess.Fault) {
      state = Mutex(State(child: try ChildProcess(arguments)))
    } catch {
      throw .unreadable(error.sentence)
    }
  }

  /// Sends a request.
  ///
  /// - Parameters:
  ///   - operation: `open-vault`, ...
  ///   - members: the other members but the number.
  /// - Returns: the answer, whose number is that of the request.
  func ask(_ operation: String, _ members: [(String, JSONValue)]) throws(PrimitiveError) -> JSONNode {
    try state.withLock { (state) throws(PrimitiveError) in
      if let failure = state.failure { throw .broke(failure) }
      state.requests += 1
      let head: [(String, JSONValue)] = [("id", .integer(Int64(state.requests))), ("operation", .string(operation))]
      let request = JSONValue.object(head + members)
      do throws(ChildProcess.Fault) {
        let line = try state.child.exchange(Array(request.text.utf8), within: patience)
        return try Self.answer(line, to: state.requests)
      } catch {
        state.failure = "the other implementation is out of order: \(error.sentence)"
        throw .broke("the other implementation is out of order: \(error.sentence)")
      }
    }
  }

  private static func answer(_ line: [UInt8], to request: Int) throws(ChildProcess.Fault) -> JSONNode {
    do throws(VectorError) {
      let answer = try JSONNode(parsing: line)
      guard try answer.count("id") == request else {
        throw .value(path: "$.id", "the answer is to another request")
      }
      return answer
    } catch {
      throw ChildProcess.Fault(sentence: "it answered nonsense (\(error))")
    }
  }
}

extension ExternalImplementation {
  /// The program in the place of the algorithms under test. What it is not asked for is missing there.
  package var primitives: Primitives {
    var primitives = Primitives.vaultCrypto
    primitives.gcm = aead("AES-256-GCM", definedIVLengths: 1...Int.max, takenIVLengths: 12...16)
    primitives.xaes = aead("XAES-256-GCM", definedIVLengths: 24...24, takenIVLengths: 24...24)
    primitives.paddedCBC = Primitives.BlockMode(
      seal: { (message, key, iv) throws(PrimitiveError) in
        try self.seal("AES-256-CBC-PKCS7", message, key, iv, []).ciphertext
      },
      open: { (ciphertext, key, iv) throws(PrimitiveError) in
        try self.open("AES-256-CBC-PKCS7", .init(ciphertext: ciphertext, tag: []), key, iv, [])
      })
    let missing = PrimitiveError.isMissing("an algorithm that other implementations are not asked for")
    primitives.plainCBC = Primitives.BlockMode(
      seal: { (_, _, _) throws(PrimitiveError) in throw missing },
      open: { (_, _, _) throws(PrimitiveError) in throw missing })
    primitives.hmac = { (_, _) throws(PrimitiveError) in throw missing }
    primitives.hkdf.derive = { (_, _, _, _) throws(PrimitiveError) in throw missing }
    primitives.pbkdf2.derive = { (_, _, _, _, _) throws(PrimitiveError) in throw missing }
    primitives.scrypt.derive = { (_, _, _, _) throws(PrimitiveError) in throw missing }
    primitives.vaults = vaults
    return primitives
  }

  private func aead(
    _ algorithm: String, definedIVLengths: ClosedRange<Int>, takenIVLengths: ClosedRange<Int>
  ) -> Primitives.AEAD {
    Primitives.AEAD(
      definedIVLengths: definedIVLengths, takenIVLengths: takenIVLengths,
      seal: { (message, key, iv, aad) throws(PrimitiveError) in try self.seal(algorithm, message, key, iv, aad) },
      open: { (sealed, key, iv, aad) throws(PrimitiveError) in try self.open(algorithm, sealed, key, iv, aad) })
  }

  private func seal(
    _ algorithm: String, _ message: [UInt8], _ key: [UInt8], _ iv: [UInt8], _ aad: [UInt8]
  ) throws(PrimitiveError) -> Primitives.Sealed {
    let answer = try ask(
      "seal",
      [
        ("algorithm", .string(algorithm)), ("key", Self.hex(key)), ("iv", Self.hex(iv)), ("aad", Self.hex(aad)),
        ("msg", Self.hex(message)),
      ])
    return try Self.understood { () throws(VectorError) in
      guard try answer.string("result") == "success" else { return nil }
      return Primitives.Sealed(ciphertext: try answer.bytes("ct"), tag: try answer.optionalBytes("tag") ?? [])
    }
  }

  private func open(
    _ algorithm: String, _ sealed: Primitives.Sealed, _ key: [UInt8], _ iv: [UInt8], _ aad: [UInt8]
  ) throws(PrimitiveError) -> [UInt8] {
    let answer = try ask(
      "open",
      [
        ("algorithm", .string(algorithm)), ("key", Self.hex(key)), ("iv", Self.hex(iv)), ("aad", Self.hex(aad)),
        ("ct", Self.hex(sealed.ciphertext)), ("tag", Self.hex(sealed.tag)),
      ])
    return try Self.understood { () throws(VectorError) in
      guard try answer.string("result") == "success" else { return nil }
      return try answer.bytes("msg")
    }
  }

  static func hex(_ bytes: [UInt8]) -> JSONValue { .string(bytes.span.hex) }

  /// What an answer says; `nil` for a refusal.
  private static func understood<Result>(
    _ read: () throws(VectorError) -> Result?
  ) throws(PrimitiveError) -> Result {
    let result: Result?
    do throws(VectorError) {
      result = try read()
    } catch {
      throw .broke("the other implementation answered nonsense (\(error))")
    }
    guard let result else { throw .doesNotOpen }
    return result
  }
}
