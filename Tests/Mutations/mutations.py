"""The mutations that `.ci/mutations` makes: what is taken out of the product, and which test must notice."""
import dataclasses

ATOMIC, DURABLE, HONEST, SHORTER, READ_ONLY = "atomic", "durable", "honest", "never silently shorter", "read-only"
TAMPER, SECRET, BOUNDED, VERIFIER = "tamper-evident", "secret", "bounded", "verifier"


@dataclasses.dataclass(frozen=True)
class Mutation:
    """`old` stands in `file` exactly once; what it has between « and », or all of it, becomes `new`."""

    name: str
    promise: str
    what: str
    file: str
    old: str
    new: str
    by: str
    kind: str = "expression"


# Not in the table, because another check refuses the same, with the same code: that a pin's generation and sequence are not beyond
# the file's; the writes of a batch; that a failed handle's keys can't be changed; a backup's destination asked twice; a newer
# version where the sequence is higher; a slot's checksums in a salvage; the counts of a page's entries and of a run's segments,
# which don't fit into their frames either; that a file has 64 data keys, as every checkpoint carries them all and has 64; that a
# root agrees with the records before it where a file is followed, as it is then opened anew, by that root; that copying begins with
# the vault's newest state, which is asked when it ends; that a CBC ciphertext is whole blocks, which OpenSSL asks. Nor what only a
# fault in sealing itself could show: that each record of a new file is opened and compared (the comparison is in the table).
MUTATIONS = []
_section = {}


def section(file, promise, by):
    """What the entries that follow have in common."""
    _section.update(file=file, promise=promise, by=by)


def add(kind, name, what, old, new, by, promise):
    MUTATIONS.append(
        Mutation(name, promise or _section["promise"], what, _section["file"], old, new, by or _section["by"], kind))


def expression(name, what, old, new="true", by=None, promise=None):
    """An expression becomes another one."""
    add("expression", name, what, old, new, by, promise)


def statement(name, what, old, new="", by=None, promise=None):
    """A statement becomes another one, or goes."""
    add("statement", name, what, old, new, by, promise)


def planted(name, what, by, promise=VERIFIER):
    """A fault that its test plants itself."""
    MUTATIONS.append(Mutation(name, promise, what, "", "", "", by))


ENGINE = "Sources/VaultEngine/"
MAINTENANCE = ENGINE + "Maintenance/"
FORMAT = "Sources/VaultFormat/"
CRYPTO = "Sources/VaultCrypto/"
COMMAND = "Sources/tokenvault/"
LIBRARY = "Sources/TokenVault/"

# MARK: The commit

CRASHES = (
    "VaultEngineTests.CrashTests/"
    "(everyPointWithAHandlePerCommit|aKilledProcessAndThenThePower|crashesInsideRecovery)|VaultEngineTests.ModelTests")
FAILING = "VaultEngineTests.FailingCallTests"
FAILED_WRITE = "VaultEngineTests.FailedWriteTests"
NOTES = "VaultEngineTests.SyncNoteTests"
SYNCS = "CommandLineTests.SyncOrderTests"
GUARDS = "VaultEngineTests.GuardTests"
BAD_PAGES = "VaultVectorsTests.BadPageTests"
TAILS = "VaultFormatTests.TailRulesTests/(?!aHostileTail)"
UPKEEP = "VaultEngineTests.MaintenanceTests|VaultEngineTests.MaintenanceCrashTests/(writesMeanwhile|aTornTail)"
FORMATS = r"VaultFormatTests\.(?!TailCrashTests|TailRulesTests)"
MODEL = "VaultEngineTests.ModelTests"
BOUNDS = "VaultEngineTests.BoundsTests"
POWER_CUTS = "VaultEngineTests.PowerCutTraceTests"
SCENARIOS = "VaultVectorsTests.ScenarioTests/aReaderMeetsTheDemand"

section(ENGINE + "Writer.swift", DURABLE, CRASHES)
statement(
    "commit: sync", "the sync of a batch", "    do {\n      «try file.sync()»\n    } catch {\n      published.fail(error)\n")
statement(
    "commit: settling before a batch", "the batch before is brought to the disk before one is written behind it",
    "      «try settleLastBatch(lock)»\n      published.beginAppend(.records(sealed))", by=NOTES)
statement(
    "commit: settling before a checkpoint", "the same before a checkpoint",
    "    «try settleLastBatch(lock)»\n    published.beginAppend(batch)", by=NOTES)
statement(
    "commit: answered when synced", "no request of a group is answered before its sync", "      «whenSealed()»\n",
    "group.succeed(sealed.records); group.resume(); whenSealed()", by=POWER_CUTS + "/groups")
statement(
    "commit: a failed append", "a batch that was not written is not acknowledged",
    "«try append(.records(sealed), roomBehind: group.roomBehind, lock)»", "try? append(.records(sealed), lock)", FAILING, HONEST)
statement(
    "commit: latch after a failed sync", "a handle acknowledges nothing after a failed sync",
    "      «published.fail(error)»\n      // The last batch may share", by=FAILING, promise=HONEST)
statement(
    "commit: latch after a failed write", "a handle acknowledges nothing after a failed write",
    "      if error.code != .diskFull || cut == nil { «published.fail(error)» }", by=FAILED_WRITE, promise=HONEST)
expression(
    "commit: cut after a failed write", "the file is cut back after a failed write",
    "let cut: Void? = «try? Self.cutBack(file, to: end, lock)»", "Optional(())", FAILED_WRITE, HONEST)
expression(
    "commit: a cut that failed", "a handle whose half write can't be cut off acknowledges nothing more",
    "if error.code != .diskFull || «cut == nil» {", "false", FAILED_WRITE, HONEST)
statement(
    "commit: cut after a failed sync", "the file is cut back after a failed sync",
    "      «try? Self.cutBack(file, to: end, lock)»\n      throw error", by=FAILING, promise=HONEST)
statement(
    "commit: note after a failed sync", "the note goes when a sync has failed", "      «lock?.leave(SyncNote.none)»",
    by=NOTES)
statement(
    "commit: appending given up", "a batch that failed is not read ahead of any more",
    "      «published.abandonAppend()»", by=FAILED_WRITE, promise=HONEST)
statement(
    "commit: usable handles", "a handle that failed refuses commits",
    "    do {\n      «try published.checkUsable()»\n      try checkWritable()", by=FAILING, promise=HONEST)
statement(
    "commit: read-only", "a handle opened for reading refuses commits",
    "      try published.checkUsable()\n      «try checkWritable()»", by=MODEL, promise=READ_ONLY)
statement(
    "key change: read-only", "a handle opened for reading refuses key changes",
    ") throws(VaultError) {\n    try published.checkUsable()\n    «try checkWritable()»",
    by="VaultEngineTests.KeyChangeTests", promise=READ_ONLY)
expression(
    "commit: lock", "a commit takes the lock",
    "\n      let lock = «try environment.storage.lock(.exclusive, wait: options.lockTimeout)»\n", "nil",
    "VaultEngineTests.LockTests")
expression(
    "key change: lock", "a key change takes the lock",
    "\n    let lock = «try environment.storage.lock(.exclusive, wait: options.lockTimeout)»\n", "nil",
    by=GUARDS)
statement(
    "key change: own slot", "a handle whose key was changed knows its slot", "    if let own { «view.keyring.slot = own» }",
    by="VaultEngineTests.KeyChangeTests", promise=HONEST)
expression(
    "settling: always", "a batch of another process is written again, unless the note says that it need not be",
    "    if «lock?.note(count: SyncNote.length) != SyncNote.saying(published.shared.view)» {", "false", NOTES)
statement(
    "settling: the write", "the last batch is written again", "      «try view.file.write(bytes.span, at: start.offset)»\n",
    by=NOTES)
statement(
    "settling: the sync", "and synced", "    «try latching { () throws(VaultError) in try view.file.sync() }»\n",
    by=NOTES)
statement(
    "settling: the name", "whoever settles the last batch syncs the directory",
    "    «try latching { () throws(VaultError) in try environment.storage.syncName() }»",
    by="VaultEngineTests.NewNameTests")
expression(
    "settling: the same batch", "what is written again is the batch that was read",
    "guard «try start.following(bytes.span, in: view.generation) == view.chain» else",
    by=NOTES, promise=TAMPER)
statement(
    "cut: note taken back", "no note vouches for the end while a cut is not on the disk",
    "    «lock?.leave(SyncNote.none)»\n    guard !SyncNote.isNote(note)", by=FAILING)
expression(
    "cut: note that stays", "nothing is cut where the note can't be taken back",
    "guard !SyncNote.isNote(note) || «lock?.note(count: SyncNote.length) == SyncNote.none» else {", by=FAILED_WRITE)
statement(
    "cut: sync", "a cut is synced before anything is appended", "    try file.resize(to: end)\n    «try file.sync()»")
statement(
    "torn tail: kept", "a torn tail is kept before it is cut off",
    "      «try environment.storage.keepTorn(tail.torn.span, from: found.view.chain.sequence + 1)»", promise=SHORTER, by="VaultEngineTests.RealFileTests/tornTailsAreKept")
statement(
    "torn tail: cut", "a torn tail is cut off before anything is appended",
    "      «try latching { () throws(VaultError) in\n        try Self.cutBack(found.view.file, to: found.view.chain.offset, lock)\n"
    "      }»")
expression(
    "torn tail: behind zeros", "a handle looks through all that stands behind the last batch once",
    "if standing == .same, «judgedFile == shared.view.file.identity» { return }")
expression(
    "space ahead: own end", "space is given back only behind a batch of the handle's own",
    "guard «view.chain.offset == ownEnd»,", by=GUARDS)
expression(
    "space ahead: others", "and only while nobody has written behind it",
    "«(try? follower.standing(of: view)) == .same» else { return }", by="VaultEngineTests.SpaceAheadTests")
expression(
    "space ahead: room that was asked for", "a batch that wants room behind it is not written without",
    "guard error.code == .diskFull, «room == 0» else", by="CommandLineTests.RefreshCommandTests/aDiskWithoutRoomForAnAnswer",
    promise=DURABLE)

section(ENGINE + "SyncNote.swift", DURABLE, NOTES)
expression(
    "note: the file", "the note names the file", "«[identity.device, identity.inode, view.chain.offset]»",
    "[UInt64(0), UInt64(0), view.chain.offset]", by=GUARDS)
statement(
    "note: the head", "the note holds the head", "      «output.append(contentsOf: view.chain.link.span)»",
    "output.append(repeating: 0, count: 32)", by=GUARDS)

section(ENGINE + "CommitGroup.swift", ATOMIC, "VaultEngineTests.SealingAheadTests")
expression(
    "sealing ahead: the end", "what was sealed ahead is written only behind the batch that it was sealed for",
    "if let sealed, «sealed.after == view.chain» {")
expression(
    "sealing ahead: the index's end", "the same of a checkpoint", "guard let index, «index.after == chain» else { return [] }")

section(ENGINE + "Conditions.swift", ATOMIC, "VaultEngineTests.ModelTests")
expression("condition: version", "a wrong version is a conflict", "guard «found != wanted» else { return }", "false")
expression(
    "condition: absent", "a name that is there is a conflict", "guard «try isThere(tag)» else { return }", "false")
expression(
    "condition: deleted name", "a name that is not there can't be deleted",
    "if operation.kind == .delete, «try !isThere(tag)» {", "false")
statement(
    "condition: refused writes", "a refused request leaves nothing behind for the next one's conditions",
    "      «(written, version) = before»\n", by="VaultEngineTests.GroupCommitTests")

section(ENGINE + "Creation.swift", DURABLE, "VaultEngineTests.RealFileTests")
expression(
    "creation: lock", "a vault is made under the lock", "let lock = «try storage.lock(.exclusive, wait: wait)»", "nil")
expression(
    "creation: nothing there", "nothing is there when a vault is made", "guard «try storage.identity() == nil» else { throw exists(storage) }\n    let lock")

# MARK: Files and locks

LOCKS = "VaultEngineTests.LockTests"
REAL = "VaultEngineTests.RealFileTests"
section(ENGINE + "FileLock.swift", DURABLE, LOCKS)
expression(
    "lock: the file at its path", "the file that was locked is still the one at its path",
    "return «try SystemCall.identity(at: path) == identity»")
expression(
    "lock: the vault file too", "the vault file is locked with the lock file",
    "if «try files.vault?.hold(mode) ?? true» {")
expression(
    "lock: kept files", "files that were kept open are asked whether they still stand at their paths",
    "if «try beside.hold(mode), try vault.hold(mode)» { return true }".replace("«try beside.hold(mode), try vault.hold(mode)»", "try beside.hold(mode), «try vault.hold(mode)»"))
section(ENGINE + "ByteLock.swift", DURABLE, "TokenVaultTests.RefreshTests|CommandLineTests.RefreshProcessTests")
expression(
    "refresh lock: taken", "one of several processes refreshes a token",
    "guard «tv_lock_bytes(file.descriptor, position, count) == 0» else {")
expression(
    "refresh lock: the file at its path", "the lock file is still the one at its path",
    "return «try SystemCall.identity(at: file.path) == file.identity» ? lock : nil", by=LOCKS)
expression(
    "refresh lock: private", "nobody else can hold it", "guard «mode & 0o077 == 0» else {")
statement(
    "refresh lock: other keys", "keys are not changed while a token is refreshed",
    "      «if let lock = try take(open(path), at: 0, count: 0) { return lock }»", "return nil",
    by="CommandLineTests.RefreshProcessTests/keysAreNotChangedMeanwhile")

section(ENGINE + "SystemCalls.swift", DURABLE, REAL)
expression("system: fdatasync", "fdatasync(2)", "guard «fdatasync(descriptor) == 0» else", by=SYNCS)
expression("system: fsync of a directory", "fsync(2) of a directory", "guard «fsync(descriptor) == 0» else", by=SYNCS)
expression(
    "system: flock", "flock(2)", "if «retry({ flock(descriptor, operation) }) == 0» { return true }", by=LOCKS)
expression(
    "system: no link followed", "a symbolic link in the vault's place is refused",
    "«flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK»", "flags | O_CLOEXEC | O_NONBLOCK", promise=SECRET)
expression(
    "system: not inherited", "no program inherits a vault's descriptor", "«flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK»",
    "flags | O_NOFOLLOW | O_NONBLOCK", by=GUARDS, promise=SECRET)
expression(
    "system: standard descriptors", "a vault never becomes standard output", "guard «descriptor > 2» else {",
    by="VaultEngineTests.ForkTests")
expression(
    "system: only new files", "a file that is made was not there", "«O_RDWR | O_CREAT | O_EXCL»", "O_RDWR | O_CREAT", by=GUARDS)
expression(
    "system: mode of a new file", "a new file is its owner's, whatever the mask", "guard «fchmod(descriptor, 0o600) == 0» else {",
    promise=SECRET)
expression(
    "system: nothing replaced", "a new vault takes the place of nothing",
    "if «unsafe tv_rename_without_replacing(source, target) == 0» { return }", "unsafe Glibc.rename(source, target) == 0",
    GUARDS, SHORTER)
expression(
    "system: short writes", "the rest of a short write is written", "        done += «written»\n", "left",
    by="VaultEngineTests.FullDiskTests|CommandLineTests.DiskFullTests", promise=HONEST)
expression(
    "system: interrupted calls", "an interrupted call is made again", "if result != -1 || «errno != EINTR» { return result }",
    by="CommandLineTests.InterruptedCallTests", promise=HONEST)

section(ENGINE + "FileStorage.swift", DURABLE, "VaultEngineTests.(RealFileTests|MaintenanceFileTests)")
statement(
    "storage: name of a new vault", "the directory is synced when a new vault has its name",
    "    «try syncNewName()»\n  }\n\n  package func replace", by=SYNCS)
statement(
    "storage: name of a new generation", "the directory is synced when a new generation has the vault's name",
    "    «try syncNewName()»\n  }\n\n  /// The file has its name", by=SYNCS)
statement(
    "storage: name of a torn tail", "and when a torn tail was kept", "      «return try syncName()»\n    }", "return", promise=SHORTER, by="CommandLineTests.TornTailFaultTests")
statement(
    "storage: sync of a torn tail", "what is kept of a torn tail is synced", "      «try SystemCall.sync(descriptor, name)»",
    promise=SHORTER, by="CommandLineTests.TornTailFaultTests")
statement(
    "storage: half a torn tail", "an incomplete copy of a torn tail is removed",
    "another incomplete copy.\n      «SystemCall.unlink(name)»", by="CommandLineTests.TornTailFaultTests")
expression(
    "storage: the same torn tail", "a copy of a torn tail is taken for another's only if all bytes are the same",
    "for index in bytes.indices where «bytes[index] != found[index]» { return false }", "false", promise=SHORTER)
expression(
    "storage: private", "a vault that others can open is refused", "guard «mode & 0o077 == 0» else {", promise=SECRET)
expression(
    "storage: regular files", "what is no regular file is no vault", "guard «mode & S_IFMT == S_IFREG» else {\n      throw VaultError(.notAVaultFile",
    promise=BOUNDED)
expression(
    "storage: a file in the making", "a file in the making is locked",
    "if «try SystemCall.tryLock(file.descriptor, .exclusive, name)»,", "true", promise=ATOMIC)
expression(
    "storage: swept before it was locked", "a file in the making that was swept before it was locked is made again",
    "«try SystemCall.identity(at: name) == file.identity»", "true", promise=ATOMIC,
    by="VaultEngineTests.RealFileTests/aFileInTheMakingIsNotSwept")
expression(
    "storage: sweeping", "only what nobody holds is swept away", "guard let isFree = «try? SystemCall.tryLock(descriptor, .exclusive, name)» else",
    "Optional(true)", promise=ATOMIC)
expression(
    "storage: another vault's files", "files of a vault with a similar name are left alone",
    "return «suffix.count == 16 && suffix.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }»", promise=ATOMIC)
expression(
    "storage: stamps in doubt", "a file that was changed a moment ago has no stamp", "«now - change > Self.doubt» else { return nil }",
    by=GUARDS)

# MARK: Reading

READERS = "VaultEngineTests.(ReaderTests|TwoHandleTests|GenerationTests)"
section(ENGINE + "Follower.swift", SHORTER, READERS)
expression("following: another file", "a file that has taken the vault's place is seen", "guard «identity == view.file.identity» else {")
expression(
    "following: another end", "an end that is not the known one is seen",
    "«FixedBytes<16>(found.span.extracting(first: FrameTrailer.length)) == view.lastTrailer»")
expression("following: batches cut off", "committed batches that are gone are told of", "guard «leads» else {")
expression(
    "following: an end that was synced", "that a batch is gone whose sync succeeded is told of",
    "let known = «isEndSynced ? view.chain : view.lastBatch»", "view.lastBatch")
expression(
    "following: an older copy", "an older copy in the vault's place is told of", "guard «found.succeeds(view)» else {", by=REAL)
expression(
    "following: damage while nobody writes", "damage is excused only while somebody writes",
    "guard !holdingLock, error.code.isDamage, «isBeingWritten()» else { throw error }")
section(ENGINE + "ReadingAgain.swift", HONEST, READERS)
expression(
    "reading: damage by a writer at work", "what looks like damage is read again under the lock",
    "      } catch {\n        guard «error.code.isDamage» else { throw error }\n        damage = error", "false")
section(ENGINE + "PublishedView.swift", HONEST, FAILING)
statement(
    "reading: usable handles", "a handle that failed refuses reads", "      «try state.checkUsable()»\n      return Seen(")
expression(
    "reading: stamps while somebody writes", "no stamp is trusted that was taken while somebody wrote",
    "if stamp != nil, «follower.isBeingWritten()» { stamp = nil }", "false", READERS, SHORTER)

section(ENGINE + "View.swift", TAMPER, SCENARIOS)
expression(
    "replay: a shorter file", "a shorter copy of the same generation is older", "? «chain.sequence >= other.chain.sequence» :", by=REAL)
expression(
    "replay: an earlier generation", "an earlier generation is older", ": «mine.generation > theirs.generation»", by=REAL)
expression(
    "replay: unfinished generation", "a generation without its last checkpoint is refused",
    "if before > 0, «history.first?.generation != before», !isUnfinished {", "false")
expression(
    "replay: newest term", "a frame under an older data key is refused",
    "if header.type.usesDataKey, «header.term != totals.terms.last» {", "false")
expression(
    "replay: every data key", "a checkpoint carries every data key", "guard «totals.carried == totals.terms» else {")
expression("replay: genesis", "an anchor repeats the genesis", "guard «anchor.genesis == totals.genesis» else {")
expression(
    "replay: history", "a history names earlier generations alone",
    "guard «anchor.history.allSatisfy({ $0.generation < generation.header.generation })» else {")
expression("replay: versions ascend", "versions ascend", "guard «record.version > lastVersion» else {")
expression(
    "replay: the event before", "an event points to the one before it",
    "guard «record.operation != .event || record.previous == newestEvent» else {")
statement("replay: a root's place", "an index root fits its place", "      «try root.check(isIn: header)»\n      comparison?")

section(ENGINE + "NameIndex.swift", TAMPER, SCENARIOS)
expression(
    "replay: the record before", "a record points to the one before of its name",
    "guard «step.previous != put», step.entry.offset", "false")

section(ENGINE + "Walk.swift", SHORTER, GUARDS)
expression(
    "walk: an end inside a batch", "a file that ends inside a batch is not whole",
    "if failure == nil, «!chain.isBetweenBatches» {", "false")

section(ENGINE + "Opening.swift", SHORTER, SCENARIOS)
expression("opening: a founding batch", "a file without a whole batch is refused", "guard «walk.batches > 0» else {")
expression(
    "opening: limits in a torn tail", "not even a torn tail holds what is over a limit",
    "if let failure = walk.failure, «failure.code == .limitExceeded» {", "false", promise=BOUNDED)
expression(
    "opening: a checkpoint", "a later generation has a checkpoint",
    "guard «generation.header.generation == 1 || walk.newestCheckpoint != nil» else", promise=TAMPER)
statement(
    "opening: frames in a torn tail", "whole frames in a torn tail must open",
    "    «_ = try structure.torn?.judge { (frame) in keyring.opening(of: frame, in: generation) }»")
expression(
    "opening: length of a tail", "a tail is no longer than a batch and space ahead",
    "guard «length <= UInt64(Limits.batchBytes) + Limits.zeroTail» else {", promise=BOUNDED, by=GUARDS)
expression(
    "opening: zeros", "a file ends in no more zeros than somebody allocates",
    "guard «UInt64(bytes.count - bytes.span.endOfNonzero) <= Limits.zeroTail» else {", by=GUARDS,
    promise=BOUNDED)
statement(
    "opening: costs before derivation", "no key is derived before the costs of all slots were looked at",
    "    «try format { () throws(FormatError) in try KeySlot.checkBounds(found) }»", promise=BOUNDED)
expression(
    "opening: changed keys", "keys that were changed are no damage",
    "if «known.header.fileID != structure.generation.header.fileID» {", "false", "VaultEngineTests.GenerationTests", HONEST)
statement(
    "opening: pin", "a file is held against its pin", "    if let pin { «_ = try check(.pin(pin), structure, &window, view)» }", promise=TAMPER)

section(ENGINE + "PageExcuse.swift", TAMPER, BAD_PAGES)
expression(
    "excuse: links of segments", "what is passed over hides no change before it",
    "guard «links.allSatisfy({ $0.offset != start.offset || $0.link == start.link })» else {", by=SCENARIOS)
expression("excuse: the end", "it leads to the end that was found from the root", "guard «walk.committed == end» else {")
expression("excuse: the root's own batch", "pages of the root's own batch are not excused", "    «offset < rootBatch»\n", "true")
section(ENGINE + "NewestRoot.swift", TAMPER, SCENARIOS)
expression(
    "root: its batch", "a root counts only at the end of a whole checkpoint",
    "return «walk.newestCheckpoint == start.offset && walk.committed.offset == end» ? walk : nil")

section(ENGINE + "IndexComparison.swift", TAMPER, SCENARIOS + "|VaultVectorsTests.WrongIndexTests")
for name, text in [
    ("last version", 'try demand(root.lastVersion == lastVersion, "its last version is another")'),
    ("newest event", 'try demand(root.newestEvent == newestEvent, "its newest event is another")'),
    ("no run", 'try demand(!root.runs.isEmpty || isNothingLive, "it lists no run, although there are names")'),
    ("count of entries", 'try demand(UInt64(count) == run.entries, "a run has \\(count) entries, not \\(run.entries)")'),
    ("count of pages", 'try demand(IndexPage.count(for: pages) == run.pages, "a run has more pages than it needs")'),
    ("entry of a frame", 'try demand(newest == entry, "an entry contradicts its frame")'),
    ("a name's entry", '        try demand(mayLackDeletions && passed.isDeletion, "a name has no entry")'),
    ("the last names' entries", '\n      try demand(mayLackDeletions && passed.isDeletion, "a name has no entry")'),
    ("link of a segment", 'try demand(number > segment.firstPage || page.previousLink == segment.linkBefore, "a segment\'s link is another")'),
    ("page of an entry", 'try demand(isInPlace, "an entry stands on the wrong page")'),
]:
    statement("index: " + name, "verification of the index: " + name, text)

section(ENGINE + "PinCheck.swift", TAMPER, SCENARIOS + "|VaultEngineTests.PinTests")
expression("pin: vault", "a pin is of this vault", "guard «mark.isOf(vault: header.vaultID)» else")
expression("pin: file", "a pin of this generation is of this file", "guard «mark.isOf(file: header.fileID)» else {")
expression(
    "pin: head", "the history up to the pin is the pinned one",
    "guard «try link(at: head.sequence, structure, &window, view?.excuse) == head.link» else {")
expression("pin: forgotten generation", "a generation is missing only where the history is full", "guard «isForgotten» else {")
expression("pin: file of an ancestor", "an earlier generation is the pinned file", "guard «mark.isOf(file: ancestor.fileID)»,")
expression(
    "pin: end of an ancestor", "an earlier generation went as far as the pin", "«ancestor.lastSequence >= head.sequence»,")
expression(
    "pin: head of an ancestor", "and ended with the pinned head",
    "«ancestor.lastSequence > head.sequence || ancestor.head == head.link»")

section(ENGINE + "Keyring.swift", TAMPER, SCENARIOS)
expression(
    "keys: a term given twice", "a data key that is repeated is the same", "guard «known.dataKey.isSame(as: dataKey)» else {")
expression(
    "keys: terms ascend", "a new term is above all before", "if let newest = keys.terms.last, «newest.dataKey.term >= term» {", "false",
    "VaultVectorsTests.TermOrderTests")
expression(
    "keys: another vault", "another vault in this one's place is refused", "guard «other.vaultID == header.vaultID» else {",
    by=REAL)
statement(
    "wipe: plaintext of a record", "the plaintext of a record is wiped when it was used", "      «slot?.wipe()»\n",
    by="VaultEngineTests.WipeTests", promise=SECRET)
statement(
    "wipe: plaintext after an error", "and when it could not be", "    } catch {\n      «slot = nil»\n      throw error",
    by="VaultEngineTests.WipeTests", promise=SECRET)
section(ENGINE + "RecordCipher.swift", TAMPER, SCENARIOS + "|VaultVectorsTests.WrongIndexTests")
expression("records: newest term", "a record under an older data key is refused", "guard «header.term == term» else {")
expression(
    "records: the record that is meant", "a record is the one that the index means", "guard «meant.fits(frame)» else")
expression(
    "records: place", "a header that no checksum was asked of is of this place", "«header.offset == offset», header.frameLength <=",
    by="VaultEngineTests.DamagedReadTests")
expression(
    "records: length", "no length is believed before the checksum was asked, beyond what was read",
    "«header.frameLength <= bytes.count»\n    {", by="VaultEngineTests.DamagedReadTests", promise=BOUNDED)
statement(
    "records: what is wrong", "a damaged header is told as such", "        «_ = try FrameHeader(parsing: bytes.span, at: offset, in: generation)»\n        _ = try frame",
    by="VaultEngineTests.DamagedReadTests", promise=HONEST)
section(ENGINE + "ViewReading.swift", TAMPER, "VaultVectorsTests.WrongIndexTests")
expression("records: name", "a record is of the name that was asked for", "guard «entry.isNamed(name)» else {")

section(ENGINE + "ForkGuard.swift", DURABLE, "VaultEngineTests.ForkTests")
expression("fork: handle of a parent", "a child refuses its parent's handle", "guard «isSameProcess» else {")
section(ENGINE + "Vault.swift", DURABLE, "VaultEngineTests.ForkTests")
expression("fork: end of a child", "a child's end does not touch the file", "deinit { if «forks.isSameProcess» {")
statement("fork: reading", "a child refuses to read", "    «try forks.check()»\n    let newest")
statement("fork: writing", "a child refuses to write", "    «try forks.check()»\n    guard batch.count")
statement("fork: closing", "a child refuses to close", "    «try forks.check()»\n    commits.close()")
statement(
    "closing: handle", "a handle that was closed refuses everything",
    '    «published.fail(VaultError(.handleFailed, "the handle was closed"))»', by=BOUNDS, promise=HONEST)
section(ENGINE + "VaultBatch.swift", BOUNDED, BOUNDS)
expression("limit: empty names", "no name is empty", "guard «name.count > 0» else")
expression("limit: names", "a name has 1024 bytes at most", "guard «name.count <= VaultLimits.name» else {")
expression("limit: values", "a value has 1 MiB at most", "guard «value.count <= VaultLimits.value» else {")

# MARK: New generations and copies

section(MAINTENANCE + "GenerationWriter.swift", DURABLE, "VaultEngineTests.(MaintenanceCrashTests/everyPoint|RestoreTests|ModelTests)")
statement("new file: sync of the founding batch", "the founding batch is synced", "    try file.write(bytes.span, at: 0)\n    «try file.sync()»")
statement("new file: sync of a batch", "every batch of a new file is synced", "      «try file.sync()»\n      try Self.compare(bytes")
expression(
    "new file: read back", "every batch of a new file is read back", "guard «found.span.equals(expected)» else",
    by="VaultEngineTests.ReadBackTests")
expression(
    "new file: as a reader", "the whole new file is opened as a reader will", "guard «found.chain == view.chain», found.lastVersion",
    by="VaultEngineTests.ReadBackTests")
statement(
    "new file: order of check and rename", "a new generation is opened before it has the vault's name",
    "    «try checkAsReader()\n    try temporary.storage.replace(with: file)»",
    "try temporary.storage.replace(with: file)\n    try checkAsReader()", "VaultEngineTests.ReadBackTests", ATOMIC)
statement(
    "new file: order of check and publishing", "a new vault is opened before it has its name",
    "    «try checkAsReader()\n    try temporary.storage.publish(file)»",
    "try temporary.storage.publish(file)\n    try checkAsReader()", "VaultEngineTests.ReadBackTests", ATOMIC)
statement(
    "new file: removed", "a new file that came to nothing is removed", "    if !hasName { «storage.discard(file)» }",
    by=UPKEEP, promise=ATOMIC)
section(MAINTENANCE + "GenerationCheck.swift", DURABLE, GUARDS)
expression(
    "new file: founding batch read back", "the founding batch is read back",
    "guard «try file.read(at: 0, count: bytes.count + 1) == bytes» else")
expression("new file: the same record", "a record that was copied is the same", "guard «isSame» else", by=GUARDS)

section(MAINTENANCE + "GenerationCopy.swift", ATOMIC, UPKEEP + "|VaultEngineTests.CopyGuardTests")
expression("copying: one at a time", "one new generation is made at a time", "guard «!environment.storage.sweep()» else {")
expression(
    "copying: the same file", "the vault is still the file that was copied",
    "guard «try storage.identity() == view.file.identity» else {")
expression(
    "copying: the same end", "a batch that was copied was not withdrawn",
    "«FixedBytes<16>(found.span) == view.lastTrailer» else {")
statement("copying: confirmed at the end", "and when it ends", "    «try Self.confirm(old, environment.storage)»\n    try catchUp()")
statement(
    "copying: caught up", "what was written meanwhile is copied under the lock",
    "    try Self.confirm(old, environment.storage)\n    «try catchUp()»", promise=DURABLE)
statement("copying: torn tail", "a torn tail is kept", "    «try keepTornTail()»\n", promise=SHORTER)
statement("copying: key slots", "key slots that were changed meanwhile are not undone", "    «try checkKeysAreSame()»\n", promise=SECRET)
statement(
    "copying: live names", "the live names are compared before the rename", "    «try compareLiveNames()»\n",
    by="VaultEngineTests.ReadBackTests", promise=DURABLE)
expression(
    "copying: lock at the start", "copying begins under the lock",
    "let lock = «try environment.storage.lock(.exclusive, wait: options.lockTimeout)»\n"
    "    defer { withExtendedLifetime(lock) {} }\n    guard !environment", "nil")
expression(
    "copying: lock at the end", "and ends under it",
    "let lock = «try environment.storage.lock(.exclusive, wait: options.lockTimeout)»\n"
    "    defer { withExtendedLifetime(lock) {} }\n    let start", "nil")
statement("copying: sync of a shredded file", "what is shredded is synced", "    «try old.file.sync()»\n", promise=SECRET)
expression(
    "copying: what is shredded", "the old file is shredded and no other", "try «old».file.write(zeros.span", "writer.view",
    by=POWER_CUTS + "/shredding", promise=DURABLE)
statement(
    "copying: shredded at the end", "nothing is shredded where the new name may not be on the disk",
    "    «try finish(selected)»\n    if options.shreds", "try? finish(selected)", by=POWER_CUTS + "/shredding", promise=DURABLE)

section(MAINTENANCE + "FileCopy.swift", DURABLE, "VaultEngineTests.(BackupTests|RestoreTests|SalvageTests)")
statement("copy: sync", "a copied file is synced", "    «try target.sync()»")
section(MAINTENANCE + "Backup.swift", DURABLE, "VaultEngineTests.BackupTests")
expression("backup: not the vault", "a vault is no copy of itself", "guard «found != file.identity» else {")
expression("backup: nothing replaced", "a file that is there is left alone", "guard «replaces» else {")
expression(
    "backup: verified", "a copy of damage is no backup",
    "guard let finding = «report.findings.first(where: { $0.code.isDamage && $0.code != .indexDamaged })» else {",
    "nil as VerifyReport.Finding?", promise=SHORTER, by=GUARDS)
statement("backup: removed", "a copy that came to nothing is removed", "      «destination.discard(copy)»\n", promise=ATOMIC)

section(MAINTENANCE + "Restore.swift", TAMPER, "VaultEngineTests.RestoreTests")
expression(
    "restore: not the vault", "a vault is no backup of itself", "guard «try environment.storage.identity() != source.identity» else {")
expression("restore: pin", "a backup is held against the pin", "pin: «options.pin», readsWhole: true)", "nil")
expression(
    "restore: older than the pin", "one that is older is refused",
    "guard «options.acceptsRollback» else { throw Restore.refusal(error.sentence) }")
expression("restore: newer vault", "a newer vault is not replaced unasked", "if let target, «target.isNewer» {", "false")
expression(
    "restore: lock", "a restore takes the lock",
    "let lock = «options.isTrial ? nil : try environment.storage.lock(.exclusive, wait: options.lockTimeout)»", "nil",
    promise=DURABLE, by=GUARDS)
expression(
    "restore: copy read back", "the copied file is opened before it has its name",
    "guard «found.chain == view.chain» else { throw GenerationCheck.mismatch(at: found.chain.offset) }",
    by="VaultEngineTests.ReadBackTests", promise=DURABLE)
expression(
    "restore: one at a time", "no generation is made beside another",
    "guard «!storage.sweep()» else {", promise=ATOMIC, by=GUARDS)
expression("restore: versions", "no version is given twice", "version: «greatest + 1»,", "view.greatestVersion + 1")
statement(
    "restore: removed", "a copy that came to nothing is removed", "      «storage.discard(copy)»\n", promise=ATOMIC, by="VaultEngineTests.ReadBackTests")
section(MAINTENANCE + "RestoreTarget.swift", TAMPER, "VaultEngineTests.RestoreTests")
expression(
    "restore: another vault", "a backup of another vault is refused",
    "guard «found.header.vaultID == backup.generation.header.vaultID» else {")
expression(
    "restore: newer keys", "a vault whose keys were changed since is newer",
    "|| «view.chain.sequence > backup.chain.sequence»", "false", by=GUARDS)
expression(
    "restore: versions of the vault", "versions go on from the vault's",
    "greatestVersion = «max(view.greatestVersion, backup.greatestVersion)»", "backup.greatestVersion")

section(MAINTENANCE + "Salvage.swift", SHORTER, "VaultEngineTests.SalvageTests")
statement(
    "salvage: targets", "what is at a target is left alone",
    "    if let targets { «try checkIsFree([targets.vault.storage, targets.rest])» }")
statement(
    "salvage: the rest first", "the new vault appears when what does not open is kept",
    "    «try salvage.keepRest(in: rest)\n    try writer.publish()»\n",
    "try writer.publish(); try salvage.keepRest(in: rest)", by=POWER_CUTS + "/salvage")
section(MAINTENANCE + "KeyChanges.swift", SECRET, "VaultEngineTests.KeyChangeTests")
expression("key change: last slot", "the last slot can't be removed", "guard «!left.isEmpty» else {", promise=SHORTER)
expression("key change: slot in use", "the slot in use is removed only if that is said", "guard «number != used || evenInUse» else {")
expression("key change: no such slot", "a slot that is not there can't be removed", "guard «left.count < slots.count» else {")
statement(
    "key change: bounds", "no slot is added beyond the bounds", "      «try Self.checkBounds(kept + [slot])»", promise=BOUNDED)
section(MAINTENANCE + "SlotNumbers.swift", TAMPER, "VaultEngineTests.KeyChangeTests")
expression(
    "key change: numbers", "a slot's number is never used again",
    "highest = «max(highest, try lastSlotNumber(from: start(ofBatchEndedBy: root)))»", "highest")

# MARK: The format

section(FORMAT + "TailRules.swift", SHORTER, TAILS)
expression("tail T0", "the founding batch is never torn", "guard «!chain.isInFirstBatch» else")
expression("tail T1", "a batch that another one follows was whole", "if «provesLaterBatch» || hasBytesBehindEnd {", "false")
statement(
    "tail T1: headers", "a header of another batch proves it",
    "      «if let header = header(at: place), header.sequence &- UInt64(header.position) != chain.sequence + 1 {\n"
    "        return true\n      }»\n")
statement(
    "tail T1: trailers", "a trailer of another batch proves it",
    "      «if let trailer = trailer(at: place), place + FrameTrailer.length != Int(trailer.distance) { return true }»")
expression("tail T2", "nothing stands behind the end of a torn batch", "if provesLaterBatch || «hasBytesBehindEnd» {", "false")
expression(
    "tail T3: rest", "a rest that begins no frame is damage", "guard «isBegunHeader || meetsHole(place..<tail.count)» else {")
expression(
    "tail T3: no header", "what is no header is torn only with a hole", "guard «meetsHole(place..<place + FrameHeader.length)» else {")
expression(
    "tail T3: order", "frames that are whole follow each other",
    "if let before, «header.position != before.position || header.previousLink != before.link» {", "false")
expression("tail T3: shape", "a frame's header must be possible", "«(try? header.checkShape()) != nil» else {")
statement("tail T3: checksum", "a frame without a hole has its checksum", "      «_ = try frame.checkedTrailer()»\n")
expression(
    "tail T3: opened", "a frame without a hole opens", "guard «opening == .opens || opening == .keyMissing && evidence» else {")
expression("tail T3: evidence", "a whole batch that is no batch is damage", "guard «evidence» else {")
statement("tail T4", "no frame's length is believed over what stands in it", "      «try checkExtent(of: header, at: place)»\n")

section(FORMAT + "Chain.swift", TAMPER, FORMATS)
expression("chain: sequence", "sequences ascend by one", "if «header.sequence != sequence + 1» {", "false")
expression("chain: position", "positions in a batch ascend by one", "} else if «header.position != position» {", "false")
expression("chain: previous link", "a frame links to the one before", "} else if «header.previousLink != link» {", "false")
expression("chain: newest root", "a frame names the newest index root (field 72)", "} else if «header.newestRoot != newestRoot» {", "false")
expression("chain: term", "only what a data key seals has a term", "} else if «(header.term != 0) != header.type.usesDataKey» {", "false")
expression(
    "chain: distance", "a trailer names the start of its batch",
    "guard «UInt64(trailer.distance) == end - batchStart» else {")
expression(
    "chain: header in an anchor", "an anchor repeats the file header",
    "guard «frame.clear.equals(fileHeader.serialized().span)» else {", by=SCENARIOS)
expression("chain: order of slots", "slots ascend by number", "if let lastSlot, «number <= lastSlot» {", "false", by=SCENARIOS)
expression("chain: frames of a batch", "a batch has a limit of frames", "guard «position < frames», end", promise=BOUNDED)
expression("chain: bytes of a batch", "and of bytes", "«end - batchStart <= UInt64(bytes)», end", promise=BOUNDED)
section(FORMAT + "BatchShape.swift", TAMPER, FORMATS)
expression("batch: its end", "a batch ends with what may end it", "«mayEnd(header, at: next)» else {")
expression("batch: slots", "a batch has 32 slots at most", "guard «slots <= Limits.slots»,", promise=BOUNDED)
expression("batch: data keys", "and 64 data keys", "«dataKeys <= Limits.liveTerms» else {", promise=BOUNDED)
expression("batch: pages first", "a file does not begin with pages", "(.start, .indexPage): «isFirst ? nil : .pages»", ".pages")

section(FORMAT + "Frame.swift", TAMPER, FORMATS)
expression("frame: inside the file", "a frame lies in the file", "guard «header.frameLength <= bytes.count» else", promise=BOUNDED)
expression("frame: total", "a trailer has its frame's length", "      «Int(trailer.total) == bytes.count»\n")
expression("frame: checksum", "a frame has its checksum", "guard «trailer.checksum == checksum» else {")
statement(
    "wipe: plaintext before a frame is opened", "the former plaintext goes before a frame is opened",
    "    «plaintext.removeLast(plaintext.count)»\n", by=MODEL + "/aRandomProgram", promise=SECRET)
section(FORMAT + "FrameHeader.swift", TAMPER, FORMATS)
expression("header: checksum", "a header has its checksum", "guard «Self.hasChecksum(header, in: generation)» else {")
expression("header: offset", "a frame stands where it was made for", "guard «self.offset == offset» else {")
expression("header: reserved bytes", "reserved bytes are zero", "guard «bytes.bigEndian(at: 80, as: UInt32.self) == 0» else {", by=SCENARIOS)
expression("header: type", "unknown types are refused", "guard «type.isKnown || type.isAncillary» else")
expression("header: suite", "the suite seals frames", "guard «suite == Self.suite» else")
expression("header: flags", "reserved flags are zero", "guard «flags & ~1 == 0» else", by=SCENARIOS)
expression("header: clear part", "a type fixes its clear part", "guard «Int(clearLength) == type.clearLength» else", by=TAILS)
expression("header: fixed lengths", "some types fix their ciphertext", "guard «sealed == fixed» else", by=SCENARIOS)
expression("header: whole blocks", "a ciphertext is a multiple of 16", "«sealed % 16 == 0» else", by=TAILS)
expression("header: length", "a frame has 64 MiB at most", "guard «frameLength <= Limits.frame» else {", promise=BOUNDED, by=TAILS)
section(FORMAT + "FrameTrailer.swift", TAMPER, FORMATS)
expression("trailer: complement", "a trailer has its complement", "guard «complement == ~total»,")
expression("trailer: blocks", "lengths are multiples of 16", "«total % 16 == 0»,")
expression("trailer: distance", "a batch is no shorter than its frame", "«distance >= total»,")

section(FORMAT + "FileHeader.swift", TAMPER, FORMATS)
expression("file header: magic", "a vault begins with its magic number", "«bytes.extracting(first: 8).equals(Self.magic.span)» else {")
expression("file header: checksum", "a file header has its checksum", "guard «CRC32(of: header.extracting(first: 124)).value == header.bigEndian(at: 124)» else {")
expression("file header: version", "another version is refused", "guard «major == Self.majorVersion» else {")
expression("file header: features", "unknown features are refused", "guard «incompatible & ~Self.knownIncompatible == 0» else {")
expression(
    "file header: read-only features", "features that only forbid writing do", "{ «readOnlyCompatible & ~Self.knownReadOnlyCompatible != 0» }",
    "false", BOUNDS, READ_ONLY)
statement("file header: reserved bytes", "reserved bytes are zero", "    «try reader.zeros(41)»", "_ = try reader.take(41)")
expression("file header: generation", "generations begin with 1", "guard «generation >= 1», generation")
expression("file header: padding", "the padding is a power of two", "«padding & (padding - 1) == 0» else {")
expression("file header: policy", "reserved bits are zero", "guard «policy & ~1 == 0» else")

section(FORMAT + "KeySlot.swift", BOUNDED, FORMATS)
expression("slot: costs of a key", "a slot of a key has no costs", "guard «logN == 0», r == 0,", promise=TAMPER)
expression("slot: count", "a vault has 32 slots at most", "guard «slots.count <= Limits.slots» else {")
expression("slot: N", "scrypt's N has bounds", "guard «(14...20).contains(logN)»,")
expression("slot: r", "scrypt's r is 8", "«r == 8», (1...4)")
expression("slot: p", "scrypt's p has bounds", "«(1...4).contains(p)» else {")
expression("slot: passphrases", "a vault has 8 passphrases at most", "guard «passphrases <= Limits.passphraseSlots» else {")
expression("slot: total cost", "all slots together have a bound", "guard «cost <= Limits.totalScryptCost» else {")
expression("slot: numbers", "no number is used twice", "guard «Set(slots.map(\\.number)).count == slots.count» else {", promise=TAMPER)
expression(
    "slot: commitment", "a slot's commitment is compared",
    "guard «constantTimeEqual(derived.span.extracting(32..<64), commitment.span)» else { return nil }",
    by="VaultEngineTests.CredentialTests|" + FORMATS, promise=SECRET)
expression(
    "slot: commitment in a rekey", "which slots a credential opens is known by their commitments",
    "return «constantTimeEqual(derived.span.extracting(32..<64), commitment.span)»", by="VaultEngineTests.MaintenanceKeyTests",
    promise=SECRET)
section(FORMAT + "Keys.swift", TAMPER, FORMATS)
expression("data key: commitment", "a data key is the one committed to", "guard «fits» else {")
expression("data key: term", "a term is not zero", "guard «term > 0» else")
expression(
    "data key: the same key", "a repeated data key is compared", "term == other.term && «constantTimeEqual(key.span, other.key.span)»",
    by=FORMATS + "|" + SCENARIOS)
statement("data key: reserved bytes", "reserved bytes are zero", "    «try reader.zeros(4)»", "_ = try reader.take(4)")

section(FORMAT + "ByteReader.swift", TAMPER, FORMATS)
expression("reader: reserved bytes", "reserved bytes and padding are zero", "guard «taken.isZero» else")
expression("reader: the end", "nothing is read behind the end", "guard count >= 0, «count <= remaining» else", promise=BOUNDED, by="VaultFormatTests.IndexRootTests/aRootHasOneForm")
expression("reader: whole blocks", "a structure is filled up to 16 bytes", "guard «bytes.count % 16 == 0», remaining")
expression("reader: nothing left", "a structure is read to its end", ", «remaining < 16» else")
section(FORMAT + "Genesis.swift", TAMPER, FORMATS)
statement("genesis: reserved bytes", "reserved bytes are zero", "    «try reader.zeros(5)»", "_ = try reader.take(5)")
statement("genesis: the end", "it is read to its end", "    «try reader.zerosToBlock()»")
section(FORMAT + "Anchor.swift", TAMPER, FORMATS)
expression("anchor: history", "it lists 64 generations at most", "guard «count <= Limits.history» else {", promise=BOUNDED)
expression("anchor: descending", "generations descend", "if let newer = history.last, «newer.generation <= ancestor.generation» {", "false")
statement("anchor: reserved bytes", "reserved bytes are zero", "    «try reader.zeros(7)»", "_ = try reader.take(7)")
statement("anchor: the end", "it is read to its end", "    «try reader.zerosToBlock()»")
expression("anchor: generation", "a generation is in range", "guard «(1..<Limits.counter).contains(generation)» else")
section(FORMAT + "IndexPage.swift", TAMPER, FORMATS)
expression("page: tags", "tags ascend", "if let last = entries.last, «!last.tag.precedes(entry.tag)» {", "false")
expression("page: offsets", "an entry names the place of a frame", "guard «Limits.isFrameOffset(offset)» else")
statement("page: the end", "it is read to its end", "    «try reader.zerosToEnd()»")
statement("page: reserved bytes", "reserved bytes are zero", "    «try reader.zeros(2)»", "_ = try reader.take(2)")
section(FORMAT + "IndexRoot.swift", TAMPER, FORMATS + "|" + SCENARIOS)
expression("root: runs", "it names 64 runs at most", "guard «count <= Limits.runs» else {", promise=BOUNDED)
expression("root: adjoining runs", "runs adjoin", "guard «run.sequences.upperBound == end» else")
expression("root: its place", "it fits its place", "guard «isInOrder» else {")
expression("root: entries of a run", "a run has no more entries than its pages", "guard «entries <= UInt64(pages) * UInt64(IndexPage.capacity)» else {")
expression("root: pages of a segment", "segments ascend", "guard «segment.firstPage > before.firstPage» else", by="VaultFormatTests.IndexRootTests/segmentsKeepToTheirRules")
expression("root: behind the run", "a segment lies in its run", "guard «segment.firstPage < pages» else")
section(FORMAT + "Record.swift", TAMPER, FORMATS)
expression("record: flags", "reserved flags are zero", "guard «flags & ~3 == 0» else")
expression("record: name", "a name has 1 to 1024 bytes", "guard «(1...Limits.name).contains(nameLength)» else", by=SCENARIOS, promise=BOUNDED)
expression("record: value", "a value has 16 MiB at most", "guard «valueLength <= Limits.hardValue» else {", promise=BOUNDED)
expression("record: lengths", "its lengths add up", "guard «plaintextLength(padding: header.padding) == plaintext.count» else {", by="VaultFormatTests.RecordTests/lengthsKeepToTheirBounds")
expression("record: padding", "its padding is zero", "guard «plaintext.extracting(valueRange.upperBound..<plaintext.count).isZero» else {")
expression("record: version", "its version is in range", "guard «(1..<Limits.counter).contains(version)» else")
expression("record: the one before", "it points before itself", "&& «previous < offset» else")
expression("record: deflated", "it is deflated only where that is allowed", "guard «!isDeflated || header.allowsDeflate» else")
expression("record: deletion", "a deletion has no value", "«valueLength == 0» else { throw reader.error(\"a deletion has a value\")")
section(FORMAT + "Deflate.swift", BOUNDED, FORMATS)
expression("deflate: limit", "no more memory is taken than a value may have", "let room = «min(limit, stored.count * 1032)»", "stored.count * 1032")
section(FORMAT + "AdditionalData.swift", TAMPER, FORMATS + "|" + SCENARIOS)
statement("aad: the file", "a frame is bound to its file", "    «target.replace(at: 0, with: prefix.span)»")
statement("aad: the header", "a frame is bound to its header", "    «target.replace(at: start, with: header.extracting(first: 84))»")
statement("aad: the clear part", "a frame is bound to its clear part", "    «target.replace(at: start + 84, with: clear)»")
expression("aad: the last link", "the frame that ends a batch is bound to the link before it", "if «!endsBatch» { target")
section(FORMAT + "Pin.swift", TAMPER, FORMATS)
expression("pin: one text", "there is one text for each pin", "guard «self.text == text» else")
expression("pin: length", "a pin has 96 bytes", "guard «bytes.count == Self.length» else", by="VaultFormatTests.PinTests/otherLengthsAreRefused")
section(FORMAT + "Head.swift", TAMPER, FORMATS)
expression("head: one text", "there is one text for each head", "guard «description == text» else")
section(FORMAT + "LegacyRecord.swift", TAMPER, FORMATS)
expression("legacy: tag", "a legacy tag has 16 bytes", "guard «authTag.count == (profile.isAuthenticated ? 16 : 0)» else")
expression("legacy: iv", "a legacy iv has 16 bytes, or 12", "guard «iv.count == 16 || profile.isAuthenticated && iv.count == 12» else")
expression("legacy: suite", "a legacy record has its profile's suite", "guard «profile.suite == suite» else")
expression("legacy: the end", "a legacy record is read to its end", "guard «reader.remaining == 0» else")
section(FORMAT + "LegacyProfile.swift", BOUNDED, FORMATS)
expression("legacy: memory", "scrypt takes 1 GiB at most", "guard «memory <= Self.memoryLimit» else {")

# MARK: Cryptography

section(CRYPTO + "XAES256GCM.swift", TAMPER, "VaultCryptoTests")
expression("xaes: length of a tag", "a tag has 16 bytes", "guard «tag.count == gcmTagLength» else {", by="VaultCryptoTests.AuthenticatedCipherTests/xaesRefusesOtherLengths")
section(CRYPTO + "LegacyCiphers.swift", TAMPER, "VaultCryptoTests")
expression("gcm: length of a tag", "a tag has 16 bytes", "guard «tag.count == gcmTagLength» else {", by="VaultCryptoTests.AuthenticatedCipherTests/everyOtherTagLengthIsRefused")
expression("cbc: padding", "PKCS #7 padding is checked", "let mode: Int32 = «padding == .pkcs7 ? 1 : 0»", "0")
section(CRYPTO + "CipherContext.swift", TAMPER, "VaultCryptoTests")
expression("gcm: tag", "a tag must fit", "if updated == 1, tagSet == 1, «fits == 1» { return true }")
statement(
    "wipe: what did not open", "what was written of a plaintext that does not open is wiped",
    "        «unsafe OPENSSL_cleanse(start, ciphertext.count)»", promise=SECRET)
section(CRYPTO + "ConstantTime.swift", TAMPER, "VaultCryptoTests")
expression("compare: length", "secrets of different lengths differ", "guard «left.count == right.count» else { return false }")
expression("compare: bytes", "secrets are compared", "«CRYPTO_memcmp(left, right.baseAddress ?? OpenSSL.empty, right.count)» == 0", "0")
section(CRYPTO + "KeyDerivation.swift", BOUNDED, "VaultCryptoTests.KeyDerivationTests|VaultFormatTests.LegacyTests")
expression("scrypt: N", "N has bounds", "guard «(2...1 << 20).contains(n)», n & (n - 1) == 0 else {", by="VaultCryptoTests.KeyDerivationTests/scryptRefusesCosts")
expression("scrypt: r", "r has bounds", "guard «bounds.scryptFactor.contains(r)» else {")
expression("scrypt: p", "p has bounds", "guard «bounds.scryptFactor.contains(p)» else {")
expression("scrypt: product", "N * r * p has bounds", "guard «n * UInt64(r) * UInt64(p) <= 1 << 25» else {")
expression("pbkdf2: iterations", "iterations have bounds", "guard «bounds.iterations.contains(iterations)» else {")
section(CRYPTO + "RandomSource.swift", SECRET, "VaultCryptoTests.RandomSourceTests")
expression("random: forks", "a child draws its own bytes", "if used == block.count || «owner != getpid()» { try draw() }", "false")
statement("wipe: random bytes", "a random byte is wiped when it was handed out", "      «block.wipe(drawn)»", by="VaultCryptoTests.WipeTests")
section(CRYPTO + "SecretBytes.swift", SECRET, "VaultCryptoTests.(SecretBytesTests|WipeTests)")
statement("wipe: a slot", "a small secret is wiped when it goes", "    «unsafe OPENSSL_cleanse(address, count)»\n    used")
statement(
    "wipe: the heap", "a secret that is not on the secure heap is wiped when it goes", "      «unsafe tv_clear_free(address, capacity)»",
    "unsafe CRYPTO_free(address, nil, 0)")
statement(
    "wipe: a failed fill", "what a failed fill has written is wiped", "      «unsafe OPENSSL_cleanse(free.baseAddress, free.count)»")
statement("wipe: removed bytes", "bytes that are removed are wiped", "    «unsafe OPENSSL_cleanse(address + (count - removed), removed)»")
statement("wipe: all bytes", "all bytes are wiped", "    «unsafe OPENSSL_cleanse(address, capacity)»\n    count = 0")
statement("wipe: some bytes", "some bytes are wiped", "    «unsafe OPENSSL_cleanse(address + range.lowerBound, range.count)»")
section(CRYPTO + "Parameters.swift", SECRET, "VaultCryptoTests.WipeTests")
statement(
    "wipe: parameters", "what a derivation was given is wiped", "      «unsafe OPENSSL_cleanse(values[index].baseAddress, values[index].count)»")

# MARK: The library and the command

section(LIBRARY + "Keys/SecretVariables.swift", SECRET, "CommandLineTests.ExecTests/theKeyIsInNoEnvironment")
statement(
    "wipe: variables", "keys in the environment are wiped", "      «unsafe explicit_bzero(value, strlen(value))»")
section(LIBRARY + "Refresh/RefreshCall.swift", DURABLE, "TokenVaultTests.RefreshTests")
expression(
    "refresh: another's token", "a token that another has stored meanwhile stays", "guard «entry.hasSameToken(as: before)» else { return try usable(entry) }")
expression(
    "refresh: cool-down", "a refresh that failed is not repeated at once", "guard over >= 0, «over < options.coolDown.microseconds» else { return }", "false",
    promise=HONEST)
statement(
    "refresh: room for the answer", "there is room on the disk for an answer before one is asked for",
    "      «batch.roomBehind = Self.answerRoom + 2 * entry.jsonLength»",
    by="CommandLineTests.RefreshCommandTests/aDiskThatIsFilledMeanwhile")
expression(
    "refresh: a busy vault", "an answer waits for other writers", "guard error.code == .locked, «.now < end» else", "false",
    by="CommandLineTests.RefreshCommandTests/aVaultThatIsBusyWithTheAnswerThere")
section(COMMAND + "PrivateOutput.swift", DURABLE, SYNCS)
expression("output: sync", "a file of secrets is synced", "«fsync(descriptor) == 0» else { throw failed(errno) }")
expression("output: mode", "a file of secrets is its owner's", "guard «fchmod(descriptor, 0o600) == 0»,", by="CommandLineTests.ModeTests", promise=SECRET)
statement("output: name", "its name is synced", "    «FileFacts.syncFolder(of: path)»")
section(COMMAND + "FileReplacement.swift", DURABLE, SYNCS)
statement("pin: sync", "a pin is synced before it takes its name", "    «if number == 0, fsync(descriptor) != 0 { number = errno }»")
statement("pin: name", "its name is synced", "    «FileFacts.syncFolder(of: path)»")
section(COMMAND + "PinFile.swift", TAMPER, "CommandLineTests.PinCommandTests")
expression("pin: changed by others", "a pin that others can change proves nothing", "guard «status.st_mode & S_IFMT != S_IFREG || status.st_mode & 0o022 == 0» else {")

# MARK: Faults that tests plant themselves

for name, what in [
    ("verifier: 12-byte tags", "tags are compared over 12 bytes"),
    ("verifier: padding over 16", "padding over 16 is taken"),
    ("verifier: AAD ignored", "AAD is ignored"),
    ("verifier: counter over 128 bits", "the counter wraps over 128 bits"),
]:
    planted(name, what, "VaultCryptoTests.PlantedFaultTests/aFaultIsSeen")
planted("verifier: skipped cases", "cases that were skipped", "VaultCryptoTests.(ReportTests|BadVectorFileTests)")
planted("verifier: faults in a reader", "a reader of vaults that is wrong in one place", "VaultVectorsTests.PlantedReaderFaultTests")
for name, what in [
    ("a group in parts", "each request of a group is a batch"),
    ("a group answered early", "a group is acknowledged before its sync"),
    ("shredding too early", "a generation is shredded that still has the name"),
    ("shredding without a sync", "zeros that are not on the disk"),
    ("a salvage in place", "a salvage changes the damaged vault"),
    ("a salvage without the rest", "what does not open is not on the disk"),
]:
    planted(f"power cuts: {name}", what, POWER_CUTS + "/plantedFaults", ATOMIC)
planted("model: a lost write", "a disk that loses one write", "VaultEngineTests.ShrinkingTests")
