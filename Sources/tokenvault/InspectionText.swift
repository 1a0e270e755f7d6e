import VaultEngine

/// What `inspect` prints for people.
struct InspectionText {
  private let vault: Inspection
  private let path: String

  /// - Parameter path: of the vault file.
  init(_ vault: Inspection, path: String) {
    self.vault = vault
    self.path = path
  }

  /// All of it, in tables.
  var text: String {
    var parts = [facts, slots, terms, kinds]
    if let runs = vault.index?.runs, !runs.isEmpty { parts.append(Self.table(of: runs)) }
    if let content = vault.content { parts.append(Self.table(of: content.generations)) }
    return parts.joined(separator: "\n")
  }

  private var facts: String {
    var table = Table()
    table.add(["vault", TerminalText.safe(path)])
    let version = "\(vault.majorVersion).\(vault.minorVersion)"
    table.add(["format", vault.isReadOnly ? version + ", to be read alone" : version])
    table.add(["vault id", vault.vaultID])
    table.add(["file id", vault.fileID])
    table.add(["generation", "\(vault.generation)"])
    table.add(["length", length])
    table.add(["padding", "to \(vault.padding) bytes"])
    table.add(["deflate", vault.allowsDeflate ? "allowed" : "off"])
    table.add(["batches", "\(vault.batches)"])
    table.add(["index", index])
    if let content = vault.content {
      table.add(["records", "\(content.puts) puts, \(content.deletions) deletions, \(content.events) events"])
      table.add(["names", "\(content.names) live"])
      if let times = content.times {
        table.add(["written", "\(Timestamp.seconds(times.lowerBound)) to \(Timestamp.seconds(times.upperBound))"])
      }
      table.add(["made by", TerminalText.safe(content.writer)])
    }
    table.add(["head", vault.head.isEmpty ? "-" : "\(vault.head) at sequence \(vault.sequence)"])
    if vault.content == nil, vault.damage == nil {
      table.add(["with a key", "also generations, what a compaction would spare, the index's runs, records' times"])
    }
    return table.text
  }

  private var length: String {
    let behind = vault.fileLength - vault.committedLength
    var text = "\(vault.fileLength) bytes, \(vault.committedLength) of them committed"
    guard behind > 0, vault.damage == nil else { return text }
    if vault.tornBytes > 0 { text += ", \(vault.tornBytes) of an interrupted write" }
    if behind > vault.tornBytes { text += ", \(behind - vault.tornBytes) zero bytes ahead" }
    return text
  }

  private var index: String {
    guard let index = vault.index else { return "none: opening reads all \(vault.recordsSinceRoot) records" }
    var text = "root at byte \(index.rootOffset) (frame \(index.rootSequence))"
    text += ", \(vault.recordsSinceRoot) records behind it"
    if let bad = vault.content?.badPages, bad > 0 { text += "; \(bad) pages can't be read" }
    return text
  }

  private var slots: String {
    var table = Table(["SLOT", "OPENS WITH", "COST", "SINCE"])
    for slot in vault.slots {
      table.add(["\(slot.number)", slot.kind, slot.cost, Timestamp.seconds(slot.created)])
    }
    return table.text
  }

  private var terms: String {
    var table = Table(["TERM", "FRAMES", "SINCE"])
    for term in vault.terms {
      table.add(["\(term.number)", "\(term.frames)", term.created.map { Timestamp.seconds($0) } ?? "-"])
    }
    return table.text
  }

  private var kinds: String {
    var table = Table(["FRAMES OF", "COUNT", "BYTES", "LIVE", "LIVE BYTES", "DEAD BYTES"])
    for kind in vault.kinds {
      var row = [kind.name, "\(kind.frames)", "\(kind.bytes)"]
      if let live = kind.live {
        row += ["\(live.frames)", "\(live.bytes)", "\(kind.bytes - min(live.bytes, kind.bytes))"]
      } else {
        row += ["-", "-", "-"]
      }
      table.add(row)
    }
    return table.text
  }

  private static func table(of runs: [Inspection.Index.Run]) -> String {
    var table = Table(["RUN", "LEVEL", "PAGES", "ENTRIES", "SEGMENTS", "COVERS FRAMES"])
    for (number, run) in runs.enumerated() {
      table.add([
        "\(number + 1)", "\(run.level)", "\(run.pages)", "\(run.entries)", "\(run.segments)",
        "\(run.sequences.lowerBound) to \(run.sequences.upperBound)",
      ])
    }
    return table.text
  }

  private static func table(of generations: [InspectedContent.Generation]) -> String {
    var table = Table(["GENERATION", "MADE BY", "SINCE", "LAST FRAME", "LAST VERSION"])
    for generation in generations {
      table.add([
        "\(generation.number)", generation.madeBy, Timestamp.seconds(generation.created), "\(generation.lastSequence)",
        "\(generation.lastVersion)",
      ])
    }
    return table.text
  }
}
