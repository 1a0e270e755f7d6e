/// The implementation under test: one member for each algorithm, each a pair of closures over plain bytes.
///
/// A member also declares what it takes. Outside of that a case is *not applicable*; inside, a refusal of a valid case is
/// a failure. Tests put faulty members in, to show that the verifier sees them.
package struct Primitives: Sendable {
  /// AES-256-GCM (NIST SP 800-38D).
  package var gcm: AEAD
  /// XAES-256-GCM (C2SP); the IV is the nonce of 24 bytes.
  package var xaes: AEAD
  /// AES-256-CBC (NIST SP 800-38A) with PKCS #7 padding.
  package var paddedCBC: BlockMode
  /// AES-256-CBC over whole blocks.
  package var plainCBC: BlockMode
  /// HMAC-SHA-256 (RFC 2104), 32 bytes: key, message.
  package var hmac: @Sendable (_ key: [UInt8], _ message: [UInt8]) throws(PrimitiveError) -> [UInt8]
  /// HKDF-SHA-256 (RFC 5869).
  package var hkdf: HKDF
  /// PBKDF2 with HMAC (RFC 8018).
  package var pbkdf2: PBKDF2
  /// scrypt (RFC 7914).
  package var scrypt: Scrypt
  /// The reader of vaults.
  package var vaults: VaultReader
}

/// What a call of an implementation under test did instead of giving a result.
package enum PrimitiveError: Error, CustomStringConvertible {
  /// A length or a parameter is not one that it takes.
  case refusesParameter(String)
  /// What was sealed does not open.
  case doesNotOpen
  /// It broke down. Never counts as a refusal.
  case broke(String)
  /// It does not have this at all: the case is not applicable.
  case isMissing(String)

  /// One sentence for a person.
  package var description: String {
    switch self {
    case .refusesParameter(let sentence), .broke(let sentence), .isMissing(let sentence): sentence
    case .doesNotOpen: "the sealed data does not open"
    }
  }
}

extension Primitives {
  /// A ciphertext and its authentication tag.
  package struct Sealed: Sendable, Equatable {
    /// As long as the plaintext.
    package var ciphertext: [UInt8]
    /// 16 bytes, if the implementation is right.
    package var tag: [UInt8]

    /// A ciphertext and a tag of any length: a case may have others than an implementation takes.
    package init(ciphertext: [UInt8], tag: [UInt8]) {
      self.ciphertext = ciphertext
      self.tag = tag
    }
  }

  /// Authenticated encryption with additional data; tags of 16 bytes, keys of 32.
  package struct AEAD: Sendable {
    /// IV lengths in bytes that the standard knows. Others must be refused.
    package let definedIVLengths: ClosedRange<Int>
    /// IV lengths in bytes that this implementation takes.
    package let takenIVLengths: ClosedRange<Int>
    /// Ciphertext and tag of a message.
    package var seal:
      @Sendable (_ message: [UInt8], _ key: [UInt8], _ iv: [UInt8], _ aad: [UInt8]) throws(PrimitiveError) -> Sealed
    /// The message, if the tag fits.
    package var open:
      @Sendable (_ sealed: Sealed, _ key: [UInt8], _ iv: [UInt8], _ aad: [UInt8]) throws(PrimitiveError) -> [UInt8]
  }

  /// Encryption without authentication; keys of 32 bytes, IVs of 16.
  package struct BlockMode: Sendable {
    /// The ciphertext of a message.
    package var seal: @Sendable (_ message: [UInt8], _ key: [UInt8], _ iv: [UInt8]) throws(PrimitiveError) -> [UInt8]
    /// The message of a ciphertext.
    package var open: @Sendable (_ ciphertext: [UInt8], _ key: [UInt8], _ iv: [UInt8]) throws(PrimitiveError) -> [UInt8]
  }

  /// HKDF: extract and expand.
  package struct HKDF: Sendable {
    /// Output lengths in bytes.
    package let counts: ClosedRange<Int>
    /// `count` bytes of output.
    package var derive:
      @Sendable (_ keyMaterial: [UInt8], _ salt: [UInt8], _ info: [UInt8], _ count: Int) throws(PrimitiveError) ->
        [UInt8]
  }

  /// The hash under PBKDF2.
  package enum PBKDF2Hash: Sendable { case sha256, sha512 }

  /// PBKDF2.
  package struct PBKDF2: Sendable {
    /// How many iterations there may be.
    package let iterations: ClosedRange<Int>
    /// Output lengths in bytes.
    package let counts: ClosedRange<Int>
    /// `count` bytes of output.
    package var derive:
      @Sendable (_ hash: PBKDF2Hash, _ password: [UInt8], _ salt: [UInt8], _ iterations: Int, _ count: Int)
        throws(PrimitiveError) -> [UInt8]
  }

  /// The costs of scrypt: numbers as a file gives them, sensible or not.
  package struct ScryptCost: Sendable {
    /// N, the cost of time and memory.
    package let n: Int
    /// The block size in units of 128 bytes.
    package let r: Int
    /// The parallelization.
    package let p: Int
  }

  /// scrypt.
  package struct Scrypt: Sendable {
    /// What N may be; it must be a power of two as well.
    package let n: ClosedRange<Int>
    /// What r and p may be.
    package let factors: ClosedRange<Int>
    /// What N * r * p may be at most.
    package let product: Int
    /// Output lengths in bytes.
    package let counts: ClosedRange<Int>
    /// `count` bytes of output.
    package var derive:
      @Sendable (_ password: [UInt8], _ salt: [UInt8], _ cost: ScryptCost, _ count: Int) throws(PrimitiveError) ->
        [UInt8]
  }
}
