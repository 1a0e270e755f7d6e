internal import JSONText
internal import VaultCrypto

/// Wycheproof's JSON, version 1 of its schemas, with one test in a line.
enum WycheproofText {
  /// One test: bytes by name.
  struct Test {
    let comment: String
    let isValid: Bool
    private var members: [(String, [UInt8])]

    init(_ comment: String, _ isValid: Bool, _ members: [(String, [UInt8])]) {
      self.comment = comment
      self.isValid = isValid
      self.members = members
    }

    subscript(_ name: String) -> [UInt8] { members.first { $0.0 == name }?.1 ?? [] }

    /// The same test with more members.
    func adding(_ more: [(String, [UInt8])]) -> Test {
      var test = self
      test.members += more
      return test
    }

    fileprivate func json(number: Int) -> JSONValue {
      let head: [(String, JSONValue)] = [
        ("tcId", .integer(Int64(number))), ("comment", .string(comment)), ("flags", .array([])),
      ]
      let bytes = members.map { ($0.0, JSONValue.string($0.1.span.hex)) }
      return .object(head + bytes + [("result", .string(isValid ? "valid" : "invalid"))])
    }
  }

  /// Tests of one kind.
  struct Group {
    let type: String
    /// Sizes in bits.
    let sizes: [(String, Int)]
    var tests: [Test] = []
  }

  /// The file of all groups.
  static func file(algorithm: String, schema: String, _ groups: [Group]) -> [UInt8] {
    var number = 0
    let values = groups.map { (group) in
      let head: [(String, JSONValue)] = [
        ("type", .string(group.type)),
        ("source", .object([("name", .string("tokenvault")), ("version", .string("1"))])),
      ]
      let sizes = group.sizes.map { ($0.0, JSONValue.integer(Int64($0.1))) }
      let tests = group.tests.map { (test) in
        number += 1
        return test.json(number: number).text
      }
      return JSONValue.object(head + sizes + [("tests", .verbatim("[\n" + tests.joined(separator: ",\n") + "]"))])
    }
    let file = JSONValue.object([
      ("algorithm", .string(algorithm)), ("schema", .string(schema)), ("numberOfTests", .integer(Int64(number))),
      ("header", .array([.string("Sealed records of TokenVault.")])), ("notes", .object([])),
      ("testGroups", .array(values)),
    ])
    return Array((file.text + "\n").utf8)
  }
}
