import Testing

@testable import VaultVectors

@Suite("Scenario files")
struct ScenarioReaderTests {
  private static let sound = """
    expect: success
    expect-without-key: success
    offset: 128
    key: \(String(repeating: "0a", count: 32))
    pin: 00
    seed: 0102
    comment: Nothing.
    record: 1 put 61 62
    record: 2 delete 61 -


    """

  private func read(_ text: String) throws(VectorError) -> Scenario {
    try ScenarioReader.scenario(of: Array(text.utf8))
  }

  // Every field arrives, and the vault begins behind the empty line.
  @Test func aSoundFileIsRead() throws {
    let scenario = try read(Self.sound + "vault\n\n")
    #expect(scenario.expected == .success)
    #expect(scenario.offset == 128)
    #expect(scenario.credential == .key([UInt8](repeating: 10, count: 32)))
    #expect(scenario.pin == [0])
    #expect(scenario.seed == [1, 2])
    #expect(scenario.records.map(\.version) == [1, 2])
    #expect(scenario.vault == Array("vault\n\n".utf8))
  }

  // A field that is missing, unknown, repeated, out of order or wrong is an error that names its line.
  @Test(arguments: [
    ("expect: success\n", "", "line 1"), ("expect: success", "expect: fine", "line 1"),
    ("expect-without-key: success\n", "", "line 2"), ("offset: 128", "offset: 0128", "line 3"),
    ("offset: 128", "offset: -1", "line 3"), ("key: 0a", "key: ", "line 4"), ("key: 0a", "key: 0", "line 4"),
    ("key: 0a", "key: zz", "line 4"), ("pin: 00", "pin: 0", "line 5"), ("seed: 0102\n", "", "line 6"),
    ("comment: Nothing.\n", "", "line 7"), ("comment: Nothing.", "note: Nothing.", "line 7"),
    ("seed: 0102\ncomment: Nothing.", "comment: Nothing.\nseed: 0102", "line 6"),
    ("record: 1 put 61 62", "record: 1 put 61", "line 8"), ("record: 1 put", "record: 1 get", "line 8"),
    ("record: 2 delete 61 -", "record: x delete 61 -", "line 9"), ("record: 2", "records: 2", "line 9"),
    ("record: 2 delete 61 -", "record: 2 delete 61 ", "line 9"),
    ("record: 2 delete 61 -\n", "record: 2 delete 61 -\nseed: 01\n", "line 10"),
    ("expect: success", "expect: rollback", "line 9"), ("expect: success\n", "expect: success\r\n", "line 1"),
  ])
  func aWrongFileIsRefused(_ found: String, _ wrong: String, _ line: String) {
    let text = Self.sound.split(separator: found, maxSplits: 1, omittingEmptySubsequences: false).joined(
      separator: wrong)
    #expect(text != Self.sound)
    do throws(VectorError) {
      _ = try read(text)
      Issue.record("it was read")
    } catch {
      #expect(error.location == line, "\(error)")
    }
  }

  // A file that ends in its header is no scenario, and never counts as one.
  @Test func everyCutIsRefused() {
    let bytes = Array(Self.sound.utf8)
    for count in 0..<bytes.count {
      #expect(throws: VectorError.self) { try ScenarioReader.scenario(of: Array(bytes.prefix(count))) }
    }
  }
}
