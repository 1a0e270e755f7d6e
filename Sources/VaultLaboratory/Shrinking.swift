/// Makes a program that fails smaller, as long as it fails in the same way.
package struct Shrinking<Step> {
  /// Programs that are tried at most.
  private let limit: Int
  private let fails: ([Step]) -> Bool
  private let simpler: (Step) -> [Step]
  package private(set) var tried = 0

  /// - Parameters:
  ///   - simpler: steps to try in the place of one, the simplest first.
  ///   - fails: whether a program fails in the same way.
  package init(limit: Int, simpler: @escaping (Step) -> [Step], fails: @escaping ([Step]) -> Bool) {
    self.limit = limit
    self.simpler = simpler
    self.fails = fails
  }

  /// A program from which no step can be left out, and in which none can be made simpler.
  package mutating func smallest(of steps: [Step]) -> [Step] {
    var steps = steps
    while tried < limit {
      let wasLeftOut = leaveOut(&steps)
      guard simplify(&steps) || wasLeftOut else { break }
    }
    return steps
  }

  private mutating func stillFails(_ steps: [Step]) -> Bool {
    guard tried < limit else { return false }
    tried += 1
    return fails(steps)
  }

  /// Leaves out steps, in parts that are halved from one time to the next.
  private mutating func leaveOut(_ steps: inout [Step]) -> Bool {
    let before = steps.count
    var part = steps.count
    while part > 0 {
      var start = 0
      while start < steps.count {
        var fewer = steps
        fewer.removeSubrange(start..<min(start + part, steps.count))
        if stillFails(fewer) { steps = fewer } else { start += part }
      }
      part /= 2
    }
    return steps.count < before
  }

  private mutating func simplify(_ steps: inout [Step]) -> Bool {
    var isSimpler = false
    for place in steps.indices {
      var isDone = false
      while !isDone {
        isDone = true
        for candidate in simpler(steps[place]) {
          var other = steps
          other[place] = candidate
          guard stillFails(other) else { continue }
          (steps, isSimpler, isDone) = (other, true, false)
          break
        }
      }
    }
    return isSimpler
  }
}

extension ModelProgram {
  /// Runs that are spent on making a program smaller.
  private static let limit = 4000

  /// A program that fails like this one, with as little in it as possible.
  package func shrunk(
    _ failure: ModelFailure, on makeStorage: @escaping ModelRun.MakeStorage = { SimulatedStorage(disk: $0) }
  ) -> ModelProgram {
    var shrinking = Shrinking<ModelStep>(limit: Self.limit, simpler: \.simpler) { (steps) in
      var program = self
      program.steps = steps
      return ModelRun.run(program, on: makeStorage).failure?.kind == failure.kind
    }
    var program = self
    // What comes behind the failure is of no account.
    program.steps = shrinking.smallest(of: Array(steps.prefix(max(failure.step, 1))))
    return program
  }
}

extension ModelStep {
  /// Steps that do less, the least first. Every number in them is smaller, or some part is gone: so this ends.
  fileprivate var simpler: [ModelStep] {
    switch self {
    case .open(let key, let process, let isReader):
      key.smaller.map { .open(key: $0, process: process, isReader: isReader) }
        + process.smaller.map { .open(key: key, process: $0, isReader: isReader) }
        + (isReader ? [.open(key: key, process: process, isReader: false)] : [])
    case .leave(let handle, let closes):
      handle.smaller.map { .leave(handle: $0, closes: closes) }
        + (closes ? [.leave(handle: handle, closes: false)] : [])
    case .commit(let handle, let writes):
      handle.smaller.map { .commit(handle: $0, writes) }
        + writes.simpler.filter { !$0.isEmpty }.map { .commit(handle: handle, $0) }
    case .snapshot(let handle): handle.smaller.map { .snapshot(handle: $0) }
    case .compare(let handle): handle.smaller.map { .compare(handle: $0) }
    case .compareSnapshot(let number): number.smaller.map { .compareSnapshot($0) }
    case .addKey(let handle, let key):
      handle.smaller.map { .addKey(handle: $0, key: key) } + key.smaller.map { .addKey(handle: handle, key: $0) }
    case .removeKey(let handle, let slot, let evenInUse):
      handle.smaller.map { .removeKey(handle: $0, slot: slot, evenInUse: evenInUse) }
        + slot.smaller.map { .removeKey(handle: handle, slot: $0, evenInUse: evenInUse) }
    case .changeKey(let handle, let key):
      handle.smaller.map { .changeKey(handle: $0, key: key) } + key.smaller.map { .changeKey(handle: handle, key: $0) }
    case .compact(let versions, let back, let tells, let meanwhile):
      (versions > 1 ? [.compact(versions: 1, eventsBack: back, tells: tells, meanwhile: meanwhile)] : [])
        + (tells ? [.compact(versions: versions, eventsBack: back, tells: false, meanwhile: meanwhile)] : [])
        + back.smaller.map { .compact(versions: versions, eventsBack: $0, tells: tells, meanwhile: meanwhile) }
        + meanwhile.simpler.map { .compact(versions: versions, eventsBack: back, tells: tells, meanwhile: $0) }
    case .rotate(let tells, let meanwhile):
      (tells ? [.rotate(tells: false, meanwhile: meanwhile)] : [])
        + meanwhile.simpler.map { .rotate(tells: tells, meanwhile: $0) }
    case .rekey(let key, let tells):
      (tells ? [.rekey(key: key, tells: false)] : []) + key.smaller.map { .rekey(key: $0, tells: tells) }
    case .backup(let opens): opens ? [.backup(opens: false)] : []
    case .restore(let tells): tells ? [.restore(tells: false)] : []
    case .loseAndRestore, .tryKeys, .verify: []
    case .fault(let fault, let step):
      [step] + step.simpler.map { .fault(fault, during: $0) } + fault.simpler.map { .fault($0, during: step) }
    }
  }
}

extension ModelFault {
  fileprivate var simpler: [ModelFault] {
    switch self {
    case .powerCut(let point, let state):
      point.smaller.map { .powerCut(point: $0, state: state) }
        + state.smaller.map { .powerCut(point: point, state: $0) }
    case .kill(let call, let isHalf):
      (isHalf ? [.kill(call: call, isHalf: false)] : [])
        + call.smaller.filter { $0 > 0 }.map { .kill(call: $0, isHalf: isHalf) }
    case .failing(let call, let forEver, let isFull, let isHalf):
      (forEver ? [.failing(call: call, forEver: false, isFull: isFull, isHalf: isHalf)] : [])
        + (isHalf ? [.failing(call: call, forEver: forEver, isFull: isFull, isHalf: false)] : [])
        + call.smaller.filter { $0 > 0 }.map { .failing(call: $0, forEver: forEver, isFull: isFull, isHalf: isHalf) }
    }
  }
}

extension [ModelWrite] {
  /// Half of them, all but one, and each made simpler.
  fileprivate var simpler: [[ModelWrite]] {
    var found: [[ModelWrite]] = isEmpty ? [] : [[]]
    if count > 3 { found += [Array(prefix(count / 2)), Array(suffix(count - count / 2))] }
    guard count <= 8 else { return found }
    for place in indices {
      if count > 1 { found.append(self.enumerated().filter { $0.offset != place }.map(\.element)) }
      for simpler in self[place].simpler {
        var other = self
        other[place] = simpler
        found.append(other)
      }
    }
    return found
  }
}

extension ModelWrite {
  fileprivate var simpler: [ModelWrite] {
    func with(_ change: (inout ModelWrite) -> Void) -> ModelWrite {
      var other = self
      change(&other)
      return other
    }
    var found: [ModelWrite] = []
    switch condition {
    case .any: break
    case .absent, .current: found.append(with { $0.condition = .any })
    case .ahead(let distance):
      found.append(with { $0.condition = .any })
      found += distance.smaller.map { (distance) in with { $0.condition = .ahead(distance) } }
    case .version(let version):
      found.append(with { $0.condition = .any })
      found += version.smaller.map { (version) in with { $0.condition = .version(version) } }
    }
    found += name.smaller.map { (name) in with { $0.name = name } }
    found += length.smaller.map { (length) in with { $0.length = length } }
    if first > 0 { found.append(with { $0.first = 0 }) }
    return found
  }
}

extension FixedWidthInteger {
  /// Zero, half, and one less.
  fileprivate var smaller: [Self] {
    guard self > 0 else { return [] }
    var found: [Self] = [0]
    if self / 2 > 0 { found.append(self / 2) }
    if self - 1 > self / 2 { found.append(self - 1) }
    return found
  }
}
