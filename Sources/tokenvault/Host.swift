internal import CSystemShims
import Glibc
import Logging
import VaultCrypto

/// What the process settles with its surroundings before it touches anything.
enum Host {
  /// Does all of it; in this order, as a crash in the later steps must already keep quiet.
  static func prepare() throws(CommandFailure) {
    keepCrashesQuiet()
    fillDescriptors()
    // A reader that goes away gives EPIPE where it is written to, instead of an end in the midst of a commit.
    signal(SIGPIPE, SIG_IGN)
    // The same for a limit of file sizes: EFBIG.
    signal(SIGXFSZ, SIG_IGN)
    // Where a parent has it ignored, the system would forget how the programs ended that are started here.
    signal(SIGCHLD, SIG_DFL)
    // Every failure is told once, in the command's own words, and with --json in nothing but JSON.
    LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
    try checkArguments()
    CryptoLibrary.startLean()
  }

  /// Ends the process at once: nothing waits in buffers, as all output is written when it is made, and what libraries do when
  /// a process ends would only take time.
  static func end(_ code: ExitCode) -> Never { end(status: code.rawValue) }

  /// The same with a code that is another program's.
  static func end(status: Int32) -> Never { _exit(status) }

  /// Swift's crash report prints memory around each register, and a core dump holds all of it: keys among both.
  private static func keepCrashesQuiet() {
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] { signal(number, SIG_DFL) }
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    // The limit does not hold for a program that the system hands dumps to. This does, and keeps other processes of the same
    // user from looking into the memory too.
    tv_forbid_dumping()
  }

  /// A closed descriptor 0 to 2 would be given to the next file opened, and messages would go into the vault.
  ///
  /// What fills it can't be used in the direction it stands for, so that writing to a closed standard output still fails.
  private static func fillDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Names are bytes, but arguments reach the program as text: what is not UTF-8 would silently become another name.
  private static func checkArguments() throws(CommandFailure) {
    for index in 0..<Int(CommandLine.argc) {
      guard let argument = unsafe CommandLine.unsafeArgv[index] else { continue }
      let bytes = unsafe UnsafeRawBufferPointer(start: argument, count: strlen(argument))
      guard unsafe String(validating: bytes, as: UTF8.self) == nil else { continue }
      throw CommandFailure(.usage, "argument \(index) is not UTF-8")
    }
  }
}
