internal import Glibc
internal import VaultCrypto

/// Writing to a child and reading from it at the same time, so that neither waits for the other for ever.
struct ChildDialogue: ~Copyable {
  /// How long the output is read after the program has ended.
  static let patience = Duration.seconds(1)
  /// How long a program that is asked to end may take.
  static let grace = Duration.seconds(2)
  /// Between two looks at the child, where the system has nothing that tells of its end.
  private static let pause = Duration.milliseconds(20)

  private var child: RunningChild
  private var input: OwnedDescriptor
  private var output: OwnedDescriptor
  private var collected: SecretBytes
  private let limit: Int
  private var written = 0
  private var isBrokenOff = false

  /// - Parameters:
  ///   - input: the end of a pipe that the child reads; or none.
  ///   - output: the end of a pipe that the child writes to.
  ///   - room: where what it writes is put; with some capacity.
  ///   - limit: bytes that it may write.
  init(
    _ child: consuming RunningChild, input: consuming OwnedDescriptor, output: consuming OwnedDescriptor,
    into room: consuming SecretBytes, limit: Int
  ) {
    self.child = child
    // A child that does not read must not keep this process from reading what it writes.
    if input.isOpen { _ = fcntl(input.number, F_SETFL, O_NONBLOCK) }
    self.input = input
    self.output = output
    collected = room
    self.limit = limit
  }

  /// Goes on until the child has ended and its output too, but no longer than ``patience`` after the child.
  ///
  /// - Throws: `timedOut` when the child has not ended by `deadline`; `tooLong`, `cannotRead`, `noMemory`.
  mutating func run(_ bytes: Span<UInt8>, deadline: ContinuousClock.Instant?) throws(ProgramFailure) {
    while !isOver {
      if let ended = child.endedAt {
        guard .now < ended + Self.patience else { return }
        try step(bytes, until: ended + Self.patience)
      } else if let deadline, .now >= deadline {
        try breakOff()
        throw .timedOut
      } else {
        try step(bytes, until: deadline)
      }
    }
  }

  /// What came of it. A child that has not ended is killed.
  consuming func outcome(since start: ContinuousClock.Instant) -> ChildProgram.Outcome {
    let isComplete = isOver
    let end = child.end()
    return ChildProgram.Outcome(output: collected, isComplete: isComplete, end: end, duration: .now - start)
  }

  /// Whether the child has ended and all of its output was read.
  private var isOver: Bool { child.endedAt != nil && !output.isOpen }

  /// Asks the child to end, and all that it has started; kills what is left of them when the time for that is over.
  private mutating func breakOff() throws(ProgramFailure) {
    isBrokenOff = true
    input = OwnedDescriptor()
    child.send(SIGTERM)
    let end = ContinuousClock.now + Self.grace
    while !isOver, .now < end { try step(Span(), until: end) }
    child.send(SIGKILL)
  }

  /// Waits until something can be done, or until `end`, and does it.
  private mutating func step(_ bytes: Span<UInt8>, until end: ContinuousClock.Instant?) throws(ProgramFailure) {
    // What is not to be waited for is -1, which poll passes over.
    var waiting = [
      pollfd(fd: output.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: input.number, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: child.endedAt == nil ? child.watch.number : -1, events: Int16(POLLIN), revents: 0),
    ]
    let mustLook = child.endedAt == nil && !child.watch.isOpen
    let latest = mustLook ? min(end ?? .now + Self.pause, .now + Self.pause) : end
    guard unsafe poll(&waiting, 3, Self.milliseconds(until: latest)) >= 0 else {
      guard errno == EINTR else { throw .cannotRead(errno) }
      return
    }
    // First of all: what the child wrote before it ended is there when its end is seen.
    child.look()
    if waiting[0].revents != 0 { try readSome() }
    if waiting[1].revents != 0 { writeSome(bytes) }
    // Nobody reads any more, but for what the child left running.
    if child.endedAt != nil { input = OwnedDescriptor() }
  }

  /// For `poll`: at least until `instant`.
  private static func milliseconds(until instant: ContinuousClock.Instant?) -> Int32 {
    guard let instant else { return -1 }
    let (seconds, attoseconds) = (instant - .now).components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return Int32(min(seconds, 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }

  private mutating func readSome() throws(ProgramFailure) {
    if isBrokenOff { collected.removeAll() }
    do throws(CryptoError) {
      if collected.count == collected.capacity { try collected.reserve(min(collected.capacity * 2, limit + 1)) }
    } catch {
      throw .noMemory
    }
    let isMore: Bool
    do throws(ReadFailure) {
      isMore = try collected.appendSome(from: output.number)
    } catch {
      switch error {
      case .system(let number): throw .cannotRead(number)
      case .tooLong, .memory: throw .noMemory
      }
    }
    if !isMore { output = OwnedDescriptor() }
    guard collected.count <= limit else { throw .tooLong }
  }

  private mutating func writeSome(_ bytes: Span<UInt8>) {
    let result = QuietPipe.write(bytes.extracting(written..<bytes.count), to: input.number)
    if result > 0 { written += result }
    let isBusy = result < 0 && (errno == EAGAIN || errno == EINTR)
    // That the child does not want it all is its own affair.
    if written == bytes.count || (result < 0 && !isBusy) { input = OwnedDescriptor() }
  }
}

/// Pipes whose reader may go away.
enum QuietPipe {
  /// `write`, without the signal that a pipe gives which nobody reads any more: this process may not ignore it.
  ///
  /// - Returns: the bytes written; or -1, with `errno` set.
  static func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Int {
    var pipeSignal = sigset_t()
    var before = sigset_t()
    var pending = sigset_t()
    unsafe sigemptyset(&pipeSignal)
    unsafe sigaddset(&pipeSignal, SIGPIPE)
    unsafe sigpending(&pending)
    unsafe pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
    let result = unsafe bytes.withUnsafeBufferPointer { (buffer) in
      unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
    }
    let number = errno
    if result < 0, number == EPIPE, unsafe sigismember(&pending, SIGPIPE) == 0 {
      var atOnce = timespec()
      _ = unsafe sigtimedwait(&pipeSignal, nil, &atOnce)
    }
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    errno = number
    return result
  }
}
