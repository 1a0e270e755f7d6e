public import VaultEngine

extension Retention {
  /// The newest value of every name and all events; but no entry whose time, given when it was put, is over.
  ///
  /// - Parameter time: now, in microseconds since 1970.
  public static func tokens(at time: Int64) -> Retention {
    var retention = Retention()
    retention.isOver = { (value) in
      // What is no token's entry is kept: whoever reads it is told.
      guard let entry = try? EntryValue.decode(value).value, let expiry = entry.expiry else { return false }
      return expiry <= time
    }
    return retention
  }
}
