import ArgumentParser
import Testing

@testable import tokenvault

/// What the commands declare of their arguments.
@Suite struct DeclarationTests {
  private static func all(below command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
    let configuration = command.configuration
    let next = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
    return [command] + next.flatMap { all(below: $0) }
  }

  // Defends: no name means two things, and no argument takes the place of another. The library that reads arguments looks for that
  // in debug builds, and stops the program, which is this one: the command that tests start may be another build.
  @Test func everyCommandIsSound() {
    let commands = Self.all(below: TokenVaultCommand.self)
    #expect(commands.count > 40)
    for command in commands { #expect(command.helpMessage().hasPrefix("OVERVIEW: ")) }
  }
}
