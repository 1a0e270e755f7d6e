internal import Glibc
package import VaultCrypto

/// The environment variables that a program is started with.
///
/// Values that are set here may be secrets: they lie in memory that is wiped. Names and values are bytes.
@safe
package struct ChildEnvironment: ~Copyable {
  private let inherited: [UnsafeMutablePointer<CChar>]
  /// `NAME=value` and a zero byte, of each variable that was set.
  private var added: SecretBytes
  private var starts: [Int] = []
  private var names: Set<[UInt8]> = []

  /// This process's own variables as they are now, but for those in `removed`; of those in `only` alone, when it is given.
  ///
  /// - Throws: an error when there is no memory.
  package init(without removed: Set<String>, only: Set<String>? = nil) throws(CryptoError) {
    added = try SecretBytes(capacity: 0)
    let removed = Set(removed.map { Array($0.utf8) })
    let only = only.map { (names) in Set(names.map { Array($0.utf8) }) }
    var inherited: [UnsafeMutablePointer<CChar>] = unsafe []
    var place: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe environ
    while let variable = unsafe place?.pointee {
      let name = unsafe Self.name(of: variable)
      if !removed.contains(name), only?.contains(name) ?? true { unsafe inherited.append(variable) }
      unsafe place = place?.successor()
    }
    unsafe self.inherited = inherited
  }

  private static func name(of variable: UnsafeMutablePointer<CChar>) -> [UInt8] {
    var name: [UInt8] = []
    var place = unsafe variable
    while unsafe place.pointee != 0, unsafe place.pointee != CChar(UInt8(ascii: "=")) {
      unsafe name.append(UInt8(bitPattern: place.pointee))
      unsafe place += 1
    }
    return name
  }

  /// Sets a variable, in the place of an inherited one of that name.
  ///
  /// - Parameters:
  ///   - name: without `=` and zero bytes, and not set before.
  ///   - value: without zero bytes.
  /// - Throws: an error when there is no memory.
  package mutating func set(_ name: String, to value: Span<UInt8>) throws(CryptoError) {
    let name = Array(name.utf8)
    precondition(names.insert(name).inserted && !name.contains(0) && !name.contains(UInt8(ascii: "=")))
    try added.reserve(added.count + name.count + value.count + 2)
    starts.append(added.count)
    added.append(name.span)
    added.append([UInt8(ascii: "=")].span)
    added.append(value)
    added.append([0].span)
  }

  /// Gives the list that `execve` takes to `body`.
  func withList<Result>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
    let kept = unsafe inherited.filter { (variable) in unsafe !names.contains(Self.name(of: variable)) }
    var list: [UnsafeMutablePointer<CChar>?] = unsafe kept
    return added.withSpan { (bytes) in
      unsafe bytes.withUnsafeBufferPointer { (buffer) in
        for start in starts {
          let address = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress.map { unsafe $0 + start })
          unsafe list.append(address?.assumingMemoryBound(to: CChar.self))
        }
        unsafe list.append(nil)
        return unsafe list.withUnsafeMutableBufferPointer { (list) in
          // There is the nil at the end at least.
          unsafe body(list.baseAddress.unsafelyUnwrapped)
        }
      }
    }
  }
}
