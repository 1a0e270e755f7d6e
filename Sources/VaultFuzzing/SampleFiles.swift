internal import VaultLaboratory
internal import VaultVectors

/// What inputs begin as.
enum SampleFiles {
  /// The scenarios of `testvectors/vaults` that are small enough.
  static func scenarios(in testvectors: String) -> [Scenario] {
    files(in: "\(testvectors)/vaults").compactMap { try? ScenarioReader.scenario(of: $0) }.filter {
      $0.vault.count < 1 << 14
    }
  }

  /// The vector files of a folder, with those below it; none where there is no such folder.
  static func files(in folder: String) -> [[UInt8]] {
    guard let paths = try? VectorFolder.files(at: folder) else { return [] }
    return paths.compactMap { try? VectorFolder.contents(of: $0) }
  }

  /// Vaults that the laboratory makes, whose key has 32 bytes of 7: whole, and with the power cut at some points.
  static var ofTheLaboratory: [[UInt8]] {
    guard let trace = try? Trace(Trace.ordinary, seed: 1) else { return [] }
    let disk = trace.disk
    var files: [[UInt8]] = []
    for point in stride(from: disk.journal.count, to: 0, by: -7) {
      var images = CrashImages(of: disk, at: point, budget: 16, seed: UInt64(point))
      files += images.all().compactMap { $0[SimulatedStorage.name] }
    }
    return files.filter { $0.count < 1 << 14 }
  }
}
