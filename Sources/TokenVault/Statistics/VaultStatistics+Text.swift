internal import JSONText

extension VaultStatistics {
  /// One number, with what a person and a monitoring system need to know of it.
  package struct Metric: Sendable {
    /// Without the prefix `tokenvault_`.
    package let name: String
    /// One sentence.
    package let help: String
    /// With labels by name.
    package let samples: [(labels: [(String, String)], value: String)]

    fileprivate init(_ name: String, _ help: String, _ value: String) {
      self.init(name, help, [([], value)])
    }

    fileprivate init(_ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: String)]) {
      (self.name, self.help, self.samples) = (name, help, samples)
    }
  }

  /// All numbers, in the order in which they are shown.
  package var metrics: [Metric] {
    var metrics = [
      Metric("entries", "Tokens and accounts.", "\(entries)"),
      Metric("accounts", "Accounts, by provider and state.", accountSamples),
      Metric("entries_expired", "Entries whose access token has expired.", "\(expired)"),
      Metric("entries_expiring", "Entries whose access token expires within 24 hours.", "\(expiringWithinADay)"),
      Metric("entries_over", "Entries whose time is over, and which a compaction removes.", "\(over)"),
      Metric(
        "refreshes_interrupted", "Entries with a refresh that began and has not ended.", "\(interruptedRefreshes)"),
      Metric("refreshes_failed", "Entries whose last refresh failed.", "\(failedRefreshes)"),
      Metric("legacy_records", "Entries sealed by another program.", "\(legacyRecords)"),
      Metric("unreadable_entries", "Entries that open, and hold no token.", "\(unreadable)"),
      Metric("events", "Audit events that the file holds, by kind.", eventSamples),
      Metric("generation", "Generation of the file.", "\(generation)"),
      Metric("last_version", "Newest version that was given to a write.", "\(lastVersion)"),
      Metric("file_bytes", "Size of the file.", "\(fileBytes)"),
      Metric("live_bytes", "Bytes of what counts, estimated.", "\(liveBytes)"),
      Metric("dead_bytes", "Bytes that a compaction would free, estimated.", "\(deadBytes)"),
      Metric("terms", "Data keys that records are sealed under.", "\(terms)"),
      Metric("key_slots", "Keys and passphrases that open the vault.", "\(slots)"),
    ]
    if let newestWrite {
      let text = Self.seconds(newestWrite)
      metrics.append(Metric("newest_write_timestamp_seconds", "When the newest value or event was written.", text))
    }
    return metrics
  }

  private var accountSamples: [(labels: [(String, String)], value: String)] {
    // Names that differ in bytes alone which are no text would be one series twice.
    var counts: [String: Accounts] = [:]
    for (provider, accounts) in accounts {
      let name = String(decoding: provider, as: UTF8.self)
      counts[name, default: Accounts()].active += accounts.active
      counts[name, default: Accounts()].revoked += accounts.revoked
    }
    return counts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.flatMap { (name, accounts) in
      [
        ([("provider", name), ("state", "active")], "\(accounts.active)"),
        ([("provider", name), ("state", "revoked")], "\(accounts.revoked)"),
      ]
    }
  }

  /// Every kind, so that a series does not begin with the first event that somebody wants to be told of.
  private var eventSamples: [(labels: [(String, String)], value: String)] {
    AuditEvent.Kind.allCases.map { ([("event", $0.rawValue)], "\(events[$0] ?? 0)") }
  }

  /// Microseconds as seconds, exactly.
  private static func seconds(_ microseconds: Int64) -> String {
    let rest = String(microseconds.magnitude % 1_000_000)
    let sign = microseconds < 0 ? "-" : ""
    return "\(sign)\(microseconds.magnitude / 1_000_000).\(String(repeating: "0", count: 6 - rest.count))\(rest)"
  }

  // MARK: Prometheus

  /// The numbers in the text format of Prometheus (version 0.0.4), all of them gauges.
  public var prometheusText: String {
    var text = ""
    for metric in metrics where !metric.samples.isEmpty {
      let name = "tokenvault_" + metric.name
      text += "# HELP \(name) \(metric.help)\n# TYPE \(name) gauge\n"
      for (labels, value) in metric.samples {
        let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += name + (pairs.isEmpty ? "" : "{\(pairs)}") + " \(value)\n"
      }
    }
    return text
  }

  /// As the format asks for: only these three characters have a meaning in a label's value. By scalars: a line end behind a
  /// carriage return is no character of its own.
  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  // MARK: JSON

  /// The numbers as one JSON object.
  public var json: String {
    var members: [(String, JSONValue)] = []
    for metric in metrics {
      switch metric.name {
      case "accounts":
        let accounts = metric.samples.map { (labels, value) in
          JSONValue.object(labels.map { ($0.0, .string($0.1)) } + [("count", .number(value))])
        }
        members.append((metric.name, .array(accounts)))
      case "events":
        let events = metric.samples.map { (labels, value) in (labels[0].1, JSONValue.number(value)) }
        members.append((metric.name, .object(events)))
      default: members.append((metric.name, .number(metric.samples[0].value)))
      }
    }
    return JSONValue.object(members).text
  }
}
