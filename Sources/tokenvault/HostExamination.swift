import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Looks at the key and at the machine.
struct HostExamination {
  private let settings: Settings

  init(_ settings: Settings) { self.settings = settings }

  /// Everything, in the order in which it is told.
  var findings: [Diagnosis] { [keySource, opening, clock, cores, memory].compactMap { $0 } }

  /// Where the key comes from; whether it can be had is seen where it is used.
  private var keySource: Diagnosis {
    let name = "key source"
    guard let source = settings.source else {
      return .warning(name, "no key or passphrase was named, and none was tried", Settings.sources)
    }
    switch source.place {
    case .environment:
      return .warning(
        name, "\(source.place): every program that is started from here is given it too", "use file: or cred: instead")
    case .file(let path) where FileFacts.folder(of: path) == FileFacts.folder(of: settings.vault):
      return .warning(
        name, "\(source.place) lies beside the vault: whoever copies the folder has the tokens",
        "move it to another folder, which backups of the vault leave out")
    default: return .ok(name, source.place.description)
    }
  }

  /// `nil` when there is nothing to open, or nothing to open it with.
  private var opening: Diagnosis? {
    guard settings.source != nil, FileFacts.exists(settings.vault) else { return nil }
    let name = "opening"
    do {
      var options = VaultOptions()
      options.readOnly = true
      let vault = try Vault.open(at: settings.vault, credential: settings.credential(), options: options)
      let names = try vault.snapshot().count
      return .ok(name, "the key opens the vault, which holds \(counted(names, "entry", "entries"))")
    } catch let error as VaultError {
      return .problem(name, error.description, error.remedy, ExitCode(error.code))
    } catch let failure as CommandFailure {
      return .problem(name, failure.sentence, failure.remedy, failure.exit)
    } catch {
      return .problem(name, "the vault can't be opened", nil, .failure)
    }
  }

  private var clock: Diagnosis {
    let name = "clock"
    let now = Timestamp.now
    let remedy = "set the clock: records are stamped by it, and tokens expire by it"
    // No release of this program is older.
    guard now > 1_767_225_600 else {
      return .warning(name, "it shows \(Timestamp.ofSeconds(now)), which is in the past", remedy)
    }
    let written = FileFacts.status(settings.vault).map { Int64($0.st_mtim.tv_sec) } ?? 0
    guard written <= now + 300 else {
      return .warning(name, "it shows \(Timestamp.ofSeconds(now)), and the vault was written after that", remedy)
    }
    return .ok(name, Timestamp.ofSeconds(now))
  }

  private var cores: Diagnosis {
    let name = "core dumps"
    // The limit that the command has set for itself does not hold where a program takes the dump.
    guard let pattern = FileFacts.firstByte(of: "/proc/sys/kernel/core_pattern"), pattern == UInt8(ascii: "|") else {
      return .ok(name, "off in this command")
    }
    return .warning(
      name, "the system hands the memory of crashed processes to a program: of those that this command starts, too",
      "let the kernel write core files, which are off here: sysctl -w kernel.core_pattern=core")
  }

  private var memory: Diagnosis {
    let name = "locked memory"
    let isLocked = (try? SecretBytes(capacity: 32))?.isLocked ?? false
    guard isLocked else {
      return .warning(
        name, "keys can't be kept out of swap: this process may not lock memory",
        "ulimit -l 1024; or LimitMEMLOCK=1M in the service's unit")
    }
    return .ok(name, "keys stay out of swap and core dumps")
  }
}
