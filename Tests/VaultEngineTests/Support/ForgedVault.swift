import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Vaults that were changed by somebody who knows the format and has no key: checksums and links fit, seals don't.
enum ForgedVault {
  /// Changes bytes and makes every checksum and link fit again.
  ///
  /// - Parameter vault: whole frames up to its end, whose places and lengths `change` must leave alone.
  static func changing(_ vault: [UInt8], _ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
    let generation = try Generation(header: FileHeader(parsing: vault.span.extracting(first: FileHeader.length)))
    var bytes = vault
    change(&bytes)
    var hasher = try LinkHasher()
    var link = generation.zeroLink
    var offset = FileHeader.length
    while offset < bytes.count {
      let rest = vault.span.extracting(offset..<vault.count)
      let header = try FrameHeader(parsing: rest, at: UInt64(offset), in: generation)
      let end = offset + header.frameLength
      bytes.overwrite(at: offset + 40, with: Array(link.span)[...])
      var checksum = CRC32(of: generation.zeroLink.span)
      checksum.add(bytes.span.extracting(offset..<offset + 84))
      bytes.overwrite(at: offset + 84, with: bigEndian(checksum.value))
      bytes.overwrite(at: end - 8, with: bigEndian(CRC32(of: bytes.span.extracting(offset..<end - 16)).value))
      link = try hasher.link(of: bytes.span.extracting(offset..<end))
      offset = end
    }
    return bytes
  }

  private static func bigEndian(_ number: UInt32) -> ArraySlice<UInt8> {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }[...]
  }
}
