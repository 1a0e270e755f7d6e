import VaultEngine

/// Requests of several writers that share one batch of the file.
extension ReferenceTraces {
  /// Groups in which some requests are refused, whose conditions ask for what earlier requests of the same group do, or for what
  /// another process has written a moment ago; one in which all are refused; and one over space that was allocated ahead.
  package func groups() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 10_000, ledger: ledger)
    let vault = try recorder.create()
    try recorder.commit([.put("alice", value(150, 300))], to: vault)
    try recorder.commitGroup(
      behind: [.put("first", value(151, 200))],
      of: [
        GroupRequest([.put("bob", value(152, 700), .absent)]),
        GroupRequest([.put("carol", [3]), .put("bob", [3], .absent)], refusal: .conflict),
        GroupRequest([.put("bob", value(153, 500), .version(3))]),
        GroupRequest([.delete("carol")], refusal: .notFound),
        GroupRequest([.delete("alice", .version(1)), .put("alice", value(154, 900), .absent), .event("alice", [1])]),
        GroupRequest([.put("dora", [6]), .delete("nobody")], refusal: .notFound),
      ], to: vault)
    let other = try recorder.open()
    try recorder.commitGroup(
      behind: [.put("first", value(155, 100))],
      of: [
        GroupRequest([.put("bob", [7], .version(4))], refusal: .conflict),
        GroupRequest([.put("erin", value(156, large / 2)), .delete("first")]),
        GroupRequest([.put("bob", value(157, 300), .version(9)), .put("frank", [8], .absent)]),
      ], to: vault
    ) { try recorder.commit([.put("bob", self.value(158, 400))], to: other) }
    try recorder.commitGroup(
      behind: [.put("dora", value(159, 150))],
      of: [
        GroupRequest([.put("bob", [9], .absent)], refusal: .conflict),
        GroupRequest([.delete("nobody")], refusal: .notFound),
      ], to: vault)
    for round in 0..<2 {
      try recorder.commitGroup(
        behind: [.put("dora", value(160 + round, 150))],
        of: [
          GroupRequest([.put("alice", value(162 + round, 600))]),
          GroupRequest([.put("alice", [10], .absent)], refusal: .conflict),
          GroupRequest([.put("carol", value(164 + round, 600)), .event("carol", [])]),
        ], to: vault)
    }
    return Trace(recorder, name: "groups")
  }

  /// Groups so large that they are sealed while the batch before is being synced: one that is written as it was sealed, one
  /// before which another process writes, so that it is sealed again, one that is torn, and one that is not synced. Not among
  /// ``all()``: each state has hundreds of sectors.
  package func groupsAhead() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 10_700, ledger: ledger)
    var vault = try recorder.create()
    try recorder.commit([.put("alice", [1])], to: vault)
    for (round, ending) in [GroupEnding.committed, .committed, .torn, .unsynced].enumerated() {
      let large = (0..<5).map { (number) in
        let name = Name(bytes: Array("large \(number)".utf8))
        return GroupRequest([.put(name, value(340 + round * 5 + number, 60_000))])
      }
      let other = try recorder.open()
      try recorder.commitGroup(
        behind: [.put("first", value(360 + round, 200))], of: large + [GroupRequest([.event("large", [1])])], to: vault,
        ending: ending, isLarge: true
      ) { if round == 1 { try recorder.commit([.put("bob", [2])], to: other) } }
      if ending.isLost { vault = try recorder.open() }
      try recorder.commit([.put("carol", value(365 + round, 300))], to: vault)
    }
    return Trace(recorder, name: "groups ahead")
  }

  /// Groups whose process is killed in the write or before the sync, and groups whose sync fails; others go on.
  package func killedGroups() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 10_500, ledger: ledger)
    try recorder.commit([.put("alice", [1])], to: recorder.create())
    for (round, ending) in [GroupEnding.torn, .unsynced, .failedSync, .unsynced, .torn].enumerated() {
      try recorder.commitGroup(
        behind: [.put("first", value(170 + round, 200))],
        of: [
          GroupRequest([.put("bob", value(175 + round, 900)), .put("carol", value(180 + round, 300))]),
          GroupRequest([.delete("nobody")], refusal: .notFound),
          GroupRequest([.put("alice", value(185 + round, 1100)), .event("alice", [2])]),
          GroupRequest([.put("carol", [3], .absent)], refusal: .conflict),
        ], to: recorder.open(), ending: ending)
      // A new generation is made of what such a group left.
      if round == 3 { try NewGeneration.compaction.make(in: recorder.environment()) }
      if ending == .torn { try afterTornTail(recorder, round) }
      try recorder.commit([.put("dora", value(190 + round, 700))], to: recorder.open())
    }
    return Trace(recorder, name: "killed groups")
  }

  /// Plants a fault: the requests of a group are written as a batch each, with one sync for all.
  func groupInParts() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 12_000)
    let writes = [Write.put("bob", value(300, 200)), .put("carol", value(301, 200))]
    try recorder.commit([.put("alice", [1])], to: recorder.create())
    var environment = recorder.environment()
    environment.storage = WrappedStorage(environment.storage) { (file, _) in UnsyncedFile(file) }
    let vault = try Vault.open(environment, credential: key())
    recorder.border()
    for write in writes { try vault.commit([write]) }
    if let file = recorder.disk.file(named: SimulatedStorage.name) { recorder.disk.perform(.sync(file: file)) }
    try recorder.acknowledge { (contents) in for write in writes { write.apply(to: &contents) } }
    return Trace(recorder, name: "a group in parts")
  }

  /// Plants a fault: a group is acknowledged when it is written, and synced after that.
  func groupAnsweredEarly() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 12_100)
    let vault = try recorder.create()
    try recorder.commit([.put("alice", [1])], to: vault)
    let (outcome, writes) = (Outcome(), [Write.put("bob", value(302, 200)), .put("carol", value(303, 200))])
    recorder.disk.beforeNextSync {
      outcome.note { try recorder.acknowledge { (contents) in for write in writes { write.apply(to: &contents) } } }
    }
    try vault.commit(writes)
    try outcome.check()
    return Trace(recorder, name: "a group answered early")
  }
}
