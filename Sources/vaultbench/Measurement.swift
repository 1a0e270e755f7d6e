/// What is measured, in this order: later ones use what earlier ones wrote.
enum Measurement: String, CaseIterable {
  case bulkLoad = "bulk_load"
  case bytesPerRecord = "bytes_per_record"
  case durablePut = "durable_put"
  case getSnapshot = "get_snapshot"
  case getFresh = "get_fresh"
  case concurrentDurablePut = "concurrent_durable_put_16"
  case verify = "verify"
  case leakCheck = "leak_check"
  case openColdGet = "open_cold_get"
  case memoryPerName = "memory_per_name"
  case rotate = "rotate"
  case bytesPerRecordCompacted = "bytes_per_record_compacted"
  case floorOfSealing = "floor_seal"
  case floorOfReading = "floor_read"
  case floorOfVerifying = "floor_verify"
  case floorOfDurablePut = "floor_durable_put"
  case floorOfConcurrentPut = "floor_concurrent_durable_put_16"

  /// The unit of the value.
  var unit: String {
    switch self {
    case .bulkLoad, .verify, .rotate: "records/s"
    case .bytesPerRecord, .memoryPerName, .bytesPerRecordCompacted: "B"
    case .durablePut, .concurrentDurablePut, .floorOfDurablePut, .floorOfConcurrentPut: "ops/s"
    case .getSnapshot, .getFresh, .floorOfSealing, .floorOfReading, .floorOfVerifying: "ns"
    case .openColdGet: "ms"
    case .leakCheck: "MB/s"
    }
  }

  /// Measures it.
  func value(of subject: Subject) throws -> Double {
    switch self {
    case .bulkLoad: subject.loadRate
    case .bytesPerRecord: try subject.bytesPerRecord()
    case .durablePut: try subject.durablePut()
    case .getSnapshot: try subject.getSnapshot()
    case .getFresh: try subject.getFresh()
    case .concurrentDurablePut: try subject.concurrentDurablePut(threads: 16)
    case .verify: try subject.verify()
    case .leakCheck: try subject.leakCheck()
    case .openColdGet: try subject.openColdGet()
    case .memoryPerName: try subject.memoryPerName()
    case .rotate: try subject.rotate()
    case .bytesPerRecordCompacted: try subject.bytesPerRecordCompacted()
    case .floorOfSealing: try subject.floorOfSealing()
    case .floorOfReading: try subject.floorOfReading()
    case .floorOfVerifying: try subject.floorOfVerifying()
    case .floorOfDurablePut: try subject.floorOfDurablePut()
    case .floorOfConcurrentPut: try subject.floorOfConcurrentPut(threads: 16)
    }
  }

  /// The value as it is printed: milliseconds with two places, anything else whole.
  func text(of value: Double) -> String {
    guard unit == "ms" else { return "\(Int(value.rounded()))" }
    let hundredths = Int((value * 100).rounded())
    let places = hundredths % 100
    return "\(hundredths / 100).\(places < 10 ? "0" : "")\(places)"
  }
}

/// Seconds that `body` takes.
func seconds<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) -> Double {
  let start = ContinuousClock.now
  try body()
  return (ContinuousClock.now - start) / .seconds(1)
}
