import Testing
import TokenVault

extension Bench {
  /// The vault as a program has it that uses the library.
  func open() throws -> Vault {
    try Vault.open(at: vault, credential: KeySource(parsing: "file:" + keyFile).credential(.key))
  }

  /// Writes events of reads, numbered in their reason, a thousand in a batch.
  func writeEvents(_ count: Int) throws {
    let opened = try open()
    for start in stride(from: 0, to: count, by: 1000) {
      var batch = try VaultBatch()
      for number in start..<min(start + 1000, count) {
        let (name, value) = (Array("user-\(number % 7)".utf8), Array(#"{"event":"read","reason":"\#(number)"}"#.utf8))
        try batch.event(name.span, value: value.span)
      }
      try opened.commit(batch)
    }
    try opened.close()
  }
}
