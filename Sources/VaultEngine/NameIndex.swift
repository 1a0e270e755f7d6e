internal import VaultCrypto
internal import VaultFormat

/// Where the newest put of every live name stands. A value: a copy is a snapshot.
struct NameIndex: Sendable {
  /// Offset of a frame, and the first bytes of its authTag, by which it is known again.
  struct Place: Equatable, Sendable {
    let offset: UInt64
    let authTagPrefix: FixedBytes<6>
  }

  private var places: [LookupTag: Place] = [:]

  /// Live names.
  var count: Int { places.count }

  /// The place of a name; `nil`, if it was never put or was deleted.
  subscript(_ tag: LookupTag) -> Place? {
    get { places[tag] }
    set { places[tag] = newValue }
  }

  /// Makes room for `count` names.
  mutating func reserve(_ count: Int) { places.reserveCapacity(count) }

  /// All places, by offset: the order in which a disk gives them fastest.
  var inFileOrder: [Place] { places.values.sorted { $0.offset < $1.offset } }
}
