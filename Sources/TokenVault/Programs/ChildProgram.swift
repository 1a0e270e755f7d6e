internal import Glibc
package import VaultCrypto

/// A program that is asked something on its standard input and answers on its standard output: a key source, a refresh.
///
/// It is started without a shell. Its standard error is this process's.
package struct ChildProgram {
  /// How a program ended.
  package enum End: Equatable, Sendable {
    /// It exited with this code.
    case exited(Int32)
    /// This signal ended it.
    case signal(Int32)
    /// The system does not tell, because this process ignores `SIGCHLD`. That is not the same as well.
    case unknown

    /// - Parameter status: what `waitpid` gave.
    package init(status: Int32) {
      self = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signal(status & 0x7f)
    }
  }

  /// What came of it.
  package struct Outcome: ~Copyable, Sendable {
    /// What it printed.
    package let output: SecretBytes
    /// False when something that the program left running held its standard output open for a second after the program had
    /// ended: then ``output`` is what was printed until then.
    package let isComplete: Bool
    /// How it ended.
    package let end: End
    /// From its start to its end.
    package let duration: Duration
  }

  /// The program and its arguments.
  package let words: [String]
  /// Bytes that it may print.
  package let outputLimit: Int
  /// How long it may take; `nil` for as long as it wants.
  ///
  /// With a limit the program begins a session of its own, so that it can be ended together with all that it has started. It has
  /// no terminal then: one that asks somebody something needs to have no limit.
  package var timeLimit: Duration?
  /// Descriptors of this process by the numbers, from 3, that they get in the program; what they are open on stays open, and a
  /// lock on it stays held, as long as the program lives.
  package var descriptors: [Int32: Int32] = [:]
  /// Environment variables that it does not inherit, beside those that hold a key or passphrase (``SecretVariables``).
  package var removedVariables: Set<String> = []

  /// False to do without the kernel's help in seeing its end, which old kernels and some sandboxes lack.
  var isWatched = true

  /// - Parameters:
  ///   - words: the program, which is searched in `$PATH` unless it has a slash, and its arguments.
  ///   - outputLimit: bytes that it may print.
  package init(_ words: [String], outputLimit: Int) {
    self.words = words
    self.outputLimit = outputLimit
  }

  /// Runs the program to its end. This blocks the thread.
  ///
  /// - Parameter input: what it reads on its standard input; any length, and it need not read it.
  /// - Throws: never because of how the program ended, once it was started.
  package func run(input: Span<UInt8> = Span()) throws(ProgramFailure) -> Outcome {
    let start = ContinuousClock.now
    let room: SecretBytes
    do {
      room = try SecretBytes(capacity: min(outputLimit, 4095) + 1)
    } catch {
      throw .noMemory
    }
    var question = input.count > 0 ? try OwnedPipe.open() : OwnedPipe()
    var answer = try OwnedPipe.open()
    let child = try launch(input: question.reading.number, output: answer.writing.number)
    question.reading = OwnedDescriptor()
    answer.writing = OwnedDescriptor()
    var dialogue = ChildDialogue(
      child, input: question.writing, output: answer.reading, into: room, limit: outputLimit)
    try dialogue.run(input, deadline: timeLimit.map { start + $0 })
    return dialogue.outcome(since: start)
  }

  private func launch(input: Int32, output: Int32) throws(ProgramFailure) -> RunningChild {
    var launch = ProgramLaunch(words)
    launch.descriptors = descriptors
    launch.descriptors[1] = output
    launch.beginsSession = timeLimit != nil
    let environment: ChildEnvironment
    do {
      environment = try ChildEnvironment(without: removedVariables.union(SecretVariables.names))
    } catch {
      throw .noMemory
    }
    let nothing = OwnedDescriptor(input < 0 ? unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) : -1)
    launch.descriptors[0] = input < 0 ? nothing.number : input
    return RunningChild(
      try launch.start(environment), leadsSession: launch.beginsSession, isWatched: isWatched)
  }
}
