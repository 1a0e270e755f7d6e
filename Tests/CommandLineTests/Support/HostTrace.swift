import Foundation
import Glibc
import Testing

/// What a command, and whatever it starts, hands to the system: names, arguments, environments, and what it writes; as strace
/// sees it, byte for byte.
struct HostTrace {
  /// One text that was handed over.
  struct Text {
    let bytes: Data
    /// Where it went; `nil` where no secret may ever go: an argument, the name of a file, standard error.
    let place: HostScenario.Place?
    let call: String
  }

  let outcome: Outcome
  let texts: [Text]

  private static let calls = [
    "execve", "execveat", "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "openat", "rename",
    "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "setxattr", "fsetxattr",
  ]

  init(_ call: Call, on bench: Bench) throws {
    let trace = bench.folder + "/.trace"
    var traced = call
    traced.program = "/usr/bin/strace"
    traced.arguments =
      Call([
        "-f", "-qq", "-v", "-y", "-xx", "-s", "65535", "-o", trace, "-e", "signal=none", "-e",
        "trace=" + Self.calls.joined(separator: ","), call.program,
      ]).arguments + call.arguments
    outcome = try bench.run(traced)
    texts = try bench.contents(of: trace).split(separator: UInt8(ascii: "\n")).flatMap { (line) in
      Self.texts(in: line, bench.folder)
    }
  }

  /// The texts of one line: number of the thread, blanks, name of the call, arguments with all texts in hexadecimal.
  private static func texts(in line: ArraySlice<UInt8>, _ folder: String) -> [Text] {
    guard let start = line.firstIndex(of: UInt8(ascii: "(")),
      let call = String(bytes: line[..<start].split(separator: UInt8(ascii: " ")).last ?? [], encoding: .utf8)
    else { return [] }
    var place: HostScenario.Place?
    var texts: [Text] = []
    var lists = 0
    var index = start + 1
    while index < line.endIndex {
      switch line[index] {
      case UInt8(ascii: "["): lists += 1
      case UInt8(ascii: "<") where texts.isEmpty && place == nil && call.contains("write") || call.hasPrefix("send"):
        let end = line[index...].firstIndex(of: UInt8(ascii: ">")) ?? line.endIndex
        place = self.place(String(decoding: decoded(line[(index + 1)..<end]), as: UTF8.self), folder)
        index = end
      case UInt8(ascii: "\""):
        let end = line[(index + 1)...].firstIndex(of: UInt8(ascii: "\"")) ?? line.endIndex
        let isVariable = call.hasPrefix("execve") && lists > 1
        texts.append(
          Text(bytes: decoded(line[(index + 1)..<end]), place: isVariable ? .environment : place, call: call))
        index = end
      default: break
      }
      index += 1
    }
    return texts
  }

  /// What a descriptor stands for.
  private static func place(_ path: String, _ folder: String) -> HostScenario.Place? {
    if path.hasPrefix("pipe:") || path.hasPrefix("socket:") || path.hasPrefix("UNIX") { return .pipe }
    if path.hasPrefix("/memfd:") { return .memoryFile }
    guard path.hasPrefix(folder + "/") else { return .file(path) }
    let name = String(path.dropFirst(folder.utf8.count + 1))
    return name.hasPrefix(".errors") ? nil : name.hasPrefix(".output") ? .output : .file(name)
  }

  /// The bytes of `\x41\x42`; what is not written so stays.
  private static func decoded(_ text: ArraySlice<UInt8>) -> Data {
    var bytes: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      if text[index] == UInt8(ascii: "\\"), index + 3 < text.endIndex {
        bytes.append(digit(text[index + 2]) << 4 | digit(text[index + 3]))
        index += 4
      } else {
        bytes.append(text[index])
        index += 1
      }
    }
    return Data(bytes)
  }

  private static func digit(_ byte: UInt8) -> UInt8 { byte <= UInt8(ascii: "9") ? byte & 15 : byte & 15 + 9 }

  /// Those of `canaries` that went where they don't belong, each with the form, the call and the place.
  func strays(of canaries: [Canary], belonging: [String: Set<HostScenario.Place>] = [:]) -> [String] {
    // One search tells that a canary is nowhere, as nearly all are.
    var all = Data()
    for text in texts {
      all.append(text.bytes)
      all.append(0)
    }
    return canaries.filter { $0.form(in: all) != nil }.flatMap { (canary) in
      texts.compactMap { (text) -> String? in
        guard let form = canary.form(in: text.bytes) else { return nil }
        if let place = text.place, belonging[canary.name]?.contains(where: { $0.covers(place) }) == true { return nil }
        return "\(canary.name) \(form), by \(text.call) to \(text.place.map { "\($0)" } ?? "a name or argument")"
      }
    }
  }
}

extension HostScenario.Place {
  /// Whether what goes to `place` goes here: a file has no name, or another, until it is whole.
  fileprivate func covers(_ place: Self) -> Bool {
    guard case .file(let name) = self, case .file(let other) = place else { return self == place }
    let folder = name.prefix(through: name.lastIndex(of: "/") ?? name.startIndex).dropLast(name.contains("/") ? 0 : 1)
    return name == other || other.hasPrefix(folder + "#") || (other.hasPrefix(name + ".") && other.hasSuffix(".tmp"))
  }
}
