import Dispatch
import Glibc
import Synchronization
import VaultEngine

extension Subject {
  /// Writes of one frame in a second over space that a file has already, one after the other, each synced.
  func floorOfDurablePut() throws -> Double {
    let count = 1500
    let file = try FloorFile(path + ".floor", frames: count)
    let time = seconds { for _ in 0..<count { file.write(frames: 1) } }
    try file.check()
    return Double(count) / time
  }

  /// Writes of one frame in a second by threads that each wait until theirs is on the disk, and share syncs: the first that comes
  /// writes for all that wait. Nothing is sealed, no lock of a file is taken: what is left is the disk, and the waking of threads.
  func floorOfConcurrentPut(threads: Int) throws -> Double {
    let each = 500
    let file = try FloorFile(path + ".floor", frames: threads * each + 1)
    let group = SharedSyncs(file)
    let time = seconds {
      Threads.perform(threads) { _ in
        let turn = SharedSyncs.Turn()
        for _ in 0..<each { group.commit(turn) }
      }
    }
    try file.check()
    return Double(threads * each) / time
  }
}

/// A file with room for some frames, or none, which goes away with this.
final class FloorFile: Sendable {
  /// Bytes of the frame of a token of 240 bytes with a name of 13.
  static let frame = 432

  private let path: String
  private let descriptor: Int32
  private let written = Atomic(0)
  private let hasFailed = Atomic(false)

  init(_ path: String, frames: Int) throws {
    self.path = path
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchFailure(sentence: "no file can be made at \(path)") }
    let space = [UInt8](repeating: 0, count: frames * Self.frame)
    guard unsafe pwrite(descriptor, space, space.count, 0) == space.count, fsync(descriptor) == 0 else {
      throw BenchFailure(sentence: "\(path) can't be written")
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unsafe _ = unlink(path)
  }

  /// - Throws: an error when a write failed.
  func check() throws(BenchFailure) {
    guard !hasFailed.load(ordering: .relaxed) else { throw BenchFailure(sentence: "\(path) can't be written") }
  }

  /// Writes frames behind those that are there, and syncs.
  func write(frames: Int) {
    let bytes = [UInt8](repeating: 7, count: frames * Self.frame)
    let place = written.wrappingAdd(frames, ordering: .relaxed).oldValue * Self.frame
    let count = unsafe pwrite(descriptor, bytes, bytes.count, off_t(place))
    if count != bytes.count || fdatasync(descriptor) != 0 { hasFailed.store(true, ordering: .relaxed) }
  }
}

/// What a group commit is when nothing is committed.
private final class SharedSyncs: Sendable {
  /// A thread that waits.
  final class Turn: Sendable {
    let woken = DispatchSemaphore(value: 0)
    let leads = Atomic(false)
  }

  private let file: FloorFile
  private let state = Mutex((isLed: false, waiting: [Turn]()))

  init(_ file: FloorFile) { self.file = file }

  func commit(_ turn: Turn) {
    let waits = state.withLock { (state) in
      guard state.isLed else {
        state.isLed = true
        return false
      }
      state.waiting.append(turn)
      return true
    }
    if waits {
      turn.woken.wait()
      guard turn.leads.exchange(false, ordering: .relaxed) else { return }
    }
    let group = state.withLock { (state) in
      let group = state.waiting
      state.waiting = []
      return group
    }
    file.write(frames: group.count + 1)
    for member in group { member.woken.signal() }
    let next = state.withLock { (state) -> Turn? in
      state.isLed = !state.waiting.isEmpty
      return state.isLed ? state.waiting.removeFirst() : nil
    }
    next?.leads.store(true, ordering: .relaxed)
    next?.woken.signal()
  }
}
