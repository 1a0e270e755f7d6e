internal import COpenSSL
internal import Synchronization

/// Bytes that must not leak: keys, passphrases, tokens.
///
/// They live in one buffer of fixed capacity that is wiped as a whole when the value goes away. The buffer comes from
/// OpenSSL's secure heap (locked in memory, kept out of core dumps, between guard pages) as long as that has room;
/// ``isLocked`` tells. There is no description, no equality, and no copy but by `copy()`.
@safe
public struct SecretBytes: ~Copyable, @unchecked Sendable {
  private let address: UnsafeMutablePointer<UInt8>
  /// The number of bytes that fit without another allocation.
  public let capacity: Int
  /// The number of bytes held.
  public private(set) var count: Int
  /// True when the buffer lies on the secure heap. False for what is larger than the heap has room for, and where the
  /// system did not let the process lock memory: the bytes are still wiped, but may reach swap.
  public var isLocked: Bool { isOnSecureHeap && SecureHeap.isLocked }
  private let isOnSecureHeap: Bool

  /// An empty value with room for `capacity` bytes.
  ///
  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init(capacity: Int) throws(CryptoError) {
    precondition(capacity >= 0)
    // OpenSSL gives no memory for a size of zero, which it could not tell from having none.
    let size = max(capacity, 1)
    if SecureSlots.sizes.contains(size), let memory = unsafe SecureSlots.take() {
      self = unsafe SecretBytes(adopting: memory, capacity: capacity, isOnSecureHeap: true)
    } else if SecureHeap.hasRoom(for: size), let memory = unsafe tv_secure_malloc(size) {
      self = unsafe SecretBytes(adopting: memory, capacity: capacity, isOnSecureHeap: true)
    } else if let memory = unsafe tv_malloc(size) {
      self = unsafe SecretBytes(adopting: memory, capacity: capacity, isOnSecureHeap: false)
    } else {
      throw .libraryFailure("OPENSSL_zalloc")
    }
  }

  /// `capacity` bytes of room, filled by `body`; what it leaves unfilled is not part of the value.
  package init(
    capacity: Int, filledBy body: (inout OutputSpan<UInt8>) throws(CryptoError) -> Void
  ) throws(CryptoError) {
    var secret = try SecretBytes(capacity: capacity)
    try secret.append(filledBy: body)
    self = secret
  }

  /// A copy of `bytes`. The caller's own copy is the caller's to wipe.
  ///
  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init(copying bytes: Span<UInt8>) throws(CryptoError) {
    var secret = try SecretBytes(capacity: bytes.count)
    secret.append(bytes)
    self = secret
  }

  private init(adopting memory: UnsafeMutableRawPointer, capacity: Int, isOnSecureHeap: Bool) {
    unsafe address = memory.bindMemory(to: UInt8.self, capacity: capacity)
    self.capacity = capacity
    count = 0
    self.isOnSecureHeap = isOnSecureHeap
  }

  deinit {
    if isOnSecureHeap {
      if unsafe SecureSlots.sizes.contains(capacity) && SecureSlots.giveBack(address, capacity) { return }
      unsafe tv_secure_clear_free(address, capacity)
    } else {
      unsafe tv_clear_free(address, capacity)
    }
  }

  /// The bytes in place. Nothing that outlives the borrow may keep them.
  public var span: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: address, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Gives the bytes in place to `body`: for where a value lies in an object, and ``span`` can't be borrowed for long enough.
  public func withSpan<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(span)
  }

  /// The bytes in place, to be changed.
  package var mutableSpan: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableSpan(_unsafeStart: address, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Lets `body` write behind the bytes that are there, up to the capacity.
  package mutating func append<Failure: Error>(
    filledBy body: (inout OutputSpan<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    let free = unsafe UnsafeMutableBufferPointer(start: address + count, count: capacity - count)
    var output = unsafe OutputSpan(buffer: free, initializedCount: 0)
    do throws(Failure) {
      try body(&output)
    } catch {
      _ = unsafe output.finalize(for: free)
      unsafe OPENSSL_cleanse(free.baseAddress, free.count)
      throw error
    }
    count += unsafe output.finalize(for: free)
  }

  /// Adds `bytes`, for which there must be room.
  package mutating func append(_ bytes: Span<UInt8>) {
    append { (output) in output.append(contentsOf: bytes) }
  }

  /// Wipes the bytes and makes the value empty.
  package mutating func removeAll() {
    unsafe OPENSSL_cleanse(address, capacity)
    count = 0
  }

  /// Writes zeros over some of the bytes, which stay part of the value.
  package mutating func wipe(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    unsafe OPENSSL_cleanse(address + range.lowerBound, range.count)
  }

  /// Wipes the last `removed` bytes and shortens the value by them.
  package mutating func removeLast(_ removed: Int) {
    precondition((0...count).contains(removed))
    unsafe OPENSSL_cleanse(address + (count - removed), removed)
    count -= removed
  }

  /// Makes room for `capacity` bytes; the old buffer is wiped.
  ///
  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package mutating func reserve(_ capacity: Int) throws(CryptoError) {
    guard capacity > self.capacity else { return }
    var larger = try SecretBytes(capacity: max(capacity, self.capacity * 2))
    larger.append(span)
    self = larger
  }

  /// A second value with the same bytes.
  ///
  /// - Throws: an error when there is no memory.
  package func copy() throws(CryptoError) -> SecretBytes { try SecretBytes(copying: span) }
}

/// OpenSSL's secure heap: one for the process, whoever sets it up first.
private enum SecureHeap {
  /// Keys, contexts and passphrases fit many times; some hundred tokens of ordinary size do too.
  private static let size = 1 << 18
  private static let smallest = 16

  /// 1: locked and guarded; 2: usable, but not locked; 0: none.
  private static let state: Int32 = {
    if CRYPTO_secure_malloc_initialized() == 1 { return 1 }
    return CRYPTO_secure_malloc_init(size, smallest)
  }()

  /// Whether `count` bytes can be had and leave enough: OpenSSL keeps the state of its generators there, one a thread, and
  /// fails without.
  static func hasRoom(for count: Int) -> Bool { state != 0 && CRYPTO_secure_used() + count <= size / 2 }
  static var isLocked: Bool { state == 1 }
}

/// Pieces of the secure heap for records and batches of ordinary size, which come and go with every call: the heap itself
/// splits and joins its free pieces under a lock each time, which takes longer than opening a record.
///
/// A free slot holds zeros.
private enum SecureSlots {
  /// What a slot is given for. Keys, which stay, are smaller.
  static let sizes = 96...slot
  private static let slot = 512
  private static let count = 64

  nonisolated(unsafe) private static let start =
    unsafe SecureHeap.hasRoom(for: slot * count) ? tv_secure_malloc(slot * count) : nil
  /// One bit for each slot that is in use.
  private static let used = Atomic<UInt64>(0)

  /// A slot; `nil` when all are in use.
  static func take() -> UnsafeMutableRawPointer? {
    guard let start = unsafe start else { return nil }
    var seen = used.load(ordering: .relaxed)
    while seen != .max {
      let number = (~seen).trailingZeroBitCount
      let (isTaken, now) = used.weakCompareExchange(
        expected: seen, desired: seen | 1 << UInt64(number), ordering: .acquiring)
      if isTaken { return unsafe start + number * slot }
      seen = now
    }
    return nil
  }

  /// Wipes `count` bytes and frees their slot.
  ///
  /// - Returns: false when the address is not in one.
  static func giveBack(_ address: UnsafeMutablePointer<UInt8>, _ count: Int) -> Bool {
    guard let start = unsafe start else { return false }
    let offset = unsafe UnsafeMutableRawPointer(address) - start
    guard (0..<slot * Self.count).contains(offset) else { return false }
    unsafe OPENSSL_cleanse(address, count)
    used.bitwiseAnd(~(1 << UInt64(offset / slot)), ordering: .releasing)
    return true
  }
}
