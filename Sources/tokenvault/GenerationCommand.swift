import ArgumentParser
import JSONText
import TokenVault
import VaultEngine
import VaultFormat

/// A command that puts a new generation in the place of the vault's file.
protocol GenerationCommand: VaultCommand {
  /// What it does to the vault, in the past: `rotated`.
  static var done: String { get }
  /// What its event says.
  static var event: AuditEvent.Kind { get }
}

extension GenerationCommand {
  /// The options that count for it.
  func options(_ settings: Settings, shreds: Bool = false, skipsDamaged: Bool = false) -> MaintenanceOptions {
    var options = MaintenanceOptions()
    options.lockTimeout = settings.lockTimeout
    options.shreds = shreds
    options.skipsDamaged = skipsDamaged
    let (kind, context) = (Self.event, settings.context)
    options.event = { AuditEvent.ofVault(kind, by: context, making: $0) }
    return options
  }

  /// Runs `body`, which is given something to tell its progress to.
  func showingProgress(
    _ settings: Settings, _ body: (@escaping (MaintenanceProgress) -> Void) throws -> MaintenanceReport
  ) throws -> MaintenanceReport {
    var line = ProgressLine(settings.progress, unit: "frames")
    defer { line.end() }
    return try body { (state) in
      line.show(
        Self.configuration.commandName ?? "", done: Int(clamping: state.done), total: Int(clamping: state.total))
    }
  }

  /// Says what became of the vault.
  ///
  /// - Throws: ``ExitCode/finding`` when damaged records were left out.
  func tell(_ report: MaintenanceReport, _ settings: Settings, shreds: Bool = false) throws {
    if settings.json {
      try Output.line(Self.json(report, settings).text)
    } else {
      settings.note(
        "\(Self.done) \(settings.vault): generation \(report.generation), \(counted(report.names, "name", "names")), "
          + "\(report.bytesBefore) bytes before, \(report.bytesAfter) now")
    }
    if shreds {
      settings.note(
        "the old file was overwritten; a disk or file system that writes elsewhere than it read from (SSD, copy-on-write) "
          + "may keep its bytes, and backups do")
    }
    guard let first = report.damaged.first else { return }
    for damage in report.damaged { settings.note("left out: \(damage)") }
    var failure = CommandFailure(
      .finding, "\(report.damaged.count) damaged frames were left out; what they held is not in the vault any more",
      remedy: "put the tokens concerned again, or restore a backup")
    (failure.offset, failure.sequence) = (first.offset, first.sequence)
    throw failure
  }

  /// The report as JSON.
  static func json(_ report: MaintenanceReport, _ settings: Settings) -> JSONValue {
    let damaged = report.damaged.map { (damage) in
      JSONValue.object([
        ("code", .string(damage.code.description)), ("offset", damage.offset.map { .unsigned($0) } ?? .null),
        ("sequence", damage.sequence.map { .unsigned($0) } ?? .null), ("message", .string(damage.sentence)),
      ])
    }
    return .object([
      ("vault", .string(settings.vault)), ("generation", .unsigned(report.generation)),
      ("names", .integer(Int64(report.names))), ("records", .integer(Int64(report.kept))),
      ("dropped_records", .integer(Int64(report.superseded))), ("dropped_events", .integer(Int64(report.events))),
      ("expired", .integer(Int64(report.over))), ("bytes_before", .unsigned(report.bytesBefore)),
      ("bytes_after", .unsigned(report.bytesAfter)), ("damaged", .array(damaged)),
      ("locked_ms", .integer(Int64(report.lockedFor / .milliseconds(1)))),
      ("dropped_slots", .array(report.droppedSlots.map { .unsigned(UInt64($0)) })),
    ])
  }
}
