import Synchronization
import VaultCrypto
import VaultFormat

/// Every nonce that was ever used, with a digest of what was sealed with it: the same nonce for two different things, under
/// whatever keys, is a violation. So coarse a rule needs no keys, and holds for them all.
///
/// What is sealed again byte for byte, such as the last batch written once more, or a key slot that is carried over to another
/// file, is the same thing: ciphertext, tag and additional data are compared.
package final class NonceLedger: Sendable {
  private struct State {
    var digests: [FixedBytes<24>: SHA256.Digest] = [:]
    var report = Report()
  }

  private let state = Mutex(State())

  package init() {}

  /// What was seen so far.
  package var report: Report {
    state.withLock { (state) in
      var report = state.report
      report.count("nonces", state.digests.count)
      return report
    }
  }

  /// Takes in all that is on a disk, and all that is written to it from now on, also in calls that fail.
  package func watch(_ disk: SimulatedDisk) {
    for bytes in disk.start.files.values { take(bytes, at: 0, of: bytes) }
    disk.observeWrites { (file, offset, bytes) in self.take(bytes, at: offset, of: file) }
  }

  /// The same of what was done on a disk already.
  package func take(_ journal: [DiskOperation], on start: DiskImage) {
    var image = start
    for operation in journal {
      if case .write(let file, let offset, let bytes) = operation {
        take(bytes, at: offset, of: image.files[file] ?? [])
      }
      image.apply(operation)
    }
  }

  /// - Parameter file: what it holds before the write.
  private func take(_ bytes: [UInt8], at offset: Int, of file: [UInt8]) {
    let head = offset == 0 ? bytes : file
    guard let header = try? FileHeader(parsing: head.span.extracting(0..<min(head.count, FileHeader.length))),
      let generation = try? Generation(header: header)
    else { return }
    // Frames stand at multiples of 16.
    var place = (16 - offset % 16) % 16
    while place + FrameHeader.length <= bytes.count {
      let rest = bytes.span.extracting(place..<bytes.count)
      if let header = FrameHeader.valid(in: rest, at: UInt64(offset + place), of: generation),
        (try? note(header, rest, generation)) != nil
      {
        place += header.frameLength
      } else {
        place += 16
      }
    }
  }

  private func note(_ header: FrameHeader, _ bytes: Span<UInt8>, _ generation: Generation) throws {
    let frame = try Frame(header, in: bytes)
    // What a crash tore is no other ciphertext.
    _ = try frame.checkedTrailer()
    var hash = try SHA256()
    if header.type == .keySlot {
      try hash.update(generation.header.vaultID.span)
    } else {
      try hash.update(generation.zeroLink.span)
      // The previous link counts in the frame that ends its batch alone.
      try hash.update(frame.bytes.extracting(first: 40))
      if header.endsBatch { try hash.update(frame.bytes.extracting(40..<72)) }
      try hash.update(frame.bytes.extracting(72..<84))
    }
    try hash.update(frame.clear)
    try hash.update(frame.authTag)
    try hash.update(frame.ciphertext)
    let digest = try hash.finish()
    let nonce = FixedBytes<24>(frame.sealed.extracting(first: 24))
    state.withLock { (state) in
      state.report.count("frames")
      guard let known = state.digests.updateValue(digest, forKey: nonce) else { return }
      state.report.count("frames written again")
      guard known != digest else { return }
      state.report.violation(
        "the nonce \(nonce.hex) seals two things; one is frame \(header.sequence) at byte \(header.offset)")
    }
  }
}
