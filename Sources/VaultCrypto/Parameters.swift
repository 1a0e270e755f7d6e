internal import COpenSSL

/// A list of `OSSL_PARAM`, OpenSSL's named parameters. Copies what it is given; the copies are wiped with it.
@safe
struct Parameters: ~Copyable {
  /// `OSSL_PARAM_BLD` would copy too, but leaves secrets that are not on the secure heap unwiped.
  private var list: [OSSL_PARAM] = unsafe []
  private var values: [UnsafeMutableRawBufferPointer] = unsafe []

  deinit {
    for index in unsafe values.indices {
      unsafe OPENSSL_cleanse(values[index].baseAddress, values[index].count)
      unsafe values[index].deallocate()
    }
  }

  private mutating func store(_ count: Int) -> UnsafeMutableRawBufferPointer {
    let value = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 8)
    unsafe values.append(value)
    return unsafe value
  }

  /// A name of an algorithm.
  mutating func set(_ key: StaticString, to name: String) {
    let value = unsafe store(name.utf8.count + 1)
    for (index, byte) in (Array(name.utf8) + [0]).enumerated() { unsafe value[index] = byte }
    unsafe list.append(
      OSSL_PARAM_construct_utf8_string(key.address, value.baseAddress?.assumingMemoryBound(to: CChar.self), 0))
  }

  /// Bytes, also none.
  mutating func set(_ key: StaticString, to bytes: Span<UInt8>) {
    let value = unsafe store(bytes.count)
    for index in bytes.indices { unsafe value[index] = bytes[index] }
    unsafe list.append(OSSL_PARAM_construct_octet_string(key.address, value.baseAddress, bytes.count))
  }

  /// A number.
  mutating func set(_ key: StaticString, to number: UInt64) {
    let value = unsafe store(8).bindMemory(to: UInt64.self)
    unsafe value[0] = number
    unsafe list.append(OSSL_PARAM_construct_uint64(key.address, value.baseAddress))
  }

  /// A number.
  mutating func set(_ key: StaticString, to number: UInt32) {
    let value = unsafe store(8).bindMemory(to: UInt32.self)
    unsafe value[0] = number
    unsafe list.append(OSSL_PARAM_construct_uint32(key.address, value.baseAddress))
  }

  /// The list with its end mark, for one call.
  borrowing func with<Result>(_ body: (UnsafePointer<OSSL_PARAM>) -> Result) -> Result {
    let ended = unsafe list + [OSSL_PARAM_construct_end()]
    return unsafe ended.withUnsafeBufferPointer { unsafe body($0.baseAddress.unsafelyUnwrapped) }
  }
}

extension StaticString {
  /// The literal's own address: OpenSSL keeps the pointer to a parameter's name, so it must outlive the call.
  fileprivate var address: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
