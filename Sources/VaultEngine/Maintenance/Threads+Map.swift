extension Threads {
  /// The results of `work` for all parts, in their order, done on all cores.
  ///
  /// - Throws: the error of the first part that failed.
  static func map<Part: Sendable, Product: Sendable>(
    _ parts: [Part], _ work: @Sendable (Part) throws(VaultError) -> Product
  ) throws(VaultError) -> [Product] {
    var rest = parts[...]
    var products: [Product] = []
    products.reserveCapacity(parts.count)
    try inOrder { () throws(VaultError) in
      rest.popFirst()
    } work: { (part) throws(VaultError) in
      try work(part)
    } give: { (product: Product) in
      products.append(product)
    }
    return products
  }
}
