/// The folder that the sources lie in, found from where this file lies.
enum Repository {
  static func path(_ name: String) -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return "\(root)/\(name)"
  }
}
