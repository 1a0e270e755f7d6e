import Synchronization
import Testing
import VaultLaboratory

@testable import VaultEngine

/// Commits that are made at the same time. The first is stopped in its sync, so that the others come together.
@Suite struct GroupCommitTests {
  private func sample() throws -> (disk: SimulatedDisk, vault: Vault) {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try vault.commit([.put("alice", [1])])
    return (disk, vault)
  }

  private func name(_ number: Int) -> Name { Name(bytes: Array("name \(number)".utf8)) }

  // Defends: what waits while a batch is being synced shares the next batch, write and sync, whoever asked for it; each gets
  // versions of its own, and all of it is there.
  @Test func sixteenThreadsShareASync() throws {
    let (disk, vault) = try sample()
    let before = disk.syncs
    let gate = Gate(disk)
    let versions = Mutex<[UInt64]>([])
    let commit = { @Sendable (number: Int) in
      Work {
        let found = try vault.commit([.put(name(number), [UInt8(number)]), .event(name(number), [])])
        versions.withLock { $0 += found }
      }
    }
    let first = commit(0)
    gate.waitUntilReached()
    let work = [first] + (1..<16).map(commit)
    wait(for: { vault.waiting == 15 })
    gate.open()
    for one in work { one.wait() }
    #expect(disk.syncs - before == 2)
    #expect(versions.withLock { $0.sorted() } == Array(2...33))
    #expect(try Recovery.contents(of: disk.cache).count == 17)
  }

  // Defends: many threads that commit again and again lose nothing, in whatever way they come together.
  @Test func sixteenThreadsInALoop() throws {
    let (disk, vault) = try sample()
    Threads.perform(16) { (thread) in
      for round in 0..<20 {
        let name = name(thread * 100 + round)
        do {
          try vault.commit([.put(name, [UInt8(thread)])])
          #expect(try vault.value(of: name) == [UInt8(thread)])
        } catch {
          Issue.record(error)
        }
      }
    }
    #expect(try Recovery.contents(of: disk.cache).count == 321)
    #expect(try vault.snapshot().lastVersion == 321)
  }

  // Defends: whether a leader's turn comes by order or because a batch is worth sealing ahead, nobody is forgotten and nothing
  // is lost.
  @Test func smallAndLargeBatchesInALoop() throws {
    let (disk, vault) = try sample()
    let large = [UInt8](repeating: 1, count: 1 << 18)
    Threads.perform(8) { (thread) in
      for round in 0..<20 {
        let isLarge = (thread + round) % 3 == 0
        do {
          try vault.commit([.put(name(thread * 100 + round), isLarge ? large : [UInt8(thread)])])
        } catch {
          Issue.record(error)
        }
      }
    }
    #expect(vault.waiting == 0)
    #expect(try Recovery.contents(of: disk.cache).count == 161)
  }

  // Defends: of the requests in a group, each is all or nothing by itself: one whose condition does not hold gets its error
  // and writes nothing, and a later one sees what the earlier ones do.
  @Test func conditionsInsideAGroup() throws {
    let (disk, vault) = try sample()
    let before = disk.syncs
    let gate = Gate(disk)
    let first = try vault.submit([.put("first", [1])])
    gate.waitUntilReached()
    let requests: [([Write], VaultError.Code?)] = [
      ([.put("bob", [2], .absent)], nil),
      ([.put("carol", [3]), .put("bob", [3], .absent)], .conflict),
      ([.put("bob", [4], .version(3))], nil),
      ([.delete("carol")], .notFound),
      ([.delete("alice", .version(1)), .put("alice", [5], .absent)], nil),
      ([.put("dora", [6]), .delete("nobody")], .notFound),
      ([.put("alice", [7], .version(1))], .conflict),
    ]
    let pending = try requests.map { try vault.submit($0.0) }
    #expect(vault.waiting == requests.count)
    gate.open()
    #expect(try first.wait() == [2])
    for (number, request) in requests.enumerated() {
      #expect(try code { try pending[number].wait() } == request.1, "request \(number)")
    }
    #expect(disk.syncs - before == 2)
    #expect(try pending[0].wait() == [3] && pending[2].wait() == [4] && pending[4].wait() == [5, 6])
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [5], "bob": [4], "first": [1]])
  }

  // Defends: when the sync of a group fails, every caller in it is told so, none of it is there, and the handle acknowledges
  // nothing more; the group before it is.
  @Test func aFailedSyncInsideAGroup() throws {
    let (disk, vault) = try sample()
    let gate = Gate(disk)
    let first = try vault.submit([.put("first", [1])])
    gate.waitUntilReached()
    let group = try (0..<5).map { try vault.submit([.put(name($0), [2])]) }
    disk.beforeNextSync { disk.fail(FailurePlan(first: 1)) }
    gate.open()
    #expect(try first.wait() == [2])
    for pending in group { #expect(try code { try pending.wait() } == .io) }
    disk.fail(nil)
    #expect(try code { try vault.commit([.put("late", [3])]) } == .handleFailed)
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [1], "first": [1]])
  }

  // Defends: a task that is cancelled before its batch was taken withdraws all of it; afterwards, it is committed all the same.
  @Test(.ownThreads) func cancelling() async throws {
    let (disk, vault) = try sample()
    let gate = Gate(disk)
    let taken = Task(executorPreference: ThreadsForTasks.shared) {
      try await vault.commit(VaultBatch.of([.put("taken", [1])]))
    }
    await wait(for: { gate.isReached })
    let waiting = Task(executorPreference: ThreadsForTasks.shared) {
      try await vault.commit(VaultBatch.of([.put("waiting", [1]), .put("more", [1])]))
    }
    await wait(for: { vault.waiting == 1 })
    waiting.cancel()
    taken.cancel()
    #expect(await waiting.result.code == VaultError.Code.cancelled)
    gate.open()
    #expect(try await taken.value == [2])
    let late = Task(executorPreference: ThreadsForTasks.shared) {
      unsafe withUnsafeCurrentTask { (task) in unsafe task?.cancel() }
      return try await vault.commit(VaultBatch.of([.put("late", [1])]))
    }
    #expect(await late.result.code == VaultError.Code.cancelled)
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [1], "taken": [1]])
  }

  // Defends: tasks that commit at the same time share a sync, and don't need a thread each to wait.
  @Test(.ownThreads) func manyTasks() async throws {
    let (disk, vault) = try sample()
    let before = disk.syncs
    let gate = Gate(disk)
    let first = try vault.submit([.put("first", [1])])
    await wait(for: { gate.isReached })
    let versions = try await withThrowingTaskGroup(of: [UInt64].self) { (group) in
      for number in 0..<100 {
        group.addTask { try await vault.commit(VaultBatch.of([.put(name(number), [1])])) }
      }
      await wait(for: { vault.waiting == 100 })
      gate.open()
      return try await group.reduce(into: []) { $0 += $1 }
    }
    try first.wait()
    #expect(versions.sorted() == Array(3...102))
    #expect(disk.syncs - before == 2)
  }

  // Defends: closing waits for what was accepted, and refuses what comes later.
  @Test func closing() throws {
    let (disk, vault) = try sample()
    let gate = Gate(disk)
    let first = try vault.submit([.put("first", [1])])
    gate.waitUntilReached()
    let second = try vault.submit([.put("second", [2])])
    let closing = Work { try vault.close() }
    wait(for: { vault.waiting == 2 })
    #expect(try code { _ = try vault.submit([.put("late", [3])]) } == .handleFailed)
    gate.open()
    closing.wait()
    #expect(try first.wait() == [2] && second.wait() == [3])
    #expect(try code { _ = try vault.contents() } == .handleFailed)
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [1], "first": [1], "second": [2]])
  }

  // Defends: one batch is made of no more than the format allows, and of bounded memory; a request that is larger goes alone.
  @Test func theBoundsOfAGroup() throws {
    func request(_ count: Int, bytes: Int = 1) throws -> CommitRequest {
      var batch = try VaultBatch()
      let value = [UInt8](repeating: 1, count: bytes)
      for _ in 0..<count { try batch.put([1].span, value: value.span) }
      return CommitRequest(batch, hasThread: false)
    }
    let few = try request(20_000)
    #expect(CommitQueue.groupSize([few, few, few]) == 3)
    #expect(CommitQueue.groupSize([few, few, few, few]) == 3)
    let large = try request(31, bytes: 1 << 20)
    #expect(CommitQueue.groupSize([large, large, few]) == 3)
    #expect(CommitQueue.groupSize([large, large, large, few]) == 2)
    let huge = try request(70, bytes: 1 << 20)
    #expect(CommitQueue.groupSize([huge, few]) == 1)
    #expect(CommitQueue.groupSize([few, huge]) == 1)
  }

  // Defends: whoever hands over more and more is stopped when too much waits, and goes on when it is committed.
  @Test func theBoundOfTheQueue() throws {
    let (disk, vault) = try sample()
    let gate = Gate(disk)
    let first = try vault.submit([.put("first", [1])])
    gate.waitUntilReached()
    let accepted = Atomic(0)
    let work = Work {
      for number in 0..<1030 {
        _ = try vault.submit([.put(name(number % 7), [1])])
        accepted.add(1, ordering: .sequentiallyConsistent)
      }
    }
    wait(for: { vault.waiting == 1025 })
    #expect(accepted.load(ordering: .sequentiallyConsistent) == 1024)
    gate.open()
    work.wait()
    try first.wait()
    try vault.close()
    #expect(try Recovery.contents(of: disk.cache).count == 9)
  }
}

extension Result<[UInt64], any Error> {
  fileprivate var code: VaultError.Code? {
    if case .failure(let error) = self { (error as? VaultError)?.code } else { nil }
  }
}
