/// The pages of the index. What is wrong there is reported, and every record is served.
enum IndexVaults {
  static let all: [Recipe] = good + entries + pages

  private static let good: [Recipe] = [
    Recipe("index_good-two-runs", .success, "Two checkpoints, the second of which lists both runs.") { (vault) in
      written(&vault)
      vault.checkpoint()
      vault.put("alice", "four")
      vault.delete("bob")
      vault.checkpoint()
      vault.put("dave", "five")
    },
    Recipe("index_good-merged", .success, "Two runs become one, and the deletion is dropped.") { (vault) in
      written(&vault)
      vault.checkpoint()
      vault.delete("bob")
      vault.checkpoint(.init(merges: true))
    },
    Recipe("index_good-deletion-first", .success, "The first run holds a deletion.") { (vault) in
      vault.begin()
      vault.delete("alice")
      vault.put("bob", "two")
      vault.checkpoint()
    },
    Recipe("index_good-pages-apart", .success, "The pages stand in a batch before the checkpoint.") { (vault) in
      written(&vault)
      vault.checkpoint(.init(pagesApart: true))
      vault.put("dave", "five")
    },
    Recipe("index_good-events-alone", .success, "A checkpoint over events has no run.") { (vault) in
      vault.found()
      vault.event("alice", "signed in")
      vault.checkpoint()
      vault.put("alice", "one")
      vault.checkpoint()
      vault.event("alice", "signed out")
      vault.checkpoint()
    },
    Recipe("index_good-two-pages", .success, "A run of 200 names has two pages.") { (vault) in
      many(&vault)
      vault.checkpoint()
    },
  ]

  private static let entries: [Recipe] = [
    entries("older-version", "An entry points to an older put of its name.") { (pages, vault) in
      replace(&pages, by: vault.observed[0], key: vault.observed[2])
    },
    entries("another-name", "An entry points to another name's put.") { (pages, vault) in
      replace(&pages, by: vault.observed[1], key: vault.observed[2])
    },
    entries("tag-prefix", "An entry does not carry its frame's authTag.") { (pages, _) in
      pages[0][0].authTagPrefix[5] ^= 1
    },
    entries("deletion-bit", "An entry says that a put is a deletion.") { (pages, _) in
      pages[0][0].isDeletion = true
    },
    entries("missing", "A name has no entry.") { (pages, _) in pages[0].removeLast() },
    entries("additional", "An entry for a name that was never written.") { (pages, _) in
      var entry = pages[0][0]
      entry.tag[11] ^= 1
      pages[0].append(entry)
      pages[0].sort { $0.tag.lexicographicallyPrecedes($1.tag) }
    },
    entries("tags-descend", "The tags descend.") { (pages, _) in pages[0].swapAt(0, 1) },
    entries("tag-twice", "A tag stands twice.") { (pages, _) in pages[0].insert(pages[0][0], at: 0) },
    entries("offset-in-header", "An entry points into the file header.") { (pages, _) in pages[0][0].offset = 64 },
    entries("offset-odd", "An entry's offset is no multiple of 16.") { (pages, _) in pages[0][0].offset += 8 },
    entries("offset-behind", "An entry points behind the page.") { (pages, _) in pages[0][0].offset = 1 << 40 },
    entries("offset-of-slot", "An entry points to a key slot.") { (pages, _) in pages[0][0].offset = 128 },
  ]

  private static let pages: [Recipe] = [
    page("run-id", "The page is of another run.") { $0[0] ^= 1 },
    page("page-number", "The page says that it is page 1.") { $0[11] = 1 },
    page("page-count", "The page says that it holds 165 entries.") { $0[13] = 165 },
    page("page-count-less", "The page says that it holds one entry less.") { $0[13] -= 1 },
    page("page-reserved", "A reserved byte of the page is not zero.") { $0[15] = 1 },
    page("page-padding", "The page's padding is not zero.") { $0[3951] = 1 },
    Recipe("index_wrong-page", .indexDamaged, keyless: .success, "An entry stands on the other of two pages.") { (vault) in
      many(&vault)
      vault.checkpoint(.init(entries: { $0[1].insert($0[0].removeLast(), at: 0) }))
    },
    Recipe("index_too-many-pages", .indexDamaged, keyless: .success, "Two pages where one is enough.") { (vault) in
      written(&vault)
      vault.checkpoint(
        .init(entries: { (pages) in
          let all = pages[0]
          pages = [[], []]
          for entry in all { pages[IndexDraft.page(of: entry.tag, pages: 2)].append(entry) }
        }))
    },
    Recipe("index_old-page", .indexDamaged, keyless: .success, "The root names the page of an older run for a newer one.") {
      (vault) in
      written(&vault)
      vault.checkpoint()
      vault.put("alice", "four")
      vault.checkpoint(
        .init(index: { $0.runs[0].segments = $0.runs[1].segments }))
    },
  ]

  // MARK: Shapes

  /// Three names, one of them put twice.
  static func written(_ vault: inout ScenarioBuilder) {
    vault.begin()
    vault.put("bob", "two")
    vault.put("alice", "three")
    vault.put("carol", "four")
  }

  /// Two hundred names in one batch.
  private static func many(_ vault: inout ScenarioBuilder) {
    vault.found()
    for number in 0..<200 { vault.put("name-\(number)", "value", ends: number == 199) }
  }

  /// Lets the entry of the record `key` point to `other`.
  private static func replace(_ pages: inout [[IndexDraft.Entry]], by other: Observed, key: Observed) {
    for place in pages[0].indices where pages[0][place].offset == key.offset {
      pages[0][place].offset = other.offset
      pages[0][place].authTagPrefix = Array(other.authTag.prefix(6))
    }
  }

  /// A vault whose only run has other entries.
  private static func entries(
    _ name: String, _ comment: String,
    _ edit: @escaping @Sendable (inout [[IndexDraft.Entry]], ScenarioBuilder) -> Void
  ) -> Recipe {
    Recipe("index_\(name)", .indexDamaged, keyless: .success, comment) { (vault) in
      written(&vault)
      let before = vault
      vault.checkpoint(.init(entries: { edit(&$0, before) }))
      vault.put("dave", "five")
    }
  }

  /// A vault whose only page has another plaintext.
  private static func page(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("index_\(name)", .indexDamaged, keyless: .success, comment) { (vault) in
      written(&vault)
      vault.checkpoint(.init(pageEdit: .plaintext(edit)))
      vault.put("dave", "five")
    }
  }
}
