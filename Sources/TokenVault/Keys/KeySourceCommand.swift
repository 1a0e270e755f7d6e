internal import VaultCrypto
internal import VaultEngine

/// A program that prints a key or passphrase, started without a shell.
struct KeyCommand {
  let words: [String]

  /// Runs the program with nothing on standard input and its standard error passed on, and gives its standard output.
  ///
  /// It may take as long as it wants, and has the terminal: it may have to ask somebody.
  ///
  /// - Throws: `unavailable` when it can't be started, fails, or prints more than a key source may.
  func output() throws(VaultError) -> SecretBytes {
    var program = ChildProgram(words, outputLimit: KeyReader.limit)
    // It would run itself, were it this command with another vault.
    program.removedVariables = SecretVariables.sources
    let outcome: ChildProgram.Outcome
    do throws(ProgramFailure) {
      outcome = try program.run()
    } catch {
      switch error {
      case .cannotStart(let number): throw failed("can't be started: \(systemMessage(number))")
      case .cannotRead(let number): throw failed("can't be read: \(systemMessage(number))")
      case .tooLong: throw failed("printed more than \(KeyReader.limit) bytes")
      case .timedOut: throw failed("took too long")
      case .noMemory: throw VaultError(.cryptoFailure, "there is no memory for what the program of a key source prints")
      }
    }
    switch outcome.end {
    case .exited(0): break
    case .exited(let code): throw failed("failed with exit code \(code)")
    case .signal(let number): throw failed("was ended by signal \(number)")
    case .unknown: throw failed("ended, and it can't be learned how")
    }
    guard outcome.output.count > 0 else { throw failed("printed nothing") }
    return outcome.output
  }

  private func failed(_ what: String) -> VaultError {
    VaultError(.unavailable, "the program of \(KeySource.command(words)) \(what)")
  }
}

/// Words as a command line has them.
package enum CommandLineText {
  /// Splits at white space; what stands in single or double quotes stays together. `nil` when there is no word, or a quote is
  /// left open.
  package static func words(_ text: String) -> [String]? {
    var words: [[UInt8]] = []
    var word: [UInt8]?
    var quote: UInt8?
    for byte in text.utf8 {
      if byte == quote {
        quote = nil
      } else if quote == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
        word = word ?? []
      } else if quote == nil, byte == UInt8(ascii: " ") || (9...13).contains(byte) {
        if let ended = word { words.append(ended) }
        word = nil
      } else {
        word = (word ?? []) + [byte]
      }
    }
    if let word { words.append(word) }
    guard quote == nil, let program = words.first, !program.isEmpty else { return nil }
    return words.map { String(decoding: $0, as: UTF8.self) }
  }

  /// `text` as one word for a POSIX shell, in single quotes unless it needs none.
  package static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { (byte) in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "/._-+:,@%=".utf8.contains(byte)
      }
    }
    if isPlain, !text.isEmpty { return text }
    var quoted: [UInt8] = [UInt8(ascii: "'")]
    for byte in text.utf8 {
      if byte == UInt8(ascii: "'") { quoted += Array("'\\''".utf8) } else { quoted.append(byte) }
    }
    return String(decoding: quoted + [UInt8(ascii: "'")], as: UTF8.self)
  }
}
