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

    fileprivate func text(number: Int) -> String {
      let bytes = members.map { ",\"\($0.0)\":\"\($0.1.span.hexadecimal)\"" }.joined()
      return "{\"tcId\":\(number),\"comment\":\"\(comment)\",\"flags\":[]\(bytes),"
        + "\"result\":\"\(isValid ? "valid" : "invalid")\"}"
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
    let texts = groups.map { (group) in
      let sizes = group.sizes.map { ",\"\($0.0)\":\($0.1)" }.joined()
      let tests = group.tests.map { (test) in
        number += 1
        return test.text(number: number)
      }
      return "{\"type\":\"\(group.type)\",\"source\":{\"name\":\"tokenvault\",\"version\":\"1\"}\(sizes),\"tests\":[\n"
        + tests.joined(separator: ",\n") + "]}"
    }
    let head = "{\"algorithm\":\"\(algorithm)\",\"schema\":\"\(schema)\",\"numberOfTests\":\(number),"
    let text =
      head + "\"header\":[\"Sealed records of TokenVault.\"],\"notes\":{},\"testGroups\":["
      + texts.joined(separator: ",") + "]}\n"
    return Array(text.utf8)
  }
}
