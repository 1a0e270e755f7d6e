// swift-tools-version: 6.3

import PackageDescription

/// The runtime of libFuzzer, given by `.ci/fuzz`: everything is compiled to be fuzzed then, and there is one program more.
let fuzzer = Context.environment["TOKENVAULT_FUZZ"]

/// One list for every target, so that no module is held to a weaker standard than another.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]
let settings = strict + (fuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer"])])

let package = Package(
  name: "TokenVault",
  products: [
    .library(name: "TokenVault", targets: ["TokenVault"]),
    .executable(name: "tokenvault", targets: ["tokenvault"]),
    .executable(name: "vaultbench", targets: ["vaultbench"]),
    .executable(name: "vaultlab", targets: ["vaultlab"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CSystemShims"),
    .target(name: "JSONText", swiftSettings: settings),
    .target(name: "VaultCrypto", dependencies: ["COpenSSL"], swiftSettings: settings),
    .target(name: "ZlibSpans", dependencies: ["CZlib"], swiftSettings: settings),
    .target(name: "VaultFormat", dependencies: ["VaultCrypto", "ZlibSpans"], swiftSettings: settings),
    .target(
      name: "VaultEngine", dependencies: ["VaultFormat", "VaultCrypto", "CSystemShims"], swiftSettings: settings),
    .target(
      name: "TokenVault",
      dependencies: [
        "VaultEngine", "VaultFormat", "VaultCrypto", "JSONText", "CSystemShims",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: settings),
    .target(
      name: "VaultVectors", dependencies: ["VaultCrypto", "VaultFormat", "VaultEngine", "JSONText"],
      swiftSettings: settings),
    .executableTarget(
      name: "tokenvault",
      dependencies: [
        "TokenVault", "VaultVectors", "JSONText", "CSystemShims",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "vaultbench",
      dependencies: [
        "TokenVault", "VaultEngine", "VaultFormat", "VaultCrypto", "JSONText", "CSystemShims",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .target(
      name: "VaultLaboratory", dependencies: ["TokenVault", "VaultEngine", "VaultFormat", "VaultCrypto"],
      swiftSettings: strict),
    .executableTarget(
      name: "vaultlab",
      dependencies: [
        "VaultLaboratory", "VaultEngine", "VaultFormat", "VaultCrypto",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .target(
      name: "VaultFuzzing",
      dependencies: [
        "VaultLaboratory", "TokenVault", "VaultVectors", "VaultEngine", "VaultFormat", "VaultCrypto", "JSONText",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FuzzingTests",
      dependencies: [
        "VaultFuzzing", "VaultLaboratory", "VaultVectors", "VaultEngine", "VaultFormat", "VaultCrypto",
      ],
      swiftSettings: settings),
    .testTarget(name: "JSONTextTests", dependencies: ["JSONText"], swiftSettings: settings),
    .testTarget(
      name: "VaultCryptoTests", dependencies: ["VaultCrypto", "VaultVectors", "VaultLaboratory"],
      swiftSettings: settings),
    .testTarget(name: "VaultFormatTests", dependencies: ["VaultFormat", "VaultCrypto"], swiftSettings: settings),
    .testTarget(
      name: "VaultVectorsTests", dependencies: ["VaultVectors", "VaultEngine", "VaultFormat", "VaultCrypto"],
      swiftSettings: settings),
    .testTarget(
      name: "VaultEngineTests",
      dependencies: [
        "VaultEngine", "VaultFormat", "VaultCrypto", "VaultLaboratory", "TokenVault",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "TokenVaultTests",
      dependencies: [
        "TokenVault", "VaultCrypto", "VaultFormat", "VaultLaboratory", "JSONText",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "tokenvault", "TokenVault", "VaultLaboratory", "JSONText",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
  ]
)

if let fuzzer {
  package.products.append(.executable(name: "vaultfuzz", targets: ["vaultfuzz"]))
  package.targets += [
    .systemLibrary(name: "CLibFuzzer"),
    .executableTarget(
      name: "vaultfuzz", dependencies: ["VaultFuzzing", "VaultLaboratory", "VaultEngine", "VaultCrypto", "CLibFuzzer"],
      swiftSettings: strict, linkerSettings: [.unsafeFlags([fuzzer, "-lstdc++", "-lm"])]),
  ]
}
