import CLibFuzzer
import Glibc
import VaultCrypto
import VaultEngine
import VaultFuzzing
import VaultLaboratory

/// The command `vaultfuzz TARGET`, everything behind which libFuzzer reads. It is built by `.ci/fuzz` alone.
@main
struct VaultFuzz {
  static func main() {
    CryptoLibrary.startLean()
    // Swift's own handlers would write a backtrace, and libFuzzer, which keeps the input, leaves those that are there alone.
    for number in [SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] { signal(number, SIG_DFL) }
    signal(SIGTRAP) { _ in abort() }
    var arguments = Array(CommandLine.arguments.dropFirst())
    if let name = arguments.first, FuzzTarget.all.contains(where: { $0.name == name }) {
      arguments.removeFirst()
      // libFuzzer starts this program anew to merge: with the arguments that it was given.
      unsafe setenv(Chosen.variable, name, 1)
    }
    switch arguments.first {
    case "--list":
      for target in FuzzTarget.all { print(target.name) }
    case "--seeds" where arguments.count == 3: writeSeeds(from: arguments[1], to: arguments[2])
    default: exit(drive(arguments))
    }
  }

  private static func drive(_ arguments: [String]) -> CInt {
    let all = [CommandLine.arguments[0], "-max_len=\(Chosen.target.longest)"] + arguments
    var count = CInt(all.count)
    var texts = unsafe all.map { unsafe strdup($0) }
    unsafe texts.append(nil)
    return unsafe texts.withUnsafeMutableBufferPointer { (texts) in
      var start = texts.baseAddress
      return unsafe LLVMFuzzerRunDriver(&count, &start) { (data, count) in
        unsafe Chosen.run(UnsafeBufferPointer(start: data, count: count))
      }
    }
  }

  /// Writes the inputs that a target begins with, each under a number.
  private static func writeSeeds(from testvectors: String, to folder: String) {
    for (number, seed) in Chosen.target.seeds(testvectors).enumerated() where seed.count <= Chosen.target.longest {
      guard let file = unsafe fopen("\(folder)/seed-\(number)", "w") else { exit(1) }
      unsafe seed.withUnsafeBytes { (bytes) in _ = unsafe fwrite(bytes.baseAddress, 1, bytes.count, file) }
      guard unsafe fclose(file) == 0 else { exit(1) }
    }
  }
}

/// The target that the command names.
enum Chosen {
  static let variable = "TOKENVAULT_FUZZ_TARGET"

  static let target: FuzzTarget = {
    let name = unsafe getenv(variable).map { unsafe String(cString: $0) }
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
      complain("usage: vaultfuzz TARGET [options of libFuzzer] [folders]; 'vaultfuzz --list' tells the targets")
      exit(64)
    }
    return target
  }()

  /// Tries one input; ends the process at a violation, so that libFuzzer keeps the input.
  ///
  /// Without helping threads: another target has the other core, an input must lead to the same edges each time, and a thread
  /// for each of thousands of inputs a second would take longer than they do.
  static func run(_ input: UnsafeBufferPointer<UInt8>) -> CInt {
    Threads.$isAlone.withValue(true) {
      do throws(Violation) {
        try target.run(unsafe input.span)
      } catch {
        complain("VIOLATION \(target.name): \(error)")
        abort()
      }
    }
    return 0
  }

  private static func complain(_ sentence: String) {
    let line = Array((sentence + "\n").utf8)
    _ = unsafe line.withUnsafeBytes { (bytes) in unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}

/// libFuzzer asks this for every new input.
@c(LLVMFuzzerCustomMutator)
public func mutate(_ data: UnsafeMutablePointer<UInt8>, _ count: Int, _ longest: Int, _ seed: CUnsignedInt) -> Int {
  if seed & 1 == 0, let own = Chosen.target.mutate {
    var random = SeededRandom(seed: UInt64(seed))
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    if let changed = own(input, longest, &random), changed.count <= longest, !changed.isEmpty {
      for index in changed.indices { unsafe data[index] = changed[index] }
      return changed.count
    }
  }
  return unsafe LLVMFuzzerMutate(data, count, longest)
}
