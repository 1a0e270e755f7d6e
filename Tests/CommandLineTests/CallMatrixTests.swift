import Testing
import VaultLaboratory

/// That the laboratory's faults come to the calls that are meant.
@Suite struct CallMatrixTests {
  // Defends: each kind of fault is really made; one that is only meant to be, as kills and short reads once were, is none.
  @Test(.enabled(if: StoppedWriter.isPossible, "failing a system call of another process needs strace"))
  func everyKindIsMade() throws {
    let report = try CallMatrix(program: Bench.program, seed: 1, sample: nil, only: "put").report()
    #expect(report.violations == [])
    for kind in ["SIGKILL", "short-read", "short-write", "EIO-once", "EIO-for-ever", "ENOSPC-once", "EINTR-for-ever"] {
      #expect(report.counts[kind, default: 0] > 0, "\(kind): \(report.counts)")
    }
  }

  private static let folder = "/tmp/bench"

  private func sites(_ trace: String) -> [TracedSite] {
    TracedSite.all(in: trace.split(separator: "\n"), named: ["openat", "pread64", "fdatasync"], touching: Self.folder)
  }

  private let survey = #"""
    7 openat(AT_FDCWD</>, "/proc/self/maps", O_RDONLY) = 3</proc/7/maps>
    7 openat(AT_FDCWD</>, "/tmp/bench/v.lock", O_RDONLY|O_CLOEXEC) = 3</tmp/bench/v.lock>
    7 openat(AT_FDCWD</>, "/tmp/bench/v.tmp-0011", O_RDWR|O_CREAT, 0600) = 4</tmp/bench/v.tmp-0011>
    7 pread64(3</tmp/bench/v>, "\245\0"..., 16, 4096) = 16
    8 pread64(3</tmp/bench/v>, "\1\2", 2, 8) = 2
    7 pread64(3</tmp/bench/v>, "\1\2", 2, 8) = 2
    7 pread64(3</tmp/bench/v>, "\1\2", 2, 8) = 2
    """#

  // Defends: a call has its number among those of its thread and name, the libraries' own counted; of two threads' calls with one
  // number the first is taken.
  @Test func callsHaveTheirNumbers() {
    let found = sites(survey).map { "\($0), \($0.turn)" }
    #expect(found == ["openat 2, 1", "openat 3, 1", "pread64 1, 1", "pread64 2, 1", "pread64 3, 2"])
  }

  // Defends: it is found again by what it does, whatever came before it and whatever name is drawn for a temporary; a read by how
  // much it asks for and from where; and the second of two that are alike is the second.
  @Test func callsAreFoundAgain() throws {
    let known = sites(survey)
    let met = sites(
      #"""
      9 openat(AT_FDCWD</>, "/tmp/bench/v.tmp-ffee", O_RDWR|O_CREAT, 0600) = -1 EIO (Input/output error) (INJECTED)
      9 pread64(3</tmp/bench/v>, "\0", 2, 8) = 1 (INJECTED: args, retval)
      9 pread64(3</tmp/bench/v>, "\0\0", 2, 8) = 2
      """#)
    #expect(met.map(\.isInjected) == [true, true, false])
    #expect(known.map { $0.moved(to: met).number } == [2, 1, 1, 1, 2])
    #expect(known.map { (site) in met.filter { site.isSame(as: $0) }.count } == [0, 1, 0, 1, 1])
  }

  // Defends: a call at which the process was killed is taken for one of its kind on that file, and for none on another.
  @Test func aCallThatWasNotMade() throws {
    let killed = try #require(sites("9 pread64(3</tmp/bench/v>,  <unfinished ...>) = ?").last)
    let other = try #require(sites("9 pread64(3</tmp/bench/w>,  <unfinished ...>) = ?").last)
    let reads = sites(survey).filter { $0.name == "pread64" }
    #expect(reads.allSatisfy { $0.isSame(as: killed) } && !reads.contains { $0.isSame(as: other) })
    #expect(reads.map { $0.moved(to: [killed]).number } == [1, 2, 3])
  }

  // Defends: a fault follows its call to the number that it has in the next run, also where a process was killed before it came to
  // that; a call that nothing comes to is a finding if runs without a fault make it, below the very same strace, and none if they
  // do not.
  @Test func aCallIsLookedFor() throws {
    let site = try #require(sites(survey).first { $0.number == 3 && $0.name == "openat" })
    let later = try #require(
      sites(
        #"""
        9 openat(AT_FDCWD</>, "/tmp/bench/v", O_RDONLY) = 3</tmp/bench/v>
        9 openat(AT_FDCWD</>, "/tmp/bench/v", O_RDONLY) = 3</tmp/bench/v>
        9 openat(AT_FDCWD</>, "/tmp/bench/v", O_RDONLY) = 3</tmp/bench/v>
        9 openat(AT_FDCWD</>, "/tmp/bench/v.tmp-07", O_RDWR|O_CREAT, 0600) = 4</tmp/bench/v.tmp-07>
        """#
      ).last)
    var tried: [Int] = []
    let followed = site.reach { (moved) in
      tried.append(moved.number)
      return (tried.count, moved.number == 4 ? later : nil, [later])
    }
    if case .reached(let runs) = followed { #expect(runs == 2) } else { Issue.record("not reached") }
    #expect(tried == [3, 4])
    let killed = site.reach { (moved) in
      (moved.number, moved.number == 4 ? later : nil, moved.number < 1_000 ? [] : [later])
    }
    if case .reached(let number) = killed { #expect(number == 4) } else { Issue.record("not reached by a kill") }
    for (found, isFinding) in [([later], true), ([], false)] {
      let reach = site.reach { (moved) in ((), nil, moved.number < 1_000 ? [] : found) }
      switch reach {
      case .reached: Issue.record("a call was reached that no run made")
      case .passing: #expect(!isFinding)
      case .missed: #expect(isFinding)
      }
    }
  }
}
