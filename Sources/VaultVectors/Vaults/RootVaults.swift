/// The index root, and the pages that it names where their frames are bad.
enum RootVaults {
  static let all: [Recipe] = plaintexts + statements + badPages

  private static let plaintexts: [Recipe] = [
    root("reserved", "A reserved byte of the root is not zero.") { $0[31] = 1 },
    root("padding", "The root's padding is not zero.") { $0[$0.count - 1] = 1 },
    root("too-long", "Sixteen zeros too many.") { $0 += [UInt8](repeating: 0, count: 16) },
    root("run-promised", "A second run is promised and not there.") { $0[27] = 2 },
    root("run-reserved", "A reserved byte of a run is not zero.") { $0[41] = 1 },
    root("no-segment", "A run of no segments.") { $0[43] = 0 },
    Recipe("root_sixty-five-runs", .limitExceeded, keyless: .success, "A root of sixty-five runs.") { (vault) in
      IndexVaults.written(&vault)
      vault.checkpoint(
        .init(index: { (index) in
          let run = index.runs[0]
          index.runs = [IndexDraft.Run](repeating: run, count: 65)
        }))
    },
  ]

  private static let statements: [Recipe] = [
    index("last-sequence", "The last sequence covered is one too low.") {
      $0.lastSequence -= 1
      $0.runs[0].last -= 1
    },
    index("last-sequence-behind", "The last sequence covered is that of the checkpoint's slot.") {
      $0.lastSequence += 1
      $0.runs[0].last += 1
    },
    index("last-version", "The last version is too low.") { $0.lastVersion -= 1 },
    index("newest-event", "The newest event is at a put.") { $0.newestEvent = 784 },
    index("newest-event-odd", "The newest event is at no multiple of 16.") { $0.newestEvent = 800 + 8 },
    index("runs-not-covering", "The only run begins with sequence 2.") { $0.runs[0].first = 2 },
    index("run-behind", "The newest run ends before the last sequence covered.") { $0.runs[0].last -= 1 },
    index("run-descends", "A run ends before it begins.") {
      $0.runs[0].first = $0.runs[0].last + 1
    },
    index("entries", "A run says that it has one entry more.") { $0.runs[0].entries += 1 },
    index("pages", "A run says that it has one page more.") { $0.runs[0].pages += 1 },
    index("no-pages", "A run of no pages.") { $0.runs[0].pages = 0 },
    index("run-missing", "The run is not listed.") { $0.runs = [] },
    index("run-empty", "A run without entries is listed.") {
      var run = $0.runs[0]
      (run.first, run.entries) = (run.last, 0)
      $0.runs[0].last -= 1
      $0.runs.insert(run, at: 0)
    },
    index("first-page", "The first segment begins with page 1.") {
      $0.runs[0].pages = 2
      $0.runs[0].segments[0].firstPage = 1
    },
    index("segment-of-record", "A segment's offset is a record's.") { $0.runs[0].segments[0].offset = 784 },
    index("segment-behind", "A segment lies behind the root.") { $0.runs[0].segments[0].offset = 1 << 30 },
    index("segment-twice", "Two segments begin with one page.") {
      $0.runs[0].segments.append($0.runs[0].segments[0])
    },
    index("short-segment", "A segment of one page that does not end its run.") {
      $0.runs[0].pages = 2
      var second = $0.runs[0].segments[0]
      second.firstPage = 1
      $0.runs[0].segments.append(second)
    },
  ]

  private static let badPages: [Recipe] = [
    Recipe("root_bad-page", .indexDamaged, keyless: .frameDamaged, "A page in a batch before its root's is damaged.") {
      (vault) in
      apart(&vault, .damage { $0[1000] ^= 1 })
    },
    Recipe("root_bad-page-sector", .indexDamaged, keyless: .frameDamaged, "A sector with the header of such a page is lost.") {
      (vault) in
      apart(&vault, .damage { $0.replaceSubrange(0..<512, with: [UInt8](repeating: 0, count: 512)) })
    },
    Recipe("root_bad-page-tag", .indexDamaged, keyless: .success, "Such a page does not open.") { (vault) in
      apart(&vault, .forge { $0[1000] ^= 1 })
    },
    Recipe("root_bad-page-in-checkpoint", .frameDamaged, "A page in the root's own batch is damaged.") { (vault) in
      IndexVaults.written(&vault)
      vault.checkpoint(.init(pageEdit: .damage { $0[1000] ^= 1 }))
      vault.finding = vault.frames[vault.frames.count - 2].offset
      vault.put("dave", "five")
    },
    Recipe("root_bad-page-unnamed", .frameDamaged, "A damaged page that no root names is not excused.") { (vault) in
      IndexVaults.written(&vault)
      let segment = vault.pageFrames([[]], [1, 2, 3, 4, 5, 6, 7, 8], ends: true, .damage { $0[1000] ^= 1 })
      vault.finding = Int(segment.offset)
      vault.checkpoint()
      vault.put("dave", "five")
    },
    Recipe("root_fork-joined", .chainBroken, keyless: .frameDamaged, "A fork up to a bad page joined to another (proved).") {
      (vault) in
      vault.begin()
      var fork = vault.fork()
      vault.put("bob", "two")
      fork.put("bob", "no")
      let start = vault.end
      vault.checkpoint(.init(pagesApart: true, pageEdit: .damage { $0[0] ^= 1 }))
      vault.put("carol", "three")
      vault.bytes.replaceSubrange(0..<start, with: fork.bytes)
    },
    Recipe("root_fork-page", .indexDamaged, keyless: .chainBroken, "A page of a fork in the place of the right one.") {
      (vault) in
      vault.begin()
      var fork = vault.fork()
      vault.put("bob", "two")
      fork.put("bob", "no")
      fork.checkpoint(.init(pagesApart: true))
      vault.checkpoint(.init(pagesApart: true))
      vault.put("carol", "three")
      let page = vault.frames[5].range
      vault.bytes.replaceSubrange(page, with: fork.bytes[page])
    },
  ]

  // MARK: Shapes

  /// A vault whose pages stand in a batch of their own.
  private static func apart(_ vault: inout ScenarioBuilder, _ edit: ScenarioBuilder.FrameEdit) {
    IndexVaults.written(&vault)
    vault.checkpoint(.init(pagesApart: true, pageEdit: edit))
    vault.put("dave", "five")
  }

  /// A vault whose root has another plaintext.
  private static func root(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("root_\(name)", .indexDamaged, keyless: .success, comment) { (vault) in
      IndexVaults.written(&vault)
      vault.checkpoint(.init(rootEdit: .plaintext(edit)))
    }
  }

  /// A vault whose root says something else.
  private static func index(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout IndexDraft) -> Void
  ) -> Recipe {
    Recipe("root_\(name)", .indexDamaged, keyless: .success, comment) { (vault) in
      IndexVaults.written(&vault)
      vault.checkpoint(.init(index: edit))
    }
  }
}
