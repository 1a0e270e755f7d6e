import Glibc

/// Somebody who takes part, in one of his lives: a process, and what it has said so far.
final class KillPlayer {
  enum Role: Equatable { case writer(Int), reader(Int), compactor }

  let role: Role
  let life: Int
  let process: ChildProcess
  /// Whether it has opened the vault.
  var isReady = false
  /// The batches that it has begun, and not said what became of.
  var begun: Set<BatchID> = []
  var acknowledged = 0
  var refusals = 0
  /// What it is doing to the file at this moment.
  var verb: String?

  init(_ role: Role, life: Int, _ process: ChildProcess) {
    (self.role, self.life, self.process) = (role, life, process)
  }

  var isWriter: Bool { if case .writer = role { true } else { false } }

  /// The words by which the program is told its part.
  static func words(_ role: Role) -> [String] {
    switch role {
    case .writer(let number): ["writer", "\(number)"]
    case .reader(let number): ["reader", "\(number)"]
    case .compactor: ["compactor", "0"]
    }
  }
}
