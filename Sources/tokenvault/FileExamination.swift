import Glibc
import TokenVault
import VaultEngine

/// Looks at the vault file and at what lies around it, and touches nothing.
struct FileExamination {
  private let path: String
  private let folder: String
  private let storage: FileStorage
  private let status: stat?

  /// - Parameter path: of the vault.
  init(_ path: String) {
    self.path = path
    folder = FileFacts.folder(of: path)
    storage = FileStorage(path: path)
    status = FileFacts.status(path)
  }

  /// Everything, in the order in which it is told.
  var findings: [Diagnosis] {
    [vault, directory, lock, refreshLock, fileSystem, room].compactMap { $0 } + temporaries + tornCopies
  }

  private var vault: Diagnosis {
    let name = "vault"
    guard let status else {
      return .problem(
        name, "there is no file at \(path)", "make a vault with 'tokenvault init', or name another with --vault",
        .noVault)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFLNK:
      return .problem(
        name, "\(path) is a symbolic link, which is not followed", "name the file that it leads to", .config)
    default:
      return .problem(name, "\(path) is not a regular file", "name a vault with --vault", .config)
    }
    if status.st_mode & 0o077 != 0 { return Self.open(name, path, status) }
    guard unsafe access(path, R_OK) == 0 else {
      return .problem(
        name, "\(path) belongs to user \(status.st_uid), and user \(geteuid()) may not open it", "run as its owner", .io
      )
    }
    if let stranger = Self.stranger(name, path, status) { return stranger }
    guard status.st_nlink == 1 else {
      return .warning(
        name, "the file has \(status.st_nlink) names, of which a compaction would replace one alone",
        "remove the other names; a copy is no backup while it is the same file")
    }
    return .ok(name, "\(path), \(status.st_size) bytes, for its owner alone")
  }

  private var directory: Diagnosis {
    let name = "directory"
    guard let status = FileFacts.status(folder, followingLinks: true), status.st_mode & S_IFMT == S_IFDIR else {
      return .problem(name, "there is no directory \(folder)", "mkdir -m 700 \(Self.quoted(folder))", .cannotCreate)
    }
    // With the sticky bit, others can't rename or remove what is not theirs.
    if status.st_mode & 0o022 != 0, status.st_mode & S_ISVTX == 0 {
      return .warning(
        name, "others may put files in \(folder), and another vault in the place of this one",
        "chmod go-w \(Self.quoted(folder))")
    }
    if let stranger = Self.stranger(name, folder, status), status.st_uid != 0 { return stranger }
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      return .warning(
        name, "this user may not write to \(folder): the vault can be read alone", "let a user write to it who may")
    }
    return .ok(name, "\(folder), where others can't take the vault's place")
  }

  private var lock: Diagnosis {
    let name = "lock"
    let lockPath = path + ".lock"
    guard let status = FileFacts.status(lockPath) else { return .ok(name, "none yet; the first writer makes it") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      return .problem(
        name, "\(lockPath) is not a regular file", "see what it is, and remove it while nobody writes", .config)
    }
    // Who can open it can hold it, and keep every writer waiting.
    if status.st_mode & 0o077 != 0 {
      return .warning(
        name, "\(lockPath) can be held by others than its owner", "chmod 600 \(Self.quoted(lockPath))")
    }
    if let stranger = Self.stranger(name, lockPath, status) { return stranger }
    do {
      _ = try storage.lock(.shared, wait: .zero)
      return .ok(name, "free")
    } catch {
      guard error.code == .locked else { return .problem(name, error.sentence, error.remedy, ExitCode(error.code)) }
      return .warning(
        name, "held: another process is writing at this moment",
        "if it stays so, this tells which: fuser -v \(Self.quoted(lockPath))")
    }
  }

  /// `nil` as long as nothing was refreshed.
  private var refreshLock: Diagnosis? {
    let name = "refresh lock"
    let lockPath = path + ".refresh"
    guard let status = FileFacts.status(lockPath) else { return nil }
    guard status.st_mode & S_IFMT == S_IFREG else {
      return .problem(
        name, "\(lockPath) is not a regular file", "see what it is, and remove it while nobody refreshes", .config)
    }
    if status.st_mode & 0o077 != 0 { return Self.open(name, lockPath, status) }
    return Self.stranger(name, lockPath, status) ?? .ok(name, "for its owner alone")
  }

  /// `nil` where there is no directory.
  private var fileSystem: Diagnosis? {
    let name = "file system"
    guard let system = try? FileSystem(of: folder) else { return nil }
    switch system.kind {
    case .local: return .ok(name, "\(system.name), on this machine")
    case .memory:
      return .warning(
        name, "\(system.name) lies in memory: everything is gone when the machine stops", "move the vault to a disk")
    case .network:
      return .warning(
        name, "\(system.name): locks between machines, and what a flush promises, depend on the other side",
        "move the vault to a disk of this machine, or let one machine alone write to it")
    case .layered:
      return .warning(
        name, "\(system.name): in a container the vault may go away with it", "keep the vault on a mounted volume")
    case .unknown:
      return .warning(
        name, "the file system \(system.name) is not one that is known here",
        "make sure that it honours flock and fdatasync")
    }
  }

  /// `nil` where there is no directory.
  private var room: Diagnosis? {
    let name = "free space"
    guard let free = try? FileSystem(of: folder).free else { return nil }
    // A compaction writes a second file before it removes the first.
    let wanted = max(UInt64(max(status?.st_size ?? 0, 0)), 1 << 26)
    let text = "\(free >> 20) MiB"
    if free < 1 << 20 { return .problem(name, "\(text): writes will fail", "make room on the disk", .io) }
    guard free >= wanted else {
      return .warning(name, "\(text), too little for a second copy of the vault", "make room on the disk")
    }
    return .ok(name, text)
  }

  private var temporaries: [Diagnosis] {
    let all = storage.temporaries
    guard !all.isEmpty else { return [.ok("temporaries", "none")] }
    return all.map { (path) in
      .warning(
        "temporaries", "\(path) is being made, or was left by a crash", "the next write removes it, if it was left")
    }
  }

  private var tornCopies: [Diagnosis] {
    let all = storage.tornCopies
    guard !all.isEmpty else { return [.ok("torn copies", "none")] }
    return all.map { (path) in
      .warning(
        "torn copies", "\(path) keeps what an interrupted write left; nothing in it was acknowledged",
        "once nobody asks for it: rm \(Self.quoted(path))")
    }
  }

  private static func open(_ subject: String, _ path: String, _ status: stat) -> Diagnosis {
    let mode = String(status.st_mode & 0o777, radix: 8)
    return .problem(
      subject, "\(path) can be opened by others than its owner (mode \(mode))", "chmod 600 \(quoted(path))", .config)
  }

  /// What belongs to another user can be changed by him.
  private static func stranger(_ subject: String, _ path: String, _ status: stat) -> Diagnosis? {
    guard status.st_uid != geteuid() else { return nil }
    return .warning(
      subject, "\(path) belongs to user \(status.st_uid), and this is user \(geteuid())",
      "run as its owner, or: chown \(geteuid()) \(quoted(path))")
  }

  private static func quoted(_ path: String) -> String { CommandLineText.quoted(path) }
}
