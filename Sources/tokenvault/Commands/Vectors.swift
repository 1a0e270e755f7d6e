import ArgumentParser

/// What has to do with test vectors.
struct Vectors: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vectors", _superCommandName: "tokenvault",
    abstract: "Run test vectors, published and our own, or make our own.",
    subcommands: [VectorsVerify.self, VectorsGenerate.self])
}
