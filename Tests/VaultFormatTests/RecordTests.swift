import Testing
import VaultCrypto
import VaultFormat

@Suite struct RecordTests {
  private let offset: UInt64 = 4096
  private let name = Array("reddit/alice".utf8)
  private let value = Array("secret token".utf8)

  private func header(padding: Int = 32, deflates: Bool = true) -> FileHeader {
    var header = Samples.header()
    header.padding = padding
    header.allowsDeflate = deflates
    return header
  }

  private func bytes(of record: Record, padding: Int = 32) throws -> [UInt8] {
    let value = record.valueLength == 0 ? [] : value
    let plaintext = try record.plaintext(name: name.span, value: value.span, padding: padding)
    return plaintext.span.array
  }

  private func put(previous: UInt64 = 160, version: UInt64 = 7) -> Record {
    Record(.put, time: -5, version: version, previous: previous, nameLength: name.count, valueLength: value.count)
  }

  private func code(_ bytes: [UInt8], _ header: FileHeader) -> FormatError.Code? {
    VaultFormatTests.code { _ = try Record(parsing: bytes.span, at: offset, in: header) }
  }

  @Test(arguments: [16, 32, 64, 4096]) func aRecordHasOneForm(padding: Int) throws {
    // Defends: round trip of all operations at several paddings; every other byte string is refused or means itself.
    let records = [
      put(), Record(.delete, time: 1, version: 9, previous: 0, nameLength: name.count, valueLength: 0),
      Record(.event, time: .max, version: 1, previous: 128, nameLength: name.count, valueLength: value.count),
      Record(
        .put, isDeflated: true, isLegacy: true, time: 0, version: (1 << 63) - 1, previous: 4080,
        nameLength: name.count, valueLength: value.count),
    ]
    let header = header(padding: padding)
    let canonical = Canonical<(Record, [UInt8])>(
      codes: [.frameDamaged, .limitExceeded],
      parse: { (bytes) in (try Record(parsing: bytes, at: offset, in: header), bytes.array) },
      serialize: { (record, bytes) in
        let plaintext = try record.plaintext(
          name: bytes.span.extracting(record.nameRange), value: bytes.span.extracting(record.valueRange),
          padding: padding)
        return plaintext.span.array
      })
    for record in records {
      let plaintext = try bytes(of: record, padding: padding)
      #expect(plaintext.count % padding == 0)
      #expect(try Record(parsing: plaintext.span, at: offset, in: header) == record)
      if padding < 4096 { canonical.attack(plaintext) }
    }
  }

  @Test func lengthsKeepToTheirBounds() throws {
    // Defends: name 1 to 1024 bytes, value up to 16 MiB, and the sum must be the plaintext's.
    let good = try bytes(of: put())
    for length: UInt64 in [0, 1025, 0xFFFF] {
      var changed = good
      changed.put(length, count: 2, at: 2)
      #expect(code(changed, header()) == .frameDamaged, "name of \(length)")
    }
    let values: [(UInt64, FormatError.Code)] = [
      (0, .frameDamaged), (1 << 24, .frameDamaged), ((1 << 24) + 1, .limitExceeded), (1 << 31, .limitExceeded),
      ((1 << 32) - 1, .limitExceeded), (UInt64(good.count - 44) + 1, .frameDamaged),
    ]
    for (length, expected) in values where length != UInt64(value.count) {
      var changed = good
      changed.put(length, count: 4, at: 4)
      #expect(code(changed, header()) == expected, "value of \(length)")
    }
    #expect(code(good + [UInt8](repeating: 0, count: 32), header()) == .frameDamaged, "padding of one unit too many")
    #expect(code(good, header(padding: 16)) == (good.count % 32 == 0 ? nil : .frameDamaged))
    #expect(code(good, header(padding: 128)) == .frameDamaged)
  }

  @Test func everyPaddingByteIsZero() throws {
    // Defends: no bytes can hide in the padding.
    let good = try bytes(of: put(), padding: 4096)
    for index in 56..<4096 {
      var changed = good
      changed[index] = 1
      #expect(code(changed, header(padding: 4096)) == .frameDamaged, "byte \(index)")
    }
  }

  @Test func fieldsKeepToTheirBounds() throws {
    // Defends: version, previous, flags, and what a deletion and an event may not have.
    for version: UInt64 in [0, 1 << 63, .max] {
      #expect(code(try bytes(of: put(version: version)), header()) == .frameDamaged, "version \(version)")
    }
    for previous: UInt64 in [1, 16, 112, 129, offset, offset + 16, 1 << 48, .max, .max - 15] {
      #expect(code(try bytes(of: put(previous: previous)), header()) == .frameDamaged, "previous \(previous)")
    }
    for previous: UInt64 in [0, 128, offset - 16] {
      #expect(code(try bytes(of: put(previous: previous)), header()) == nil, "previous \(previous)")
    }
    let deletion = try bytes(
      of: Record(.delete, time: 1, version: 9, previous: 0, nameLength: name.count, valueLength: 0))
    for flags: UInt8 in [1, 2, 3, 4, 0x80] {
      var changed = deletion
      changed[1] = flags
      #expect(code(changed, header()) == .frameDamaged)
    }
    var changed = try bytes(of: put())
    changed[0] = 2
    #expect(code(changed, header()) == .frameDamaged, "a deletion with a value")
    for operation: UInt8 in [0, 4, 255] {
      changed[0] = operation
      #expect(code(changed, header()) == .frameDamaged)
    }
    changed[0] = 3
    changed[1] = 2
    #expect(code(changed, header()) == .frameDamaged, "an event that is a legacy record")
    changed[1] = 1
    #expect(code(changed, header()) == nil && code(changed, header(deflates: false)) == .frameDamaged)
  }

  @Test func aRecordAtTheVeryStartIsAnError() throws {
    // Defends: an offset inside the file header, from whatever caller, is refused and does not trap.
    let good = try bytes(of: put(previous: 128))
    for offset: UInt64 in [0, 16, 127] {
      #expect(throws: FormatError(.frameDamaged, "")) { _ = try Record(parsing: good.span, at: offset, in: header()) }
    }
  }
}
