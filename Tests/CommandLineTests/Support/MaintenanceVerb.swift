/// A maintenance command, and a folder in which it finds what it needs: a vault of some tokens, a second key, and a backup.
enum MaintenanceVerb: String, CaseIterable {
  case rotate, rekey, compact, restore, restoreWhereNothingIs, backup, keyAdd, keyChange, keyRemove

  func call(in folder: MaintenanceFolder) -> Call {
    let key = ["--new-key", folder.newKey]
    return switch self {
    case .rotate: folder.call("rotate")
    case .rekey: folder.call(["rekey"] + key)
    case .compact: folder.call("compact")
    case .restore: folder.call("restore", folder.copy, "--accept-rollback", "--reason", "test")
    case .restoreWhereNothingIs: folder.call("restore", folder.copy)
    case .backup: folder.call("backup", folder.made, "--replace")
    case .keyAdd: folder.call(["key", "add"] + key)
    case .keyChange: folder.call(["key", "change"] + key)
    case .keyRemove: folder.call("key", "remove", "2")
    }
  }
}

/// What a folder's vaults are, as far as any verb may change it.
struct MaintenanceState: Equatable {
  /// What the first key, the second and the third open; `nil` when it opens nothing.
  var opened: [[String: Int]?]
  /// What the first key opens of the copy that `backup` makes.
  var made: [String: Int]?
  var generation: UInt64?
}
