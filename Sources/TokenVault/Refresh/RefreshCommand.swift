internal import VaultCrypto
internal import VaultEngine

/// A program that refreshes a token: it is given the stored token's JSON on standard input, and prints what the token endpoint
/// answers.
struct RefreshCommand {
  /// Where the program finds the lock's descriptor: a number that neither shells nor scripts use.
  private static let lockDescriptor: Int32 = 99
  /// Bytes that it may print.
  private static let limit = VaultLimits.value

  /// The program and its arguments.
  let words: [String]
  /// Held until the program has ended, even should this process be killed.
  let lock: ByteLock
  /// How long it may take; then it is ended, with all that it has started.
  let timeLimit: Duration

  /// Runs the program.
  ///
  /// - Throws: what failed. Nothing that the program printed is repeated, but for a registered code of an endpoint's error.
  func answer(for token: OAuthToken) throws(RefreshFailure) -> OAuthToken {
    try token.withJSON { (json) throws(RefreshFailure) in try answer(for: json) }
  }

  private func answer(for json: Span<UInt8>) throws(RefreshFailure) -> OAuthToken {
    var program = ChildProgram(words, outputLimit: Self.limit)
    program.timeLimit = timeLimit
    program.descriptors = [Self.lockDescriptor: lock.descriptor]
    let outcome: ChildProgram.Outcome
    do throws(ProgramFailure) {
      outcome = try program.run(input: json)
    } catch {
      throw failure(error)
    }
    let answer: Result<OAuthToken, RefreshFailure>
    do throws(RefreshFailure) {
      answer = .success(try Self.token(from: outcome.output))
    } catch {
      answer = .failure(error)
    }
    if let ending = Self.complaint(about: outcome.end) {
      // Programs such as curl fail on an endpoint's error, and print it all the same.
      if let answer = try? answer.get(), let said = RefreshFailure(endpointAnswer: answer) {
        throw RefreshFailure("\(ending): \(said.why)", needsUser: said.needsUser)
      }
      throw RefreshFailure(ending)
    }
    return try answer.get()
  }

  private func failure(_ error: ProgramFailure) -> RefreshFailure {
    switch error {
    case .cannotStart(let number): RefreshFailure("the command can't be started: \(systemMessage(number))")
    case .tooLong: RefreshFailure("the command printed more than \(Self.limit) bytes")
    case .timedOut: RefreshFailure("the command took longer than \(timeLimit.wholeSeconds) s, and was ended")
    case .cannotRead(let number): RefreshFailure("what the command prints can't be read: \(systemMessage(number))")
    case .noMemory: RefreshFailure("there is no memory for what the command prints")
    }
  }

  /// `nil` for a program that ended well.
  private static func complaint(about end: ChildProgram.End) -> String? {
    switch end {
    case .exited(0): nil
    case .exited(let code): "the command failed with exit code \(code)"
    case .signal(let number): "the command was ended by signal \(number)"
    case .unknown: "the command ended, and it can't be learned how"
    }
  }

  private static func token(from output: borrowing SecretBytes) throws(RefreshFailure) -> OAuthToken {
    let bytes = output.span
    var start = 0
    while start < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[start]) { start += 1 }
    guard start < bytes.count else { throw RefreshFailure("the command printed nothing") }
    guard bytes[start] != UInt8(ascii: "<") else {
      throw RefreshFailure("the command printed a page of HTML or XML, and no JSON")
    }
    do throws(VaultError) {
      return try OAuthToken(json: bytes)
    } catch {
      throw RefreshFailure("the command printed something that is not a token endpoint's JSON")
    }
  }
}
