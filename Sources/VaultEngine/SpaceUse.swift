/// Bytes that a vault's file takes, and what is not a record in it.
package struct SpaceUse: Sendable {
  /// Of the file, with space that is allocated ahead.
  package let file: UInt64
  /// Up to the end of the last batch.
  package let end: UInt64
  /// What keys and index would take in a file without anything that no longer counts: a close estimate.
  package let overhead: UInt64
  /// Key slots.
  package let slots: Int
  /// Data keys that records are sealed under.
  package let terms: Int
}
