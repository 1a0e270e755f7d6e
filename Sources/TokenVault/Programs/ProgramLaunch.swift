internal import CSystemShims
internal import Glibc

/// Why a program has no outcome.
package enum ProgramFailure: Error, Equatable {
  /// It was not started, for this `errno`: `ENOENT` when it was not found.
  case cannotStart(Int32)
  /// It printed more than it may. It was killed.
  case tooLong
  /// It took longer than it may. It was ended, and all that it had started.
  case timedOut
  /// Its output can't be read, for this `errno`. It was killed.
  case cannotRead(Int32)
  /// There is no memory for what it printed, or for its environment.
  case noMemory
}

/// A program about to be started without a shell: its words, and the descriptors that it is to have.
///
/// It inherits the descriptors of this process that are not closed on exec, as any program does; all that this package opens
/// are. It holds no signal back, and a closed pipe ends it, whatever this process does with signals.
package struct ProgramLaunch {
  /// The program, which is searched in `$PATH` unless it has a slash, and its arguments.
  package let words: [String]
  /// Descriptors of this process by the numbers that they get in the program.
  package var descriptors: [Int32: Int32] = [:]
  /// Whether the program begins a session of its own, without a terminal: it and all that it starts can then be ended together.
  package var beginsSession = false

  package init(_ words: [String]) { self.words = words }

  /// Starts the program beside this process (`posix_spawn`).
  ///
  /// - Returns: the child's process id, which is the caller's to wait for.
  /// - Throws: `cannotStart`.
  package func start(_ environment: borrowing ChildEnvironment) throws(ProgramFailure) -> Int32 {
    try check()
    let moved = try MovedDescriptors(descriptors)
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    for (copy, target) in moved.pairs { unsafe posix_spawn_file_actions_adddup2(&actions, copy, target) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in Self.ownSignals { unsafe sigaddset(&signals, signal) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    // 0x80 is POSIX_SPAWN_SETSID, which the module lacks.
    let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (beginsSession ? 0x80 : 0)
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    var child: Int32 = 0
    let number = unsafe environment.withList { (variables) in
      unsafe withWords { (words) in
        unsafe posix_spawnp(&child, words[0].unsafelyUnwrapped, &actions, &attributes, words, variables)
      }
    }
    guard number == 0 else { throw .cannotStart(number) }
    return child
  }

  /// Puts the program in the place of this process (`execve`). It returns only when that failed; by then, descriptors and signals
  /// may be the program's.
  package func replaceProcess(_ environment: borrowing ChildEnvironment) -> ProgramFailure {
    do throws(ProgramFailure) {
      try check()
      let moved = try MovedDescriptors(descriptors)
      for (copy, target) in moved.pairs where dup2(copy, target) < 0 { throw .cannotStart(errno) }
    } catch {
      return error
    }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in Self.ownSignals { signal(number, SIG_DFL) }
    unsafe pthread_sigmask(SIG_SETMASK, &signals, nil)
    let number = unsafe environment.withList { (variables) in
      unsafe withWords { (words) in
        _ = unsafe tv_execute(words[0], words, variables)
        return errno
      }
    }
    return .cannotStart(number)
  }

  /// What the command ignores for its own sake.
  private static let ownSignals = [SIGPIPE, SIGXFSZ]

  /// A word with a zero byte would be cut there.
  private func check() throws(ProgramFailure) {
    guard let program = words.first, !program.isEmpty else { throw .cannotStart(ENOENT) }
    guard words.allSatisfy({ !$0.utf8.contains(0) }) else { throw .cannotStart(EINVAL) }
  }

  private func withWords<Result>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
    var list = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe list.forEach { unsafe free($0) } }
    return unsafe list.withUnsafeMutableBufferPointer { (list) in unsafe body(list.baseAddress.unsafelyUnwrapped) }
  }
}

/// Copies of descriptors at numbers that none of them is to get, so that putting one in its place closes no other. No program
/// inherits the copies.
private struct MovedDescriptors: ~Copyable {
  private(set) var pairs: [(copy: Int32, target: Int32)] = []

  init(_ descriptors: [Int32: Int32]) throws(ProgramFailure) {
    for (target, source) in descriptors {
      var copy = fcntl(source, F_DUPFD_CLOEXEC, 3)
      while copy >= 0, descriptors[copy] != nil {
        let next = fcntl(copy, F_DUPFD_CLOEXEC, copy + 1)
        close(copy)
        copy = next
      }
      guard copy >= 0 else {
        let number = errno
        closeAll()
        throw .cannotStart(number)
      }
      pairs.append((copy, target))
    }
  }

  deinit { closeAll() }

  private func closeAll() {
    for (copy, _) in pairs { close(copy) }
  }
}

/// A descriptor that is closed when the value goes away; or none, which is -1.
struct OwnedDescriptor: ~Copyable {
  let number: Int32

  init(_ number: Int32 = -1) { self.number = number }

  deinit { if number >= 0 { close(number) } }

  var isOpen: Bool { number >= 0 }
}

/// A pipe whose ends no program inherits.
struct OwnedPipe: ~Copyable {
  var reading = OwnedDescriptor()
  var writing = OwnedDescriptor()

  /// A pipe without ends.
  init() {}

  /// - Throws: `cannotStart`.
  static func open() throws(ProgramFailure) -> OwnedPipe {
    var ends: [Int32] = [-1, -1]
    guard unsafe tv_pipe(&ends) == 0 else { throw .cannotStart(errno) }
    var pipe = OwnedPipe()
    pipe.reading = OwnedDescriptor(ends[0])
    pipe.writing = OwnedDescriptor(ends[1])
    return pipe
  }
}
