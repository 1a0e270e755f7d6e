import JSONText
import TokenVault

/// What `show` says of a refresh that has not ended.
extension RefreshState {
  /// A row of a table; `nil`, if there is nothing to say.
  var row: [String]? {
    switch self {
    case .none: nil
    case .running(let since): ["refresh", "running since " + Timestamp.seconds(since)]
    case .interrupted(let time): ["refresh", "interrupted at " + Timestamp.seconds(time)]
    }
  }

  /// The members of a document.
  var members: [(String, JSONValue)] {
    switch self {
    case .none: []
    case .running(let since): [("refresh_running_since", .string(Timestamp.full(since)))]
    case .interrupted(let time): [("refresh_interrupted_at", .string(Timestamp.full(time)))]
    }
  }
}
