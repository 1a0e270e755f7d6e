import VaultEngine

/// Every system call of every command fails in every way that it may: on the real binary, by strace(1).
package struct CallMatrix: Sendable {
  private let program: String
  private let seed: UInt64
  private let sample: Int?
  private let only: String?

  /// - Parameters:
  ///   - program: path of `tokenvault`.
  ///   - sample: how many faults of each command are drawn; all of them, if it is `nil`.
  ///   - only: name of the only command that is tried.
  package init(program: String, seed: UInt64, sample: Int?, only: String?) {
    (self.program, self.seed, self.sample, self.only) = (program, seed, sample, only)
  }

  package func report() throws -> Report {
    let folder = try CallFolder.prepared(program)
    let commands = CallCommand.all.filter { only == nil || $0.name == only }
    // A folder is used by one thread.
    let parts = try commands.map { CallCourse($0, in: try folder.copy(), seed: seed, sample: sample) }
    // Each waits for its vaults to come to rest for about as long as it works.
    return Report.over(parts, onEachCore: 2) { (course) in course.report() }
  }
}

/// All faults of one command, one after the other.
private final class CallCourse: @unchecked Sendable {
  private let command: CallCommand
  private let folder: CallFolder
  private let sample: Int?
  private var random: SeededRandom
  private let seed: UInt64
  private var result = Report()
  /// What is there before the command and after it; where that differs from time to time, its length alone.
  private var before: FolderState = [:]
  private var after: FolderState = [:]
  /// What the command prints; `nil` where that differs.
  private var output: [UInt8]?
  /// What is another one each time.
  private var restless: Set<String> = []

  init(_ command: CallCommand, in folder: CallFolder, seed: UInt64, sample: Int?) {
    (self.command, self.folder, self.seed, self.sample) = (command, folder, seed, sample)
    random = SeededRandom(seed: command.name.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) })
  }

  func report() -> Report {
    do {
      let sites = try survey()
      var cases = sites.flatMap { (site) in faults(at: site).map { (site, $0) } }
      if let sample, sample < cases.count {
        cases.shuffle(using: &random)
        cases.removeLast(cases.count - sample)
      }
      for (site, fault) in cases { try attempt(fault, at: site) }
      result.count("commands")
    } catch {
      result.violation("\(command.name): \(error)")
    }
    return result
  }

  // MARK: The command as it should be

  private func survey() throws -> [TracedSite] {
    try folder.reset()
    before = settled(try folder.state())
    let (first, sites) = try trace()
    guard first.code == 0 else { throw CallFailure(sentence: "ends with \(first.code): \(first.errors)") }
    guard sites.count > 5 else { throw CallFailure(sentence: "strace shows no system calls") }
    let found = try folder.state()
    try folder.reset()
    let second = try folder.run(command.words, input: command.input)
    after = try folder.state()
    restless = Set(after.keys.filter { found[$0] != after[$0] })
    guard found.keys == after.keys else { throw CallFailure(sentence: "does not do the same each time") }
    after = settled(after)
    output = !command.isTalkative && first.output == second.output ? first.output : nil
    return sites
  }

  private func trace() throws -> (outcome: CallFolder.Outcome, sites: [TracedSite]) {
    let wrapping = [
      "/usr/bin/strace", "-f", "-qq", "-y", "-o", folder.trace, "-e",
      "trace=" + TracedSite.names.joined(separator: ","),
    ]
    let outcome = try folder.run(command.words, input: command.input, wrapping: wrapping)
    return (outcome, TracedSite.all(in: folder.traced(), named: TracedSite.names, touching: folder.path))
  }

  private func settled(_ state: FolderState) -> FolderState {
    var state = state
    if command.leavesNotes {
      // Which token it is counts, and not what else is known of it, nor how many events tell of that.
      for (key, value) in state where key.contains(".tv, ") {
        let text = String(decoding: value, as: UTF8.self)
        if text.hasPrefix("generation") { state[key] = Array(text.prefix { $0 != "," }.utf8) }
        // Of what stands before it, any byte may be any.
        if key.contains(", old"), let token = value.firstRange(of: Array(#"{"access_token""#.utf8)) {
          state[key] = Array(value[token.lowerBound...])
        }
      }
    }
    for key in restless where state[key] != before[key] {
      if let value = state[key] { state[key] = Array("\(value.count) bytes".utf8) }
    }
    return state
  }

  // MARK: Faults

  private func faults(at site: TracedSite) -> [CallFault] {
    var faults: [CallFault] = [.kill]
    for error in site.errors { faults += [.error(error, forever: false), .error(error, forever: true)] }
    if let short = shortRead(at: site) { faults.append(short) }
    faults += limits(at: site)
    return faults
  }

  /// What a call shows: file, arguments behind it, and result.
  private func parts(of line: String) -> (path: String, arguments: [Substring], result: Int)? {
    guard let open = line.firstIndex(of: "<"), let close = line.firstIndex(of: ">"), open < close,
      let end = line.range(of: ") = ")
    else { return nil }
    let path = String(line[line.index(after: open)..<close])
    let arguments = line[..<end.lowerBound].split(separator: ",").map { $0.drop { $0 == " " } }
    return (path, arguments, Int(line[end.upperBound...].prefix { $0.isNumber }) ?? 0)
  }

  /// Half of what the file has there, sixteen bytes at most.
  private func shortRead(at site: TracedSite) -> CallFault? {
    guard site.name == "pread64", let call = parts(of: site.line),
      let offset = call.arguments.last.flatMap({ Int($0) }),
      let bytes = folder.bytes(of: call.path), call.result > 1, offset + call.result <= bytes.count
    else { return nil }
    let count = min(call.result / 2, 16)
    let text = bytes[offset..<offset + count].map { (byte) in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    return .shortRead(count: count, text.joined())
  }

  /// The file ends behind the first byte of a write, in its midst, and before its last byte. Messages need some room, too.
  private func limits(at site: TracedSite) -> [CallFault] {
    guard site.name == "pwrite64", let call = parts(of: site.line),
      let offset = call.arguments.last.flatMap({ Int($0) })
    else { return [] }
    let limits: Set = [offset + 1, offset + call.result / 2, offset + call.result - 1]
    return limits.filter { $0 > 1024 }.sorted().map { .limit($0) }
  }

  // MARK: One fault

  private func attempt(_ fault: CallFault, at site: TracedSite) throws {
    let place = "seed \(seed), \(command.name), \(site), \(fault)"
    let outcome: CallFolder.Outcome
    let line: String
    let isAlone: Bool
    switch try run(fault, at: site) {
    case .reached(let found): (outcome, line, isAlone) = found
    case .passing: return result.count("not-reached")
    case .missed: return result.violation("no run came to it: \(place): \(site.line)")
    }
    guard isAlone else { return result.count("not-alone") }
    result.count("faults")
    result.count(fault.kind)
    do {
      try judge(outcome, fault, at: site, "\(place): \(line): \(outcome.code) \(outcome.errors)")
    } catch {
      result.violation("\(place): \(line): \(outcome.code) \(outcome.errors): \(error)")
    }
  }

  /// - Returns: what came of the command, the call with the fault, and whether the fault came to no other thread's, and to no
  ///   started program's, where that makes a difference.
  private func run(
    _ fault: CallFault, at site: TracedSite
  ) throws -> TracedSite.Reach<(outcome: CallFolder.Outcome, line: String, isAlone: Bool)> {
    if case .limit = fault { return .reached((try outcome(of: fault, at: site), site.line, true)) }
    return try site.reach { (site) in
      let outcome = try outcome(of: fault, at: site)
      let lines = folder.traced()
      let met = TracedSite.all(in: lines, named: [site.name], touching: folder.path)
      let hit = fault.hit(in: met, code: outcome.code)
      let threads = Set(lines.filter { $0.contains(TracedSite.injected) }.map { $0.prefix { $0 != " " } })
      let isAlone = threads.count < 2 || !command.startsProgram && fault.isError
      return ((outcome, hit?.line ?? "", isAlone), hit, met)
    }
  }

  private func outcome(of fault: CallFault, at site: TracedSite) throws -> CallFolder.Outcome {
    try folder.reset()
    let words = fault.words(at: site, trace: folder.trace)
    return try folder.run(command.words, input: command.input, wrapping: words)
  }

  private func judge(
    _ outcome: CallFolder.Outcome, _ fault: CallFault, at site: TracedSite, _ place: String
  ) throws {
    let found = settled(try folder.state())
    if outcome.code == 0 {
      result.count("done-all-the-same")
      if found != after {
        result.violation("says that it is done, and it is not: \(difference(found, after)): \(place)")
      }
      if let output, outcome.output != output { result.violation("prints something else: \(place)") }
    } else {
      result.count("failed")
      judge(sentence: outcome, fault, at: site, place)
      if !isOld(found), found != after {
        result.violation(
          "leaves what is neither old nor new: \(difference(found, before)), \(difference(found, after)): \(place)")
      }
      if outcome.errors.contains("as it was") || outcome.errors.contains("nothing was changed"), !isOld(found) {
        result.violation("says that nothing was changed: \(place)")
      }
    }
    if isOld(found), before != after, command.isRepeatable {
      let again = try folder.run(command.words, input: command.input)
      if again.code != 0 { result.violation("does not work afterwards: \(again.code) \(again.errors): \(place)") }
      let made = settled(try folder.state())
      if made != after { result.violation("makes something else afterwards: \(difference(made, after)): \(place)") }
    }
    try folder.writeLater()
    for name in folder.temporaries { result.violation("leaves \(name): \(place)") }
  }

  /// Whether it is all as it was, but for the file that the command makes first.
  private func isOld(_ found: FolderState) -> Bool {
    var found = found
    if let first = command.firstFile, found[first] == after[first] { found[first] = before[first] }
    return found == before
  }

  /// One sentence, and no secret in it; neither a crash nor a word of damage, where there is none.
  private func judge(
    sentence outcome: CallFolder.Outcome, _ fault: CallFault, at site: TracedSite, _ place: String
  ) {
    if outcome.errors.contains(CallFolder.secretMark) { result.violation("tells a secret: \(place)") }
    if case .kill = fault { return }
    // Nor can it be said then.
    if case .error(_, forever: true) = fault, site.name == "write" { return }
    let lines = outcome.errors.split(separator: "\n")
    if lines.count(where: { $0.hasPrefix("tokenvault: ") }) != 1 || lines.count > 3 {
      result.violation("does not end with one sentence: \(place)")
    }
    if outcome.code >= 128 { result.violation("ends by a signal, or not at all: \(place)") }
    let hasNoCode = outcome.code == 1 && site.name != "getrandom"
    if hasNoCode || [6, 65].contains(outcome.code) && command.name != "doctor" {
      result.violation("takes the failure for something else: \(place)")
    }
  }

  private func difference(_ one: FolderState, _ other: FolderState) -> String {
    let names = Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }.sorted()
    func words(_ state: FolderState) -> String {
      names.first.flatMap { state[$0] }.map { "'\(String(decoding: $0.prefix(100), as: UTF8.self))'" } ?? "nothing"
    }
    return "\(names.count) of \(names.prefix(3)), first \(words(one)) and not \(words(other))"
  }
}

extension StringProtocol {
  /// Where `text` stands last.
  fileprivate func range(of text: String) -> Range<Index>? {
    var place = endIndex
    while place > startIndex {
      place = index(before: place)
      if self[place...].hasPrefix(text) { return place..<index(place, offsetBy: text.count) }
    }
    return nil
  }
}
