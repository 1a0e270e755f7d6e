import ArgumentParser
import TokenVault
import VaultEngine

/// Says which tokens of the vault are in files.
struct Scan: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", _superCommandName: "tokenvault",
    abstract: "Say whose tokens are in files and folders; exit 6 if there are any.",
    discussion: """
      Every file of a folder is read, hidden and binary ones too, and everything that 'tokenvault help leak-check' tells of \
      is looked for. Symbolic links are not followed; pipes, sockets, devices and the vault itself are left out.

        tokenvault scan ~/src/bot /var/log

      What can't be read is told of; if nothing was found in the rest, the exit code is 74. Objects of git are compressed, \
      and nothing is found in them; for what a repository held earlier: git log -p --all | tokenvault leak-check
      """)

  @Argument(help: "Files and folders.")
  var paths: [String]
  @Option(help: ArgumentHelp("Leave out files that are larger: 500K, 10M, 2G.", valueName: "size"))
  var maxSize: ByteCount?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    var scanner = FileLeakScanner(LeakScanner(try settings.knownTokens()), vault: settings.vault)
    scanner.maxSize = maxSize?.bytes
    var run = ScanRun(settings)
    do throws(VaultError) {
      for path in paths {
        try scanner.scan(Array(path.utf8)) { (event) throws(VaultError) in try run.take(event) }
      }
    } catch {
      run.progress.end()
      throw run.failure ?? CommandFailure(error)
    }
    try run.end()
  }
}

/// What a scan has told of so far.
private struct ScanRun {
  private let settings: Settings
  private var list: LeakList
  var progress: ProgressLine
  /// Why the list could not be written.
  private(set) var failure: CommandFailure?
  private var files = 0
  private var bytes = 0
  private var unread = 0
  private var tooLarge = 0

  init(_ settings: Settings) {
    self.settings = settings
    list = LeakList(settings)
    progress = ProgressLine(settings.progress, unit: "bytes")
  }

  mutating func take(_ event: FileLeakScanner.Event) throws(VaultError) {
    switch event {
    case .found(let path, let finding):
      progress.end()
      do throws(CommandFailure) {
        try list.add(finding, in: path)
      } catch {
        failure = error
        throw VaultError(.io, "the list can't be written")
      }
    case .unread(let path, let reason):
      unread += 1
      progress.end()
      settings.note("\(TerminalText.safe(path)) was not read: \(reason)")
    case .leftOut(_, .size): tooLarge += 1
    case .leftOut: break
    case .read(let path, let count):
      bytes += count
      progress.show(TerminalText.safe(path), done: bytes)
    case .finished: files += 1
    }
  }

  /// - Throws: ``ExitCode/finding`` when something was found; else ``ExitCode/io`` when something could not be read.
  mutating func end() throws(CommandFailure) {
    progress.end()
    if tooLarge > 0 { settings.note("larger than --max-size and left out: \(tooLarge)") }
    try list.end()
    let read = counted(files, "file", "files")
    guard unread == 0 else {
      guard !settings.quiet else { throw .silent(.io) }
      throw CommandFailure(
        .io, "found nothing in \(read), but not everything could be read: \(unread)",
        remedy: "each is named above; run it as somebody who may read them")
    }
    settings.note("found nothing in \(read)")
  }
}
