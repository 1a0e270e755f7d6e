internal import Synchronization

extension Threads {
  /// The results of `work` for all parts, in their order, done on all cores.
  ///
  /// - Throws: the error of the first part that failed.
  static func map<Part: Sendable, Product: Sendable>(
    _ parts: [Part], _ work: @escaping @Sendable (Part) throws(VaultError) -> Product
  ) throws(VaultError) -> [Product] {
    guard !parts.isEmpty else { return [] }
    let results = MapResults<Product>(parts.count)
    perform(min(cores, parts.count)) { (_) in
      while let number = results.claim() {
        let result = Result { () throws(VaultError) in try work(parts[number]) }
        results.products.withLock { $0[number] = result }
      }
    }
    var products: [Product] = []
    products.reserveCapacity(parts.count)
    for result in results.products.withLock({ $0 }) {
      if let result { products.append(try result.get()) }
    }
    return products
  }
}

/// What several threads have done of a row of parts.
private final class MapResults<Product: Sendable>: Sendable {
  private let next = Atomic(0)
  private let count: Int
  let products: Mutex<[Result<Product, VaultError>?]>

  init(_ count: Int) {
    self.count = count
    products = Mutex(Array(repeating: nil, count: count))
  }

  /// The number of a part that nobody has begun.
  func claim() -> Int? {
    let number = next.add(1, ordering: .relaxed).oldValue
    return number < count ? number : nil
  }
}
