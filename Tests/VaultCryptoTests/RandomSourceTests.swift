import Glibc
import Testing
import VaultCrypto

@Suite("SystemRandom")
struct RandomSourceTests {
  // Defends uniqueness: over many blocks no value comes twice.
  @Test func nothingRepeats() throws {
    var random = try SystemRandom()
    var seen: Set<FixedBytes<12>> = []
    for _ in 0..<20_000 { seen.insert(try random.bytes()) }
    #expect(seen.count == 20_000)
  }

  // Defends draws over the border of a block, of several blocks, and of nothing.
  @Test(arguments: [0, 1, 4079, 4080, 4081, 12_000])
  func drawsOfAnyLength(_ count: Int) throws {
    var random = try SystemRandom()
    _ = try random.secret(4000)
    let drawn = try random.secret(count)
    let bytes = Array(drawn.span)
    #expect(bytes.count == count)
    // What was handed out is wiped: reading the block a second time would give zeros.
    #expect(!bytes.split(whereSeparator: { $0 != 0 }).contains { $0.count >= 16 })
    #expect(count < 1000 || Set(bytes).count > 200)
  }

  // Defends two generators of one process against each other.
  @Test func twoGeneratorsDiffer() throws {
    var first = try SystemRandom()
    var second = try SystemRandom()
    let left: FixedBytes<32> = try first.bytes()
    let right: FixedBytes<32> = try second.bytes()
    #expect(left != right)
  }

  // Defends the secure heap, where OpenSSL keeps a generator for each thread: a thread that has ended leaves none there. The
  // address sanitizer, which is told that the heap is in use, would not see it.
  @Test func threadsThatEndedLeaveNothing() throws {
    let before = try SecretBytes(capacity: 32)
    for _ in 0..<2000 {
      var thread = pthread_t()
      let status = unsafe pthread_create(&thread, nil, { _ in unsafe drawOnce() }, nil)
      try #require(status == 0)
      try #require(pthread_join(thread, nil) == 0)
    }
    let after = try SecretBytes(capacity: 32)
    let (wasLocked, isLocked) = (before.isLocked, after.isLocked)
    #expect(wasLocked && isLocked)
  }

  // Defends initialization vectors after `fork`: parent and child hold the same block, but don't draw from it alike. It
  // runs in a process of its own, where no other thread can hold a lock at the moment of the fork.
  @Test func aForkedChildDrawsOtherBytes() async {
    await #expect(processExitsWith: .success) {
      var random = try SystemRandom()
      let before: FixedBytes<16> = try random.bytes()
      let child = try unsafe bytesOfChild(drawing: &random)
      let parent: FixedBytes<16> = try random.bytes()
      exit(child.count == 16 && child != Array(parent.span) && child != Array(before.span) ? 0 : 1)
    }
  }
}

/// What a thread does that needs a generator of its own.
@unsafe
private func drawOnce() -> UnsafeMutableRawPointer? {
  do {
    var random = try SystemRandom()
    let _: FixedBytes<16> = try random.bytes()
  } catch {
    Issue.record(error)
  }
  return nil
}

/// Forks; the child draws 16 bytes from its copy of `random` and sends them through a pipe.
@unsafe
private func bytesOfChild(drawing random: inout SystemRandom) throws -> [UInt8] {
  var ends: [Int32] = [0, 0]
  guard unsafe pipe(&ends) == 0 else { return [] }
  // Swift hides fork, because a child of a process with threads must not go on; here it draws, writes and ends.
  guard let symbol = unsafe dlsym(nil, "fork") else { return [] }
  let fork = unsafe unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
  let child = fork()
  if child == 0 {
    let drawn: FixedBytes<16> = try random.bytes()
    let bytes = Array(drawn.span)
    _ = unsafe write(ends[1], bytes, bytes.count)
    _exit(0)
  }
  close(ends[1])
  var bytes = [UInt8](repeating: 0, count: 16)
  let count = unsafe read(ends[0], &bytes, bytes.count)
  _ = waitpid(child, nil, 0)
  return Array(bytes.prefix(max(count, 0)))
}
