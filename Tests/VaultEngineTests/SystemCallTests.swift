import Foundation
import Glibc
import Testing

@testable import VaultEngine

/// System calls that do a part of what they were asked for.
@Suite struct SystemCallTests {
  // Defends: a read that gives fewer bytes than there are is gone on with. The kernel gives a page of this file at a time.
  @Test func shortReads() throws {
    let path = "/proc/self/mountinfo"
    let descriptor = try SystemCall.open("/proc/self/smaps", O_RDONLY)
    defer { _ = close(descriptor) }
    var first = [UInt8](repeating: 0, count: 1 << 16)
    let once = unsafe first.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    try #require(once > 0 && once < 1 << 16, "the kernel gives all at once: \(once)")
    let read = try [UInt8](capacity: 1 << 16) { (output) throws(VaultError) in
      try SystemCall.read(descriptor, at: 0, into: &output, path)
    }
    #expect(read.count == 1 << 16)
  }

  // Defends: every error that a system call may end with has one sentence, with the path and the call, and the code that says
  // whether anything is lost.
  @Test(arguments: [EIO, ENOSPC, EDQUOT, EFBIG, EINTR, EROFS, ENOLCK, ENOENT, ELOOP, EEXIST])
  func everyErrorHasASentence(number: Int32) {
    errno = number
    let error = SystemCall.failure("pwrite", "/some/path")
    let codes: [Int32: VaultError.Code] = [
      ENOSPC: .diskFull, EDQUOT: .diskFull, EFBIG: .diskFull, EROFS: .readOnly, ENOENT: .noVault,
      ELOOP: .notAVaultFile, EEXIST: .conflict,
    ]
    #expect(error.code == codes[number] ?? .io && error.systemError == number)
    #expect(error.sentence.contains("/some/path") && !error.sentence.contains("\n"))
    #expect((error.remedy?.contains("as it was") == true) == (error.code == .diskFull))
  }
}
