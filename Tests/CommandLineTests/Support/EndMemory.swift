import Foundation
import Testing

/// The memory of a command at the moment when it ends, before the system takes it: searched for secrets from outside.
enum EndMemory {
  /// What was found: name of the canary, and the kind of memory.
  struct Finding: Hashable, CustomStringConvertible {
    let name: String
    let region: String
    var description: String { "\(name) in \(region)" }
  }

  /// Whether another process's memory can be read here, though it forbids that to all but root.
  static let isPossible: Bool = {
    guard geteuid() == 0, let bench = try? Bench(withVault: false) else { return false }
    let probe = Canary("probe", "a canary for the probe of memory")
    let found = try? search(Call("keygen"), for: [probe], keyIn: nil, on: bench)
    return found?.outcome.code == 0
  }()

  /// Runs `call` and searches its memory when it ends.
  ///
  /// - Parameter keyIn: a file in which there is a key by then, to be searched for as well: its digits and its bytes.
  static func search(
    _ call: Call, for canaries: [Canary], keyIn path: String?, on bench: Bench
  ) throws -> (outcome: Outcome, findings: Set<Finding>) {
    var lines: [String] = []
    for canary in canaries {
      let plain = canary.forms[0].bytes
      // A half, too, as what is freed is often overwritten in part.
      for bytes in canary.forms.map(\.bytes) + [plain.prefix(plain.count / 2), plain.suffix(plain.count / 2)] {
        lines.append("\(canary.name)\t" + bytes.map { String(format: "%02x", $0) }.joined())
      }
    }
    try bench.write(Array(lines.joined(separator: "\n").utf8), to: ".needles")
    var traced = call
    traced.program = Predecessor.python
    let files = [bench.folder + "/.needles", bench.folder + "/.found", path ?? ""]
    traced.arguments = Call(["-I", "-c", script] + files + [call.program]).arguments + call.arguments
    let outcome = try bench.run(traced)
    let found = String(decoding: try bench.contents(of: bench.folder + "/.found"), as: UTF8.self)
    try #require(found.hasPrefix("searched "), "the memory was not searched: \(outcome.errors)")
    let findings = found.split(separator: "\n").dropFirst().map { (line) in
      let parts = line.split(separator: "\t", maxSplits: 1).map { String($0) }
      return Finding(name: parts[0], region: parts.count > 1 ? parts[1] : "")
    }
    return (outcome, Set(findings))
  }

  /// Starts the command as its tracer, has it stop where it ends, whatever ends it, and reads all of its memory.
  private static let script = """
    import ctypes, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    TRACEME, CONT, SETOPTIONS, EXIT_EVENT = 0, 7, 0x4200, 6
    needles, found, key, program = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    wanted = [line.split("\\t") for line in open(needles).read().splitlines()]
    wanted = [(name, bytes.fromhex(digits)) for name, digits in wanted]
    child = os.fork()
    if child == 0:
        libc.ptrace(TRACEME, 0, None, None)
        os.execv(program[0], program)
    os.waitpid(child, 0)
    # To stop at the end, and never to be left behind.
    libc.ptrace(SETOPTIONS, child, None, 0x40 | 0x100000)
    libc.ptrace(CONT, child, None, None)

    def search():
        if key and os.path.exists(key):
            digits = open(key, "rb").read()[:64]
            wanted.extend([("made", digits), ("made", bytes.fromhex(digits.decode()))])
        lines, total = set(), 0
        memory = os.open(f"/proc/{child}/mem", os.O_RDONLY)
        for line in open(f"/proc/{child}/maps"):
            parts = line.split(None, 5)
            low, high = [int(text, 16) for text in parts[0].split("-")]
            region = parts[5].strip() if len(parts) > 5 else "anonymous memory"
            if "w" not in parts[1] or region.startswith("[v"): continue
            try: content = os.pread(memory, high - low, low)
            except OSError: continue
            total += len(content)
            lines.update(name + "\\t" + region for name, needle in wanted if needle in content)
        with open(found, "w") as output: output.write("\\n".join([f"searched {total}"] + sorted(lines)))

    while True:
        process, status = os.waitpid(child, 0)
        if os.WIFEXITED(status): sys.exit(os.WEXITSTATUS(status))
        if os.WIFSIGNALED(status): sys.exit(128 + os.WTERMSIG(status))
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == EXIT_EVENT: search()
        libc.ptrace(CONT, child, None, 0 if event or number == 5 else number)
    """
}
