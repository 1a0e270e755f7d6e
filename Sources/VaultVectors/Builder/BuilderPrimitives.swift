internal import VaultCrypto
internal import VaultFormat

/// What the frames are made with. A failure is kept, and something of the right length is given.
extension ScenarioBuilder {
  /// The label and the zero byte behind it.
  func label(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

  mutating func draw(_ count: Int) -> [UInt8] {
    do throws(CryptoError) {
      return try random.bytes(count)
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: count)
    }
  }

  /// `salt | iv | authTag | ciphertext` under XAES-256-GCM.
  mutating func seal(_ plaintext: [UInt8], key: [UInt8], aad: [UInt8]) -> [UInt8] {
    let nonce = draw(24)
    do throws(CryptoError) {
      var cipher = try XAES256GCM(key: key.span)
      let sealed = try [UInt8](capacity: 16 + plaintext.count) { (output) throws(CryptoError) in
        try cipher.seal(
          plaintext.span, salt: FixedBytes(nonce.span.extracting(first: 12)),
          iv: FixedBytes(nonce.span.extracting(last: 12)), authenticating: aad.span, appendingTo: &output)
      }
      return nonce + sealed
    } catch {
      failure = failure ?? error
      return nonce + [UInt8](repeating: 0, count: 16 + plaintext.count)
    }
  }

  mutating func linkDigest(_ bytes: [UInt8]) -> [UInt8] {
    let input = label("tokenvault/1 link") + bytes
    do throws(CryptoError) {
      let digest = try SHA256.digest(of: input.span)
      return digest.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: 32)
    }
  }

  /// HKDF-SHA-256 with the vault id as salt.
  mutating func derive(_ key: [UInt8], info: [UInt8], salt: [UInt8]? = nil, count: Int = 32) -> [UInt8] {
    do throws(CryptoError) {
      let salt = salt ?? vaultID
      let derived = try KeyDerivation.hkdfSHA256(
        keyMaterial: key.span, salt: salt.span, info: info.span, count: count)
      return derived.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: count)
    }
  }

  /// HMAC-SHA-256.
  mutating func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    do throws(CryptoError) {
      var hmac = try HMACSHA256(key: key.span)
      let code = try hmac.code(of: message.span)
      return code.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: 32)
    }
  }

  /// scrypt with r = 8.
  mutating func scrypt(_ passphrase: [UInt8], salt: [UInt8], logN: UInt8, p: UInt8) -> [UInt8] {
    do throws(CryptoError) {
      let derived = try KeyDerivation.scrypt(
        passphrase: passphrase.span, salt: salt.span, n: 1 << UInt64(logN), r: 8, p: UInt32(p), count: 64)
      return derived.span.array
    } catch {
      failure = failure ?? error
      return [UInt8](repeating: 0, count: 64)
    }
  }
}
