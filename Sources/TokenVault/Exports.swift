// What a user of this library handles lives in three modules, and one import gives it: the vault and its errors, the
// credential that opens it, the pin that it is held against, and the bytes that credentials are made of.
@_exported public import struct VaultCrypto.SecretBytes
@_exported public import VaultEngine
@_exported public import struct VaultFormat.Credential
@_exported public import struct VaultFormat.Head
@_exported public import struct VaultFormat.Pin
