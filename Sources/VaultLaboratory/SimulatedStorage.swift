import Synchronization
import VaultCrypto
package import VaultEngine

/// A vault on a ``SimulatedDisk``, under the name `vault` unless it is given another.
package struct SimulatedStorage: Storage {
  package static let name = "vault"

  package let disk: SimulatedDisk
  package var path: String

  package init(disk: SimulatedDisk, path: String = Self.name) {
    self.disk = disk
    self.path = path
  }

  package func open(writable: Bool) throws(VaultError) -> any StorageFile {
    try disk.attempt(.look)
    guard let file = disk.file(named: path) else { throw VaultError(.noVault, "there is no vault") }
    return SimulatedFile(disk, file)
  }

  package func identity() throws(VaultError) -> FileIdentity? {
    try disk.attempt(.look)
    return disk.file(named: path).map { FileIdentity(device: 1, inode: UInt64($0)) }
  }

  package func createTemporary() throws(VaultError) -> any StorageFile {
    try disk.attempt(.create)
    return SimulatedFile(disk, disk.create { "\(path).tmp-\($0)" }, isHeld: true)
  }

  package func publish(_ temporary: any StorageFile) throws(VaultError) {
    let file = Int(temporary.identity.inode)
    try disk.attempt(.rename)
    guard disk.cache.names[path] == nil else { throw VaultError(.conflict, "there is something of that name") }
    disk.perform(.rename(file: file, from: "\(path).tmp-\(file)", to: path))
    try syncName()
  }

  package func replace(with temporary: any StorageFile) throws(VaultError) {
    let file = Int(temporary.identity.inode)
    try disk.attempt(.rename)
    disk.perform(.rename(file: file, from: "\(path).tmp-\(file)", to: path))
    try syncName()
  }

  package func discard(_ temporary: any StorageFile) {
    disk.perform(.remove(name: "\(path).tmp-\(temporary.identity.inode)"))
  }

  package func sweep() -> Bool {
    var isHeld = false
    for (name, file) in disk.cache.names.sorted(by: { $0.key < $1.key }) where name.hasPrefix("\(path).tmp-") {
      if disk.isHeld(file) { isHeld = true } else { disk.perform(.remove(name: name)) }
    }
    return isHeld
  }

  package func keepTorn(_ bytes: Span<UInt8>, from sequence: UInt64) throws(VaultError) {
    let bytes = Array(bytes)
    var name = "\(path).torn-\(sequence)"
    var number = 1
    while let found = disk.cache[name] {
      if found == bytes { return }
      number += 1
      name = "\(path).torn-\(sequence)-\(number)"
    }
    try disk.attempt(.create)
    let file = disk.create { _ in name }
    do {
      try disk.write(bytes, to: file, at: 0)
      try disk.sync(file)
    } catch {
      disk.perform(.remove(name: name))
      throw error
    }
    try syncName()
  }

  package func syncName() throws(VaultError) {
    try disk.attempt(.sync)
    disk.perform(.syncDirectory)
  }

  package func lock(_ mode: LockMode, wait: Duration) throws(VaultError) -> (any StorageLock)? {
    try disk.attempt(.lock)
    guard disk.takeLock(mode, waits: wait > .zero) else {
      throw VaultError(.locked, "simulated: another holds the lock")
    }
    return SimulatedLock(disk, mode)
  }
}

package final class SimulatedFile: StorageFile {
  private let disk: SimulatedDisk
  private let file: Int

  private let isHeld: Bool

  /// - Parameter isHeld: whether others see, as long as the object lives, that somebody is at work on the file.
  package init(_ disk: SimulatedDisk, _ file: Int, isHeld: Bool = false) {
    self.disk = disk
    self.file = file
    self.isHeld = isHeld
    if isHeld { disk.hold(file) }
  }

  deinit { if isHeld { disk.release(file) } }

  package var identity: FileIdentity { FileIdentity(device: 1, inode: UInt64(file)) }

  private var bytes: [UInt8] { disk.bytes(of: file) }

  package func length() throws(VaultError) -> UInt64 {
    try disk.attempt(.look)
    return UInt64(bytes.count)
  }

  package func stamp() throws(VaultError) -> FileStamp? {
    try disk.attempt(.look)
    return FileStamp(change: Int64(disk.stamp), length: UInt64(bytes.count), period: 0)
  }

  package func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try disk.attempt(.read)
    let bytes = bytes
    let first = min(Int(offset), bytes.count)
    output.append(contentsOf: bytes.span.extracting(first..<min(first + output.freeCapacity, bytes.count)))
  }

  package func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) {
    try disk.write(Array(bytes), to: file, at: Int(offset))
  }

  package func resize(to length: UInt64) throws(VaultError) {
    try disk.attempt(.resize)
    disk.perform(.resize(file: file, length: Int(length)))
  }

  package func sync() throws(VaultError) { try disk.sync(file) }
}

package final class SimulatedLock: StorageLock {
  private let disk: SimulatedDisk
  private let mode: LockMode
  /// What its holder takes for the note, where the disk keeps another.
  private let believed = Mutex<[UInt8]?>(nil)

  package init(_ disk: SimulatedDisk, _ mode: LockMode) {
    self.disk = disk
    self.mode = mode
  }

  deinit { disk.releaseLock(mode) }

  package func note(count: Int) -> [UInt8] {
    if let believed = believed.withLock({ $0 }) { return believed }
    return (try? disk.attempt(.read)) == nil ? [] : Array(disk.cache.note.prefix(count))
  }

  package func leave(_ note: [UInt8]) {
    if disk.keepsNotes {
      let isTakenBack = note.allSatisfy { $0 == 0 }
      believed.withLock { $0 = isTakenBack ? note : nil }
      guard !isTakenBack else { return }
    }
    if (try? disk.attempt(.note)) != nil { disk.perform(.note(note)) }
  }
}
