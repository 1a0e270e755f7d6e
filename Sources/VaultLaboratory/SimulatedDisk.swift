import Glibc
import Synchronization

package import VaultEngine

/// One thing that a disk was told to do. Files are known by their numbers, as a file system knows them by their inodes.
package enum DiskOperation: Sendable {
  case create(file: Int, name: String)
  case write(file: Int, offset: Int, bytes: [UInt8])
  case resize(file: Int, length: Int)
  case sync(file: Int)
  /// A sync that failed: what was written before it may be lost, whatever later syncs say.
  case failedSync(file: Int)
  case rename(file: Int, from: String, to: String)
  case remove(name: String)
  case syncDirectory
  /// A note in the lock file. The worst case is that it is on the disk at once, while what it tells of may not be.
  case note([UInt8])
}

/// The names and bytes that a disk holds.
package struct DiskImage: Hashable, Sendable {
  package var names: [String: Int] = [:]
  package var files: [Int: [UInt8]] = [:]
  /// What the lock file says.
  package var note: [UInt8] = []

  package init(names: [String: Int] = [:], files: [Int: [UInt8]] = [:]) {
    self.names = names
    self.files = files
  }

  /// An array's own hash goes through it byte by byte.
  package func hash(into hasher: inout Hasher) {
    for (file, bytes) in files.sorted(by: { $0.key < $1.key }) {
      hasher.combine(file)
      unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
    hasher.combine(names)
  }

  /// The bytes under a name; `nil` when there is no such name.
  package subscript(_ name: String) -> [UInt8]? { names[name].flatMap { files[$0] } }

  package mutating func apply(_ operation: DiskOperation) {
    switch operation {
    case .create(let file, let name):
      names[name] = file
      if files[file] == nil { files[file] = [] }
    case .write(let file, let offset, let bytes): files[file, default: []].overwrite(at: offset, with: bytes[...])
    case .resize(let file, let length): files[file, default: []].resize(to: length)
    case .rename(let file, let from, let to):
      if names[from] == file { names[from] = nil }
      names[to] = file
    case .remove(let name): names[name] = nil
    case .note(let bytes): note = bytes
    case .sync, .failedSync, .syncDirectory: break
    }
  }
}

extension Array<UInt8> {
  package mutating func resize(to length: Int) {
    if length < count {
      removeLast(count - length)
    } else {
      append(contentsOf: repeatElement(0, count: length - count))
    }
  }

  /// Writes bytes as a file takes them: a gap before them is filled with zeros.
  package mutating func overwrite(at offset: Int, with bytes: ArraySlice<UInt8>) {
    if count < offset { resize(to: offset) }
    // Collections are copied one byte after the other in a debug build.
    let old = bytes.prefix(count - offset)
    unsafe withUnsafeMutableBytes { (target) in
      let place = unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + old.count])
      unsafe old.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
    }
    append(contentsOf: bytes.dropFirst(old.count))
  }
}

/// A disk in memory that remembers all it was told, and fails where a test wants it to.
package final class SimulatedDisk: Sendable {
  package struct State {
    /// What a running program sees: everything that was written, synced or not.
    package var cache: DiskImage
    package var journal: [DiskOperation] = []
    package var nextFile: Int
    /// Temporary files that somebody is making.
    package var held: Set<Int> = []
    package var lockHolders: (exclusive: Bool, shared: Int) = (false, 0)
    package var failure: FailurePlan?
    /// Calls that might have failed since the plan was set.
    package var calls = 0
    /// Runs just before the next sync of a file, once: another program that looks at this very moment.
    package var beforeSync: (@Sendable () -> Void)?
    /// The stamp of all files, where a test fixes it.
    package var stamp: Int?
    /// Runs just before every attempt to take the lock.
    package var beforeLock: (@Sendable () -> Void)?
    /// Notes are not taken back.
    package var keepsNotes = false
    /// Is shown every write that is asked for, also one that fails.
    package var observer: (@Sendable (_ file: [UInt8], _ offset: Int, _ bytes: [UInt8]) -> Void)?
  }

  package let start: DiskImage
  private let state: Mutex<State>

  /// - Parameter image: what is on the disk, all of it durable.
  package init(_ image: DiskImage = DiskImage()) {
    start = image
    let next = (image.files.keys.max() ?? 0) + 1
    state = Mutex(State(cache: image, nextFile: next))
  }

  /// All that the disk was told so far.
  package var journal: [DiskOperation] { state.withLock { $0.journal } }
  /// What a running program sees.
  package var cache: DiskImage { state.withLock { $0.cache } }
  /// Calls that might have failed since ``fail(_:)``.
  package var calls: Int { state.withLock { $0.calls } }

  /// Lets calls fail from now on; `nil` heals the disk.
  package func fail(_ plan: FailurePlan?) {
    state.withLock {
      $0.failure = plan
      $0.calls = 0
    }
  }

  /// Runs `body` once, just before the next sync of a file.
  package func beforeNextSync(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.beforeSync = body } }

  /// Lets files bear this stamp from now on, whatever happens to them: a change that was stamped before it was made.
  package func holdStamp(at stamp: Int) { state.withLock { $0.stamp = stamp } }

  /// Changes with every operation.
  package var stamp: Int { state.withLock { $0.stamp ?? $0.journal.count } }

  /// Runs `body` before every attempt to take the lock; `nil` ends that.
  package func beforeEveryLock(_ body: (@Sendable () -> Void)?) { state.withLock { $0.beforeLock = body } }

  /// Runs `body` once, before the next attempt to take the lock.
  package func beforeNextLock(_ body: @escaping @Sendable () -> Void) {
    beforeEveryLock {
      self.beforeEveryLock(nil)
      body()
    }
  }

  /// Plants a fault: whoever takes a note back believes to have done so, and the next to look finds it there.
  package func keepNotes() { state.withLock { $0.keepsNotes = true } }

  package var keepsNotes: Bool { state.withLock { $0.keepsNotes } }

  /// Shows `observer` every write that is asked for from now on, also one that fails or is cut short: what the file holds until
  /// then, the place, and all the bytes.
  package func observeWrites(_ observer: @escaping @Sendable (_ file: [UInt8], _ offset: Int, _ bytes: [UInt8]) -> Void)
  {
    state.withLock { $0.observer = observer }
  }

  /// What a running program sees of one file.
  package func bytes(of file: Int) -> [UInt8] { state.withLock { $0.cache.files[file] ?? [] } }

  /// The file that a running program finds under a name.
  package func file(named name: String) -> Int? { state.withLock { $0.cache.names[name] } }

  /// Counts a call, and fails it when it is its turn.
  package func attempt(_ kind: FailurePlan.Call) throws(VaultError) {
    let error = state.withLock { (state) -> VaultError? in
      if let plan = state.failure, let only = plan.only, only != kind {
        // Who was killed makes no other calls either.
        return plan.isKill && state.calls >= plan.first ? plan.error(for: kind, number: plan.first) : nil
      }
      state.calls += 1
      return state.failure?.error(for: kind, number: state.calls)
    }
    if let error { throw error }
  }

  package func perform(_ operation: DiskOperation) {
    state.withLock { (state) in
      state.journal.append(operation)
      state.cache.apply(operation)
    }
  }

  package func create(_ name: (Int) -> String) -> Int {
    let file = state.withLock { (state) in
      defer { state.nextFile += 1 }
      return state.nextFile
    }
    perform(.create(file: file, name: name(file)))
    return file
  }

  /// Writes, or writes a part and fails.
  package func write(_ bytes: [UInt8], to file: Int, at offset: Int) throws(VaultError) {
    if let observer = state.withLock({ $0.observer }) { observer(self.bytes(of: file), offset, bytes) }
    do {
      try attempt(.write)
    } catch {
      let part = partBeforeFailure(of: bytes.count, in: file, at: offset)
      if part > 0 { perform(.write(file: file, offset: offset, bytes: Array(bytes[..<part]))) }
      throw error
    }
    perform(.write(file: file, offset: offset, bytes: bytes))
  }

  /// How much of a write is made before it fails: half of it, and where it goes over bytes that are there, up to the border of a
  /// sector.
  private func partBeforeFailure(of count: Int, in file: Int, at offset: Int) -> Int {
    state.withLock { (state) in
      guard state.failure?.writesHalf ?? false else { return 0 }
      let end = offset + count / 2
      guard state.cache.files[file]?.count ?? 0 > end else { return count / 2 }
      return max(end / CrashImages.sector * CrashImages.sector - offset, 0)
    }
  }

  package func sync(_ file: Int) throws(VaultError) {
    let interruption = state.withLock { (state) in
      defer { state.beforeSync = nil }
      return state.beforeSync
    }
    interruption?()
    do {
      try attempt(.sync)
    } catch {
      if !state.withLock({ $0.failure?.isKill ?? false }) { perform(.failedSync(file: file)) }
      throw error
    }
    perform(.sync(file: file))
  }

  /// Keeps a temporary file from being swept.
  package func hold(_ file: Int) { state.withLock { _ = $0.held.insert(file) } }

  package func release(_ file: Int) { state.withLock { _ = $0.held.remove(file) } }

  package func isHeld(_ file: Int) -> Bool { state.withLock { $0.held.contains(file) } }

  // MARK: The lock

  /// - Returns: whether it was free.
  /// - Parameter waits: lets readers pass, who hold it for a moment on another thread; for whoever else has it, nobody waits.
  package func takeLock(_ mode: LockMode, waits: Bool = false) -> Bool {
    state.withLock { $0.beforeLock }?()
    var attempts = waits ? 100_000 : 0
    while !tryLock(mode) {
      guard attempts > 0, state.withLock({ !$0.lockHolders.exclusive }) else { return false }
      attempts -= 1
      sched_yield()
    }
    return true
  }

  private func tryLock(_ mode: LockMode) -> Bool {
    state.withLock { (state) in
      guard !state.lockHolders.exclusive, mode == .shared || state.lockHolders.shared == 0 else { return false }
      if mode == .exclusive { state.lockHolders.exclusive = true } else { state.lockHolders.shared += 1 }
      return true
    }
  }

  package func releaseLock(_ mode: LockMode) {
    state.withLock { (state) in
      if mode == .exclusive { state.lockHolders.exclusive = false } else { state.lockHolders.shared -= 1 }
    }
  }
}

/// Which calls a disk fails, and how.
package struct FailurePlan: Sendable {
  package enum Call: Sendable { case look, read, write, resize, sync, create, rename, lock, note }

  /// Number of the first call that fails, from 1.
  package let first: Int
  /// Counts and fails calls of this kind alone.
  package let only: Call?
  /// How many calls fail, one after the other; `.max` for ever.
  package let count: Int
  /// Calls that need room fail with `disk-full`, and no others do; else every call fails with `io`.
  package let isFull: Bool
  /// The calls are not made at all: the program was killed, and the system still writes what it had been given.
  package let isKill: Bool
  /// A write that fails has written half of its bytes.
  package let writesHalf: Bool
  /// The code of calls that fail, unless the disk is full. With `read-only`, only calls that change something do.
  package let code: VaultError.Code

  package init(
    first: Int, only: Call? = nil, count: Int = 1, isFull: Bool = false, isKill: Bool = false, writesHalf: Bool = false,
    code: VaultError.Code = .io
  ) {
    self.first = first
    self.only = only
    self.count = count
    self.isFull = isFull
    self.isKill = isKill
    self.writesHalf = writesHalf
    self.code = code
  }

  func error(for call: Call, number: Int) -> VaultError? {
    guard number >= first, number - first < count else { return nil }
    switch call {
    case .write, .create: return isFull ? VaultError(.diskFull, "simulated: no room") : broken
    case .look, .read, .lock: return isFull || code == .readOnly ? nil : broken
    default: return isFull ? nil : broken
    }
  }

  private var broken: VaultError { VaultError(code, "simulated: the call failed") }
}
