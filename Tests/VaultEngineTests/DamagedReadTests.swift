import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Records whose frames change under a handle that has opened the vault.
@Suite struct DamagedReadTests {
  private static let file = 1

  /// A vault with a batch of four, of which `name` is inside or the last, and what a handle that has read it sees.
  private struct Sample {
    let disk: SimulatedDisk
    let bytes: [UInt8]
    let snapshot: VaultSnapshot
    /// The frames of `names`, in their order.
    let frames: [Range<Int>]

    static let names: [Name] = ["inside", "beside", "large", "last"]

    init() throws {
      disk = SimulatedDisk()
      let vault = try Vault.create(.simulated(disk, seed: 12), credential: key())
      try vault.commit(Self.names.map { .put($0, $0 == "large" ? Array(repeating: 7, count: 2000) : [1]) })
      snapshot = try vault.snapshot()
      bytes = disk.cache[SimulatedStorage.name] ?? []
      var frames: [Range<Int>] = []
      try snapshot.forEachEntry { (entry) in
        frames.append(Int(entry.offset)..<Int(entry.offset) + entry.frameLength)
      }
      self.frames = frames
      try #require(frames.count == Self.names.count)
    }

    /// Reads a record after `change` was made to the file, and puts the file back as it was.
    ///
    /// - Returns: the error, if there was one, and how often the file was read.
    func reading(_ name: Name, after change: (inout [UInt8]) -> Void) throws -> (error: VaultError?, reads: Int) {
      var changed = bytes
      change(&changed)
      disk.perform(.write(file: DamagedReadTests.file, offset: 0, bytes: changed))
      disk.fail(FailurePlan(first: .max, only: .read))
      defer {
        disk.fail(nil)
        disk.perform(.write(file: DamagedReadTests.file, offset: 0, bytes: bytes))
      }
      do {
        #expect(try snapshot.value(of: name) != nil)
        return (nil, disk.calls)
      } catch let error as VaultError {
        return (error, disk.calls)
      }
    }
  }

  // Defends: no flipped bit of a record changes what is read. Where it is not passed over it is damage of this frame, and of its
  // header where that is so, though the header's checksum is not asked of every read. Passed over are bytes that mean nothing
  // to the value, and that no tag vouches for: both checksums, the rest of the trailer, and the link inside of a batch.
  @Test(arguments: ["inside", "last"] as [Name]) func everyFlippedBit(_ name: Name) throws {
    let sample = try Sample()
    let frame = sample.frames[name == "inside" ? 0 : 3]
    let link = frame.lowerBound + 40..<frame.lowerBound + 72
    let header = frame.lowerBound..<frame.lowerBound + 84
    for bit in frame.lowerBound * 8..<frame.upperBound * 8 {
      let error = try sample.reading(name) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }.error
      let isChecksum = (header.upperBound..<header.upperBound + 4).contains(bit / 8)
      let isTrailer = bit / 8 >= frame.upperBound - 16
      if isChecksum || isTrailer || name == "inside" && link.contains(bit / 8) {
        #expect(error == nil, "bit \(bit - frame.lowerBound * 8): \(String(describing: error))")
        continue
      }
      #expect(error?.code == .frameDamaged && error?.offset == UInt64(frame.lowerBound), "bit \(bit)")
      guard header.contains(bit / 8) else { continue }
      let said = bit / 8 < frame.lowerBound + 4 ? "no frame begins here" : "the frame header's checksum does not fit"
      #expect(error?.sentence.contains(said) == true, "bit \(bit): \(String(describing: error))")
    }
  }

  // Defends: another record in the place of one is damage, and is told as what it is; also one whose header was made to say that it
  // belongs there.
  @Test func anotherRecordInItsPlace() throws {
    let sample = try Sample()
    let (inside, beside) = (sample.frames[0], sample.frames[1])
    let moved = try sample.reading("inside") { $0.replaceSubrange(inside, with: sample.bytes[beside]) }.error
    #expect(moved?.code == .frameDamaged)
    #expect(moved?.sentence.contains("was made for byte \(beside.lowerBound)") == true, "\(String(describing: moved))")
    let header = inside.prefix(FrameHeader.length)
    let said = try sample.reading("inside") {
      $0.replaceSubrange(inside, with: sample.bytes[beside])
      $0.replaceSubrange(header, with: sample.bytes[header])
    }.error
    #expect(said?.code == .frameDamaged)
  }

  // Defends: a record that is larger than the first read takes a second one; a header whose length is wrong takes none, however
  // large it says that its frame is.
  @Test func noReadForAWrongLength() throws {
    let sample = try Sample()
    #expect(try sample.reading("large") { (_) in }.reads == 2)
    #expect(try sample.reading("inside") { (_) in }.reads == 1)
    for byte in 36..<40 {
      let (error, reads) = try sample.reading("inside") { $0[sample.frames[0].lowerBound + byte] ^= 3 }
      #expect(error?.code == .frameDamaged)
      #expect(reads == 1, "byte \(byte)")
    }
  }
}
