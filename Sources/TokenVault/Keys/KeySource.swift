public import VaultCrypto
public import VaultEngine
public import VaultFormat

/// Where a key or a passphrase is to be had: never the secret itself, so that none stands in arguments or settings.
///
/// Written as `env:NAME`, `file:PATH`, `fd:N`, `stdin`, `prompt`, `cmd:PROGRAM ARG...` or `cred:NAME`. A source that fails is an
/// error: there is no falling through to another one.
public enum KeySource: Hashable, Sendable, CustomStringConvertible {
  /// The value of an environment variable.
  case environment(String)
  /// A regular file that nobody but its owner may read.
  case file(String)
  /// An open descriptor, read to its end and closed.
  case descriptor(Int32)
  /// Standard input, read to its end.
  case standardInput
  /// The terminal; the asking is the caller's.
  case prompt
  /// Standard output of a program, started without a shell.
  case command([String])
  /// A file in `$CREDENTIALS_DIRECTORY`, as a service manager hands them out.
  case credential(String)

  /// Every form of a source, one a line and indented: for messages.
  public static let forms = """
      env:NAME        an environment variable
      file:PATH       a file that only you can read
      fd:N            an open descriptor
      stdin           standard input
      prompt          the terminal
      cmd:PROGRAM ... the output of a program
      cred:NAME       a file in $CREDENTIALS_DIRECTORY
    """

  /// Reads a source as people write it.
  ///
  /// - Throws: `usage`. The text is not repeated in the sentence: it may be the secret, given by mistake.
  public init(parsing text: String) throws(VaultError) {
    guard let source = Self.parsed(text) else {
      throw VaultError(
        .usage, "that is not a place where a key or passphrase can be read from",
        remedy: "say where it is, never the key itself:\n" + Self.forms)
    }
    self = source
    if case .environment(let name) = source { SecretVariables.note(name) }
  }

  private static func parsed(_ text: String) -> KeySource? {
    if text == "stdin" { return .standardInput }
    if text == "prompt" { return .prompt }
    let bytes = Array(text.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count else { return nil }
    let rest = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
    switch String(decoding: bytes[..<colon], as: UTF8.self) {
    case "env": return isVariableName(rest) ? .environment(rest) : nil
    case "file": return .file(rest)
    case "fd": return Int32(rest).flatMap { $0 < 0 ? nil : $0 == 0 ? .standardInput : .descriptor($0) }
    case "cmd": return CommandLineText.words(rest).map { .command($0) }
    case "cred": return isFileName(rest) ? .credential(rest) : nil
    default: return nil
    }
  }

  private static func isVariableName(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 != UInt8(ascii: "=") && $0 > 0x20 && $0 < 0x7f }
  }

  private static func isFileName(_ text: String) -> Bool {
    text != "." && text != ".." && !text.utf8.contains(UInt8(ascii: "/"))
  }

  /// The source as it was written, but for a command's arguments, and for what looks like a key.
  public var description: String {
    switch self {
    case .environment(let name): "env:" + Self.shown(name)
    case .file(let path): "file:" + Self.shown(path)
    case .descriptor(let number): "fd:\(number)"
    case .standardInput: "stdin"
    case .prompt: "prompt"
    case .command(let words): "cmd:" + Self.shown(words.first ?? "")
    case .credential(let name): "cred:" + Self.shown(name)
    }
  }

  /// `text` for a message, unless a shell put the key itself in the place of its name (`env:$KEY`).
  static func shown(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let isKey = bytes.count >= 40 && bytes.allSatisfy { isBase64($0) }
    return isKey ? "(not shown: it looks like a key)" : text
  }

  private static func isBase64(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): true
    default: false
    }
  }
}

extension KeySource {
  /// Reads the source and takes what it gives as `kind`.
  ///
  /// A key is 64 hexadecimal digits, base64 of 32 bytes, or (not from the environment) 32 bytes as they are. One line
  /// end behind a passphrase or a key in text form is dropped, and nothing else.
  ///
  /// - Parameter prompt: asks on the terminal; called for ``prompt`` only.
  /// - Throws: `no-key` when the source gives nothing that can be a key or passphrase; `unsafe-permissions` when a key file can be
  ///   read by others; `unavailable` when a command failed; whatever `prompt` throws.
  public func credential(
    _ kind: Credential.Kind, prompt: () throws(VaultError) -> SecretBytes
  ) throws(VaultError) -> Credential {
    let secret = try read(prompt: prompt)
    switch kind {
    case .key: return try key(from: secret)
    case .passphrase: return try passphrase(from: secret)
    }
  }

  /// The same for a program that nobody sits before: ``prompt`` is an error.
  ///
  /// - Throws: as ``credential(_:prompt:)``; `no-key` for ``prompt``.
  public func credential(_ kind: Credential.Kind) throws(VaultError) -> Credential {
    try credential(kind) { () throws(VaultError) in
      throw VaultError(.noKey, "there is nobody to ask for a key or passphrase")
    }
  }

  /// The bytes that the source gives, at most 64 KiB, as they are.
  ///
  /// - Throws: as ``credential(_:prompt:)``.
  public func read(prompt: () throws(VaultError) -> SecretBytes) throws(VaultError) -> SecretBytes {
    switch self {
    case .environment(let name): return try KeyReader(self).environment(name)
    case .file(let path): return try KeyReader(self).file(path, mustBePrivate: true)
    case .descriptor(let number): return try KeyReader(self).descriptor(number)
    case .standardInput: return try KeyReader(self).standardInput()
    case .prompt: return try prompt()
    case .command(let words): return try KeyCommand(words: words).output()
    case .credential(let name): return try KeyReader(self).credential(name)
    }
  }

  private func passphrase(from secret: consuming SecretBytes) throws(VaultError) -> Credential {
    secret.removeLineEnd()
    guard let credential = Credential(passphrase: secret) else {
      throw VaultError(.noKey, "the passphrase from \(self) is empty")
    }
    return credential
  }

  private func key(from secret: consuming SecretBytes) throws(VaultError) -> Credential {
    var secret = secret
    if !allowsRawKey || secret.count != Credential.keyLength {
      secret.removeLineEnd()
      guard let decoded = try secret.decodedKey() else { throw noKey(secret.count) }
      secret = decoded
    }
    let count = secret.count
    guard let credential = Credential(key: secret) else { throw noKey(count) }
    return credential
  }

  private func noKey(_ count: Int) -> VaultError {
    VaultError(
      .noKey, "what \(self) gives is not a key: \(count) bytes that are neither hexadecimal nor base64 of 32 bytes",
      remedy:
        "a key is 64 hexadecimal digits, base64 of 32 bytes, or 32 bytes as they are; 'tokenvault keygen' makes one")
  }

  private var allowsRawKey: Bool {
    if case .environment = self { false } else { true }
  }
}
