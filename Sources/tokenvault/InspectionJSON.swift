import JSONText
import VaultEngine

/// What `inspect --json` prints: one object. What only a key tells is null without one.
struct InspectionJSON {
  private let vault: Inspection
  private let path: String

  /// - Parameter path: of the vault file.
  init(_ vault: Inspection, path: String) {
    self.vault = vault
    self.path = path
  }

  /// The object.
  var value: JSONValue {
    .object([
      ("vault", .string(path)), ("format", .string("\(vault.majorVersion).\(vault.minorVersion)")),
      ("vault_id", .string(vault.vaultID)), ("file_id", .string(vault.fileID)),
      ("generation", .unsigned(vault.generation)), ("read_only", .bool(vault.isReadOnly)),
      ("bytes", .unsigned(vault.fileLength)), ("committed_bytes", .unsigned(vault.committedLength)),
      ("torn_bytes", .unsigned(vault.tornBytes)),
      ("padding", .integer(Int64(vault.padding))), ("deflate", .bool(vault.allowsDeflate)),
      ("batches", .unsigned(vault.batches)), ("head", .string(vault.head)), ("sequence", .unsigned(vault.sequence)),
      ("slots", .array(vault.slots.map(Self.slot))), ("terms", .array(vault.terms.map(Self.term))),
      ("types", .array(vault.kinds.map(Self.kind))),
      ("index", vault.index.map(Self.index) ?? .null), ("records_since_root", .unsigned(vault.recordsSinceRoot)),
      ("content", vault.content.map(Self.content) ?? .null),
    ])
  }

  private static func slot(_ slot: Inspection.Slot) -> JSONValue {
    .object([
      ("slot", .integer(Int64(slot.number))), ("kind", .string(slot.kind)), ("cost", .string(slot.cost)),
      ("created", .string(Timestamp.full(slot.created))),
    ])
  }

  private static func term(_ term: Inspection.Term) -> JSONValue {
    .object([
      ("term", .integer(Int64(term.number))), ("frames", .unsigned(term.frames)),
      ("created", term.created.map { .string(Timestamp.full($0)) } ?? .null),
    ])
  }

  private static func kind(_ kind: Inspection.Kind) -> JSONValue {
    .object([
      ("type", .string(kind.name)), ("frames", .unsigned(kind.frames)), ("bytes", .unsigned(kind.bytes)),
      ("live_frames", kind.live.map { .unsigned($0.frames) } ?? .null),
      ("live_bytes", kind.live.map { .unsigned($0.bytes) } ?? .null),
    ])
  }

  private static func index(_ index: Inspection.Index) -> JSONValue {
    let runs = index.runs.map { (runs) in
      JSONValue.array(
        runs.map { (run) in
          .object([
            ("level", .integer(Int64(run.level))), ("pages", .unsigned(run.pages)), ("entries", .unsigned(run.entries)),
            ("segments", .integer(Int64(run.segments))), ("first_sequence", .unsigned(run.sequences.lowerBound)),
            ("last_sequence", .unsigned(run.sequences.upperBound)),
          ])
        })
    }
    return .object([
      ("root_offset", .unsigned(index.rootOffset)), ("root_sequence", .unsigned(index.rootSequence)),
      ("runs", runs ?? .null),
    ])
  }

  private static func content(_ content: InspectedContent) -> JSONValue {
    let generations = content.generations.map { (generation) in
      JSONValue.object([
        ("generation", .unsigned(generation.number)), ("made_by", .string(generation.madeBy)),
        ("created", .string(Timestamp.full(generation.created))),
        ("last_sequence", .unsigned(generation.lastSequence)), ("last_version", .unsigned(generation.lastVersion)),
      ])
    }
    return .object([
      ("writer", .string(content.writer)), ("names", .unsigned(content.names)), ("puts", .unsigned(content.puts)),
      ("deletions", .unsigned(content.deletions)), ("events", .unsigned(content.events)),
      ("oldest", content.times.map { .string(Timestamp.full($0.lowerBound)) } ?? .null),
      ("newest", content.times.map { .string(Timestamp.full($0.upperBound)) } ?? .null),
      ("bad_pages", .integer(Int64(content.badPages))), ("generations", .array(generations)),
    ])
  }
}
