package import VaultLaboratory

/// One thing that is fed with bytes that nobody chose: a way in, and what must hold whatever comes.
///
/// The bodies know nothing of libFuzzer: an ordinary test runs them too, over all inputs that were kept.
package struct FuzzTarget: Sendable {
  /// By which it is asked for, and the folder of its inputs in `Tests/Corpora`.
  package let name: String
  /// Bytes of an input at most.
  package let longest: Int
  /// Tries one input. What it throws is a promise that does not hold.
  package let run: @Sendable (Span<UInt8>) throws(Violation) -> Void
  /// Changes an input in a way of its own, which knows the form; `nil` where libFuzzer's own ways get everywhere.
  package let mutate: Mutation?
  /// Inputs to begin with, beside those that were kept.
  package let seeds: @Sendable (_ testvectors: String) -> [[UInt8]]

  /// Gives an input changed by the numbers of a random source.
  package typealias Mutation = @Sendable (_ input: [UInt8], _ longest: Int, _ random: inout SeededRandom) -> [UInt8]?

  init(
    _ name: String, longest: Int, mutate: Mutation? = nil,
    seeds: @escaping @Sendable (_ testvectors: String) -> [[UInt8]] = { _ in [] },
    run: @escaping @Sendable (Span<UInt8>) throws(Violation) -> Void
  ) {
    (self.name, self.longest, self.mutate, self.seeds, self.run) = (name, longest, mutate, seeds, run)
  }

  /// All of them.
  package static let all: [FuzzTarget] = [
    .header, .frame, .scanner, .open, .operations, .vectors, .import, .json, .references,
  ]
}

/// A promise that did not hold.
package struct Violation: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Ends the run of one input with a violation unless `holds`.
func demand(_ holds: Bool, _ promise: @autoclosure () -> String) throws(Violation) {
  guard holds else { throw Violation(promise()) }
}
