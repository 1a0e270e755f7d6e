import VaultCrypto

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
  case primitivesOfWriting = "primitives_write"
  case primitivesOfReading = "primitives_read"
  case primitivesOfVerifying = "primitives_verify"
  case primitivesOfRotating = "primitives_rotate"
  case floorOfLoading = "floor_bulk_load"
  case floorOfDurablePut = "floor_durable_put"
  case floorOfSnapshotRead = "floor_get_snapshot"
  case floorOfFreshRead = "floor_get_fresh"
  case floorOfConcurrentPut = "floor_concurrent_durable_put_16"
  case floorOfVerification = "floor_verify"
  case floorOfRotation = "floor_rotate"

  /// The unit of the value.
  var unit: String {
    switch self {
    case .bulkLoad, .verify, .rotate, .floorOfLoading, .floorOfVerification, .floorOfRotation: "records/s"
    case .bytesPerRecord, .memoryPerName, .bytesPerRecordCompacted: "B"
    case .durablePut, .concurrentDurablePut, .floorOfDurablePut, .floorOfConcurrentPut: "ops/s"
    case .getSnapshot, .getFresh, .primitivesOfWriting, .primitivesOfReading, .primitivesOfVerifying,
      .primitivesOfRotating, .floorOfSnapshotRead, .floorOfFreshRead:
      "ns"
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
    case .primitivesOfWriting:
      try Primitives.nanoseconds { (primitives) throws(CryptoError) in try primitives.write() }
    case .primitivesOfReading:
      try Primitives.nanoseconds { (primitives) throws(CryptoError) in try primitives.open() }
    case .primitivesOfVerifying:
      try Primitives.nanoseconds { (primitives) throws(CryptoError) in try primitives.verify() }
    case .primitivesOfRotating:
      try Primitives.nanoseconds { (primitives) throws(CryptoError) in try primitives.rotate() }
    case .floorOfLoading: try subject.floorOfLoading()
    case .floorOfDurablePut: try subject.floorOfDurablePut()
    case .floorOfSnapshotRead: try subject.floorOfRead(isFresh: false)
    case .floorOfFreshRead: try subject.floorOfRead(isFresh: true)
    case .floorOfConcurrentPut: try subject.floorOfConcurrentPut(threads: 16)
    case .floorOfVerification: try subject.floorOfVerification()
    case .floorOfRotation: try subject.floorOfRotation()
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
