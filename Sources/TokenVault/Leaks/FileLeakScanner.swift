internal import Glibc
public import VaultEngine

/// Looks for a vault's tokens in files and folders, and what is in these.
///
/// Symbolic links, pipes, sockets and devices are not followed or read, nor are folders that the kernel makes up (`/proc`).
/// Files are read as ``LeakScanner`` reads texts, whatever is in them. What can't be read is told of, and the others are read.
public struct FileLeakScanner: Sendable {
  /// What is told of while files are read.
  public enum Event: Sendable {
    /// A token was found in the file at a path.
    case found([UInt8], LeakFinding)
    /// What is at the path could not be read, for this reason; what of it was read is told of.
    case unread([UInt8], String)
    /// What is at the path was left out.
    case leftOut([UInt8], Reason)
    /// These bytes of the file at the path were read.
    case read([UInt8], Int)
    /// The file at the path was read to its end.
    case finished([UInt8])
  }

  /// Why something is left out.
  public enum Reason: Sendable {
    /// It is a symbolic link.
    case link
    /// It is no file and no folder.
    case special
    /// It is the vault.
    case vault
    /// It is larger than ``FileLeakScanner/maxSize``.
    case size
    /// It is a folder that the kernel makes up.
    case madeUp
  }

  /// Bytes of the largest file that is read; `nil` for any.
  public var maxSize: UInt64?
  private let scanner: LeakScanner
  private let vault: FileFact?

  /// - Parameter vault: path of the vault, which is left out wherever it is met.
  public init(_ scanner: LeakScanner, vault: String) {
    self.scanner = scanner
    self.vault = try? FileTree.fact(Array(vault.utf8))
  }

  /// Looks through what is at `path`, in the order of the names' bytes.
  ///
  /// A path that is itself neither a file nor a folder is told of as unread.
  ///
  /// - Parameter tell: is told of everything as it comes.
  /// - Throws: what `tell` throws; `crypto-failure` when there is no memory.
  public func scan(_ path: [UInt8], tell: (Event) throws(VaultError) -> Void) throws(VaultError) {
    var waiting = [Place(path: path, device: nil)]
    while let place = waiting.popLast() {
      let fact: FileFact
      do throws(FileTree.Failure) {
        fact = try FileTree.fact(place.path)
      } catch {
        try tell(.unread(place.path, error.sentence))
        continue
      }
      if let reason = reasonToLeaveOut(fact, place) {
        try tell(place.device == nil ? .unread(place.path, reason.sentence) : .leftOut(place.path, reason))
      } else if fact.kind == .folder {
        waiting += try contents(of: place.path, tell).reversed().map { Place(path: $0, device: fact.device) }
      } else {
        try scan(file: place.path, tell)
      }
    }
  }

  /// Something to look at, and the device of the folder that it is in; of a path that was given there is none.
  private struct Place {
    let path: [UInt8]
    let device: UInt64?
  }

  private func reasonToLeaveOut(_ fact: FileFact, _ place: Place) -> Reason? {
    switch fact.kind {
    case .link: return .link
    case .special: return .special
    case .folder: return fact.device != place.device && FileTree.isMadeUp(place.path) ? .madeUp : nil
    case .file:
      if let vault, (fact.device, fact.inode) == (vault.device, vault.inode) { return .vault }
      return maxSize.map { fact.size > $0 } ?? false ? .size : nil
    }
  }

  private func contents(
    of folder: [UInt8], _ tell: (Event) throws(VaultError) -> Void
  ) throws(VaultError) -> [[UInt8]] {
    do throws(FileTree.Failure) {
      return try FileTree.contents(of: folder)
    } catch {
      try tell(.unread(folder, error.sentence))
      return []
    }
  }

  private func scan(file path: [UInt8], _ tell: (Event) throws(VaultError) -> Void) throws(VaultError) {
    let descriptor: Int32
    do throws(FileTree.Failure) {
      descriptor = try FileTree.openFile(path)
    } catch {
      return try tell(.unread(path, error.sentence))
    }
    defer { FileTree.close(descriptor) }
    var failure: ReadFailure?
    try scanner.scan { (output) throws(VaultError) in
      let before = output.count
      do throws(ReadFailure) {
        try output.appendSome(from: descriptor)
      } catch {
        // What came before is looked through all the same.
        failure = error
      }
      try tell(.read(path, output.count - before))
    } found: { (finding) throws(VaultError) in
      try tell(.found(path, finding))
    }
    try tell(failure.map { .unread(path, $0.sentence) } ?? .finished(path))
  }
}

extension FileLeakScanner.Reason {
  /// What the path is that is left out.
  public var sentence: String {
    switch self {
    case .link: "it is a symbolic link, and none is followed"
    case .special: "it is neither a file nor a folder"
    case .vault: "it is the vault"
    case .size: "it is larger than asked for"
    case .madeUp: "it is a folder that the kernel makes up"
    }
  }
}

extension FileTree.Failure {
  /// The system's sentence.
  fileprivate var sentence: String { systemMessage(number) }
}

extension ReadFailure {
  /// Why, in a sentence.
  fileprivate var sentence: String {
    switch self {
    case .system(let number): systemMessage(number)
    case .memory(let sentence): sentence
    case .tooLong: "it is too long"
    }
  }
}
