#!/usr/bin/env python3
"""A second implementation of the TokenVault file format, written from FORMAT.md alone.

It reads a vault as a whole, by replay from offset 128, and writes small ones. It is meant for cross tests and for
reading the format beside running code, not for daily use: it keeps everything in memory and never erases keys.
Names in quotation marks are the sections of FORMAT.md.

`serve` speaks JSON lines (see `Service`); `create`, `put`, `get`, `list` and `verify` work on files.
"""
from __future__ import annotations

import argparse
import base64
import binascii
import fcntl
import functools
import hashlib
import hmac
import json
import os
import struct
import sys
import time as clock
import zlib
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC, SYNC = bytes.fromhex("8954564c540d0a1a"), bytes.fromhex("f5545646")
RECORD, SLOT, DATA_KEY, GENESIS, PAGE, ROOT, ANCHOR = 1, 2, 3, 4, 5, 6, 7
PUT, DELETE, EVENT = 1, 2, 3
OPERATIONS = {PUT: "put", DELETE: "delete", EVENT: "event"}
FIRST, KIB, MIB, TOP = 128, 2**10, 2**20, 2**63
FILE_HEADER = struct.Struct(">8sHHIII16s32sQHB41sI")
HEADER = struct.Struct(">4sBBHQQIIII32sQII")
TRAILER = struct.Struct(">IIII")
SLOT_CLEAR = struct.Struct(">BBBBIq32s32s")
RECORD_HEAD = struct.Struct(">BBHIqQQ")
EARLIER = struct.Struct(">Q32sQQ32sqB7s")
ROOT_HEAD, RUN_HEAD, SEGMENT = struct.Struct(">QQQII"), struct.Struct(">QBBHIQQQ"), struct.Struct(">IQ32s")
PAGE_HEAD, PAGE_SIZE, PER_PAGE = struct.Struct(">QIHH"), 4096, 164
SERVED = ("success", "torn-tail", "index-damaged")


class Failure(Exception):
    """One of the codes of "Errors", with the place where it was found. `end` is E where the tail rules decided."""

    def __init__(self, code: str, offset: int | None = None, sequence: int | None = None, end: int | None = None):
        super().__init__(code)
        self.code, self.offset, self.sequence, self.end = code, offset, sequence, end


class IndexBad(Exception):
    """The index is bad ("Reading by the index, and when it is bad")."""


def require(condition: bool, code: str, offset: int | None = None, sequence: int | None = None) -> None:
    if not condition:
        raise Failure(code, offset, sequence)


def index_rule(condition: bool) -> None:
    if not condition:
        raise IndexBad


def zero(data: bytes) -> bool:
    return data.count(0) == len(data)


def pad(data: bytes, multiple: int) -> bytes:
    return data + bytes(-len(data) % multiple)


def label(text: str, *parts: bytes) -> bytes:
    """"Labels": the text, one zero byte, the parts."""
    return text.encode() + b"\0" + b"".join(parts)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def hkdf(key: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF-SHA-256 (RFC 5869), extract and expand."""
    extracted, block, out = hmac.digest(salt, key, "sha256"), b"", b""
    while len(out) < length:
        block = hmac.digest(extracted, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def scrypt(secret: bytes, salt: bytes, log2n: int, r: int, p: int, length: int) -> bytes:
    return Scrypt(salt=salt, length=length, n=1 << log2n, r=r, p=p).derive(secret)


class Random:
    """Random bytes: the system's, or reproducible ones from SHAKE-256 of a seed and a counter (for tests only)."""

    def __init__(self, seed: bytes | None = None):
        self.seed, self.count = seed, 0

    def __call__(self, length: int) -> bytes:
        if self.seed is None:
            return os.urandom(length)
        self.count += 1
        return hashlib.shake_256(self.seed + struct.pack(">Q", self.count)).digest(length)


# --- Suites ---------------------------------------------------------------------------------------------------------

def aes_block(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


@functools.lru_cache(maxsize=256)
def xaes_subkey(key: bytes) -> bytes:
    """K1 of "Suites"."""
    left = int.from_bytes(aes_block(key, bytes(16)), "big")
    return ((left << 1) % (1 << 128) ^ (0x87 if left >> 127 else 0)).to_bytes(16, "big")


def xaes_derive(key: bytes, salt: bytes) -> bytes:
    """Kx of "Suites"."""
    k1 = xaes_subkey(key)
    blocks = b"".join(bytes(x ^ y for x, y in zip(bytes([0, n, 0x58, 0]) + salt, k1)) for n in (1, 2))
    return aes_block(key, blocks)


def gcm_seal(key: bytes, iv: bytes, aad: bytes, plain: bytes) -> tuple[bytes, bytes]:
    """Ciphertext and authTag under AES-256-GCM."""
    sealed = AESGCM(key).encrypt(iv, plain, aad)
    return sealed[:-16], sealed[-16:]


def gcm_open(key: bytes, iv: bytes, aad: bytes, cipher: bytes, tag: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(iv, cipher + tag, aad) if len(tag) == 16 else None
    except InvalidTag:
        return None


def xaes_seal(key: bytes, nonce: bytes, aad: bytes, plain: bytes) -> tuple[bytes, bytes]:
    return gcm_seal(xaes_derive(key, nonce[:12]), nonce[12:], aad, plain)


def xaes_open(key: bytes, nonce: bytes, aad: bytes, cipher: bytes, tag: bytes) -> bytes | None:
    return gcm_open(xaes_derive(key, nonce[:12]), nonce[12:], aad, cipher, tag)


def cbc_seal(key: bytes, iv: bytes, plain: bytes) -> bytes:
    count = 16 - len(plain) % 16
    return Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor().update(plain + bytes([count]) * count)


def cbc_open(key: bytes, iv: bytes, cipher: bytes) -> bytes | None:
    """Every byte of the padding is compared; all failures look the same."""
    if not cipher or len(cipher) % 16:
        return None
    plain = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor().update(cipher)
    count = plain[-1]
    expected = bytes([count]) * min(count, 16)
    fits = hmac.compare_digest(plain[len(plain) - len(expected):], expected)
    return plain[:-count] if fits and 1 <= count <= 16 else None


# --- Legacy records -------------------------------------------------------------------------------------------------

PROFILES = {"cbc-raw": 1, "cbc-pbkdf2": 2, "gcm-raw": 3, "gcm-scrypt": 4, "gcm-pbkdf2": 5}
LEGACY_HEAD = struct.Struct(">BBHBBHI")


@dataclass(frozen=True)
class Legacy:
    """A legacy sealed record, its parts and KDF parameters ("Legacy records")."""
    profile: int
    salt: bytes
    iv: bytes
    tag: bytes
    cipher: bytes
    parameters: bytes = b""

    @property
    def suite(self) -> int:
        return 0x81 if self.profile <= 2 else 0x82

    def check(self) -> None:
        """The rules of the form, then the bounds of the costs."""
        s, i, a, c, kdf = len(self.salt), len(self.iv), len(self.tag), len(self.cipher), self.profile not in (1, 3)
        good = (8 <= s <= 64 or s == 0 and not kdf)
        good &= (i == 16 and a == 0 and c > 0 and c % 16 == 0) if self.suite == 0x81 else (i in (12, 16) and a == 16)
        require(good and len(self.parameters) == {1: 0, 3: 0, 4: 4}.get(self.profile, 8), "legacy-malformed")
        if self.profile == 4:
            log2n, r, p, encoding = self.parameters
            require(1 <= encoding <= 3, "legacy-malformed")
            require(1 <= log2n <= 20 and 1 <= r <= 64 and 1 <= p <= 64 and (r * p << log2n) <= 2**25
                    and (r << log2n) <= 2**23 and log2n < 16 * r, "limit-exceeded")
        elif kdf:
            hash_id, encoding, reserved, iterations = struct.unpack(">BBHI", self.parameters)
            require(hash_id in (1, 2) and 1 <= encoding <= 3 and reserved == 0, "legacy-malformed")
            require(1 <= iterations <= 10_000_000, "limit-exceeded")

    @classmethod
    def parse(cls, data: bytes) -> Legacy:
        """The binary form."""
        require(len(data) >= LEGACY_HEAD.size, "legacy-malformed")
        suite, profile, s, i, a, reserved, c = LEGACY_HEAD.unpack_from(data)
        require(profile in PROFILES.values() and reserved == 0, "legacy-malformed")
        sizes = [{1: 0, 3: 0, 4: 4}.get(profile, 8), s, i, a, c]
        require(len(data) == LEGACY_HEAD.size + sum(sizes), "legacy-malformed")
        parts, at = [], LEGACY_HEAD.size
        for size in sizes:
            parts.append(data[at:at + size])
            at += size
        record = cls(profile, *parts[1:], parameters=parts[0])
        require(suite == record.suite, "legacy-malformed")
        record.check()
        return record

    @classmethod
    def parse_text(cls, text: bytes, profile: int, parameters: bytes) -> Legacy:
        record = cls(profile, *split_text(text), parameters=parameters)
        record.check()
        return record

    def binary(self) -> bytes:
        parts = (self.salt, self.iv, self.tag, self.cipher)
        s, i, a, c = map(len, parts)
        return LEGACY_HEAD.pack(self.suite, self.profile, s, i, a, 0, c) + self.parameters + b"".join(parts)

    def key(self, secret: bytes) -> bytes | None:
        """The 32-byte key, or nothing where the secret does not have the form that it should have."""
        if self.profile in (1, 3):
            return secret if len(secret) == 32 else None
        encoding = self.parameters[3] if self.profile == 4 else self.parameters[1]
        try:
            if encoding == 2:
                secret = binascii.unhexlify(secret)
            elif encoding == 3:
                secret = base64.b64decode(secret, validate=True)
        except ValueError:
            return None
        if self.profile == 4:
            return scrypt(secret, self.salt, *self.parameters[:3], 32)
        hash_id, _, _, iterations = struct.unpack(">BBHI", self.parameters)
        return hashlib.pbkdf2_hmac({1: "sha256", 2: "sha512"}[hash_id], secret, self.salt, iterations, 32)

    def open(self, secret: bytes) -> bytes:
        key, plain = self.key(secret), None
        if key is not None:
            plain = (cbc_open(key, self.iv, self.cipher) if self.suite == 0x81
                     else gcm_open(key, self.iv, b"", self.cipher, self.tag))
        require(plain is not None, "legacy-unopened")
        return plain

    @classmethod
    def seal(cls, profile: int, parameters: bytes, salt: bytes, iv: bytes, secret: bytes, plain: bytes) -> Legacy:
        key = cls(profile, salt, iv, b"", b"", parameters).key(secret)
        require(key is not None, "legacy-unopened")
        cipher, tag = (cbc_seal(key, iv, plain), b"") if profile <= 2 else gcm_seal(key, iv, b"", plain)
        return cls(profile, salt, iv, tag, cipher, parameters)


def join_text(*parts: bytes) -> bytes:
    """`salt:iv:authTag:ciphertext` ("In text")."""
    return b":".join(base64.b64encode(part) for part in parts)


def split_text(text: bytes) -> list[bytes]:
    parts = text.split(b":")
    require(len(parts) == 4, "legacy-malformed")
    try:
        decoded = [base64.b64decode(part, validate=True) for part in parts]
    except ValueError:
        raise Failure("legacy-malformed") from None
    require(join_text(*decoded) == text, "legacy-malformed")
    return decoded


def seal_text(key: bytes, name: bytes, value: bytes, nonce: bytes) -> bytes:
    """A sealed record of our own in text, suite 0x01."""
    cipher, tag = xaes_seal(key, nonce, label("tokenvault/1 text", name), value)
    return join_text(nonce[:12], nonce[12:], tag, cipher)


def open_text(key: bytes, name: bytes, text: bytes) -> bytes | None:
    salt, iv, tag, cipher = split_text(text)
    require((len(salt), len(iv), len(tag)) == (12, 12, 16), "legacy-malformed")
    return xaes_open(key, salt + iv, label("tokenvault/1 text", name), cipher, tag)


# --- File header, frames, batches -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class FileHeader:
    """ "File header"."""
    vault_id: bytes
    file_id: bytes
    generation: int
    padding: int = 32
    policy: int = 0
    readonly_features: int = 0
    raw: bytes = b""

    def bytes(self) -> bytes:
        body = FILE_HEADER.pack(MAGIC, 1, 0, 0, 0, 0, self.vault_id, self.file_id, self.generation, self.padding,
                                self.policy, bytes(41), 0)[:-4]
        return self.raw or body + struct.pack(">I", zlib.crc32(body))

    @functools.cached_property
    def link0(self) -> bytes:
        return sha256(label("tokenvault/1 link", self.bytes()))

    @classmethod
    def parse(cls, data: bytes) -> FileHeader:
        require(len(data) >= FIRST and data[:8] == MAGIC, "header-damaged", 0)
        raw = data[:FIRST]
        (_, major, _, incompatible, readonly, _, vault_id, file_id, generation, padding, policy, reserved,
         crc) = FILE_HEADER.unpack(raw)
        require(zlib.crc32(raw[:124]) == crc, "header-damaged", 124)
        require(major == 1, "unsupported-version", 8)
        require(incompatible == 0, "unsupported-feature", 12)
        require(zero(reserved) and 1 <= generation < TOP and 16 <= padding <= 4096
                and padding & (padding - 1) == 0 and policy <= 1, "header-damaged", 72)
        return cls(vault_id, file_id, generation, padding, policy, readonly, raw)


@dataclass
class Frame:
    """A frame as its header describes it. A `bad` one stands for an index page that is excused."""
    data: bytes = field(repr=False)
    offset: int
    type: int
    suite: int
    flags: int
    sequence: int
    position: int
    term: int
    clear_length: int
    cipher_length: int
    previous: bytes | None
    root_offset: int
    link: bytes | None = None
    bad: bool = False

    @property
    def ends(self) -> bool:
        return bool(self.flags & 1)

    @property
    def end(self) -> int:
        return self.offset + 144 + self.clear_length + self.cipher_length

    @property
    def clear(self) -> bytes:
        return self.data[self.offset + 88:self.offset + 88 + self.clear_length]

    def sealed(self) -> tuple[bytes, bytes, bytes]:
        """Nonce (salt and iv), ciphertext, authTag."""
        at = self.offset + 88 + self.clear_length
        return self.data[at:at + 24], self.data[at + 40:at + 40 + self.cipher_length], self.data[at + 24:at + 40]

    def aad(self, header: FileHeader) -> bytes:
        if self.type == SLOT:
            return label("tokenvault/1 slot", header.vault_id, self.clear)
        return frame_aad(header, self.data[self.offset:self.offset + 84], self.ends, self.clear)

    def whole_link(self) -> bytes:
        return sha256(label("tokenvault/1 link", self.data[self.offset:self.end]))


def frame_aad(header: FileHeader, head: bytes, ends: bool, clear: bytes) -> bytes:
    if not ends:
        head = head[:40] + bytes(32) + head[72:]
    return label("tokenvault/1 frame", header.link0, head, clear)


CLEAR_LENGTHS = {SLOT: 80, ANCHOR: 128}
CIPHER_LENGTHS = {SLOT: 32, DATA_KEY: 80, PAGE: 3952}
FOLLOWS = {
    "founding": {None: {SLOT}, SLOT: {SLOT, DATA_KEY}, DATA_KEY: {GENESIS}},
    "checkpoint": {None: {SLOT}, SLOT: {SLOT, DATA_KEY}, DATA_KEY: {DATA_KEY, ANCHOR}, ANCHOR: {PAGE, ROOT},
                   PAGE: {PAGE, ROOT}},
    "pages": {None: {PAGE}, PAGE: {PAGE}},
    "records": {None: {RECORD}, RECORD: {RECORD}},
}


@dataclass
class Batch:
    """"Batches": the frames so far, with what the checks of the next one need."""
    start: int
    kind: str = ""
    frames: list[Frame] = field(default_factory=list)
    last: int | None = None
    slot_number: int = -1

    def place(self, frame: Frame, header: FileHeader) -> None:
        """The rows "its place", "frames and bytes" and "clear part" of "Order of checks"."""
        at, sequence = frame.offset, frame.sequence
        kind_of = RECORD if frame.type & 0x80 else frame.type
        if not self.frames:
            self.kind = "founding" if self.start == FIRST else {
                SLOT: "checkpoint", PAGE: "pages", RECORD: "records"}.get(kind_of, "")
        require(bool(self.kind) and kind_of in FOLLOWS[self.kind].get(self.last, ()), "chain-broken", at, sequence)
        if self.kind in ("founding", "checkpoint"):
            require(frame.ends == (kind_of in (GENESIS, ROOT)), "chain-broken", at, sequence)
        self.last = kind_of
        self.frames.append(frame)
        count, size = (128, MIB) if self.kind == "checkpoint" else (65536, 256 * MIB)
        require(len(self.frames) <= count and frame.end - self.start <= size and frame.end <= 2**48,
                "limit-exceeded", at, sequence)
        require(len(self.of(SLOT)) <= 32 and len(self.of(DATA_KEY)) <= 64, "limit-exceeded", at, sequence)
        if frame.type == SLOT:
            kind, log2n, r, p, number, *_ = SLOT_CLEAR.unpack(frame.clear)
            require(kind in (1, 2) and (kind == 2 or log2n == r == p == 0) and number > self.slot_number,
                    "slot-damaged", at, sequence)
            self.slot_number = number
        if frame.type == ANCHOR:
            require(frame.clear == header.bytes(), "frame-damaged", at, sequence)

    def of(self, kind: int) -> list[Frame]:
        return [frame for frame in self.frames if frame.type == kind] if self.kind in ("founding", "checkpoint") else []


@dataclass
class Walk:
    """The complete batches from some place on, and where and why the walk ended: E, S, link(S)."""
    batches: list[Batch]
    end: int
    sequence: int
    link: bytes
    root_offset: int | None
    failure: Failure | None = None

    def slots_batch(self) -> Batch:
        """The newest complete checkpoint, or the founding batch while there is none ("Key slot")."""
        return next((b for b in reversed(self.batches) if b.kind == "checkpoint"), self.batches[0])


class Structure:
    """All that needs no key: the walk, finding the newest root, the tail rules."""

    def __init__(self, data: bytes):
        self.data, self.header = data, FileHeader.parse(data)

    # Frames

    def valid_header(self, p: int) -> Frame | None:
        """A valid header as "Tail rules" defines it (the first row of "Order of checks" is the same)."""
        if p % 16 or p < FIRST or p + 88 > len(self.data) or self.data[p:p + 4] != SYNC:
            return None
        head = self.data[p:p + 88]
        _, kind, suite, flags, sequence, offset, position, term, clear, cipher, previous, root, reserved, crc = \
            HEADER.unpack(head)
        if offset != p or reserved or zlib.crc32(self.header.link0 + head[:84]) != crc:
            return None
        return Frame(self.data, p, kind, suite, flags, sequence, position, term, clear, cipher, previous, root)

    def valid_headers(self, start: int, stop: int) -> Iterator[Frame]:
        p = self.data.find(SYNC, start)
        while 0 <= p < stop:
            if frame := self.valid_header(p):
                yield frame
            p = self.data.find(SYNC, p + 1)

    def valid_trailers(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Start of its batch and end, of every valid trailer that begins in start ..< stop."""
        for p in range(start, min(stop, len(self.data) - 15), 16):
            total, distance, _, complement = TRAILER.unpack_from(self.data, p)
            if total ^ complement == 0xFFFFFFFF and total % 16 == 0 and 144 <= total <= 64 * MIB \
                    and distance % 16 == 0 and total <= distance <= 256 * MIB:
                yield p + 16 - distance, p + 16

    @staticmethod
    def form_right(frame: Frame) -> bool:
        """Type, suite, flags and lengths, but for the file's end."""
        return ((1 <= frame.type <= 7 or frame.type >= 0x80) and frame.suite == 1 and frame.flags <= 1
                and frame.clear_length == CLEAR_LENGTHS.get(frame.type, 0)
                and frame.cipher_length == CIPHER_LENGTHS.get(frame.type, frame.cipher_length)
                and frame.cipher_length > 0 and frame.cipher_length % 16 == 0
                and frame.end - frame.offset <= 64 * MIB)

    def body_right(self, frame: Frame, batch_start: int) -> bool:
        """Trailer and body CRC."""
        size, body = frame.end - frame.offset, memoryview(self.data)[frame.offset:frame.end - 16]
        return (size, frame.end - batch_start, zlib.crc32(body), size ^ 0xFFFFFFFF) == \
            TRAILER.unpack_from(self.data, frame.end - 16)

    def frame(self, walk: Walk, batch: Batch, p: int, sequence: int, link: bytes) -> Frame:
        """The keyless rows of "Order of checks", in their order."""
        in_slot = self.data[p:p + 5] == SYNC + bytes([SLOT])
        damaged = "slot-damaged" if in_slot else "frame-damaged"
        frame = self.valid_header(p)
        require(frame is not None and self.form_right(frame) and frame.end <= len(self.data), damaged, p, sequence)
        if walk.root_offset is None:
            walk.root_offset = frame.root_offset
        keyed = frame.type in (RECORD, PAGE, ROOT) or frame.type >= 0x80
        require((frame.sequence, frame.position, frame.previous, frame.root_offset, frame.term != 0)
                == (sequence, len(batch.frames), link, walk.root_offset, keyed), "chain-broken", p, sequence)
        require(self.body_right(frame, batch.start), damaged, p, sequence)
        batch.place(frame, self.header)
        frame.link = frame.whole_link()
        return frame

    # Walks

    def walk(self, start: int = FIRST, stop: int | None = None, excused: Excused | None = None) -> Walk:
        """Complete batches from `start` (128, or a checkpoint's first frame), up to `stop` or the first failure."""
        walk = Walk([], FIRST, 0, self.header.link0, 0)
        if start != FIRST:
            first = self.valid_header(start)
            walk = Walk([], start, first.sequence - 1, first.previous, None)
        batch, p, sequence, link = Batch(walk.end), walk.end, walk.sequence + 1, walk.link
        while p != stop:
            try:
                frames = [self.frame(walk, batch, p, sequence, link)] if not excused or p not in excused.offsets \
                    else excused.frames(self, walk, batch, p, sequence, link)
            except Failure as failure:
                require(failure.code != "limit-exceeded", failure.code, failure.offset, failure.sequence)
                walk.failure = failure
                break
            for frame in frames:
                p, sequence, link = frame.end, frame.sequence + 1, frame.link
                if frame.bad:
                    batch.place(frame, self.header)
                if frame.ends:
                    walk.batches.append(batch)
                    walk.end, walk.sequence, walk.link = p, frame.sequence, link
                    if batch.kind == "checkpoint":
                        walk.root_offset = frame.offset
                    batch = Batch(p)
        return walk

    def find_root(self) -> int | None:
        """Steps 3 to 6 of "Opening": the start of a whole checkpoint, from hints at the end of the file."""
        end = -(-len(self.data.rstrip(b"\0")) // 16) * 16
        frame = None
        if end <= len(self.data):
            total = int.from_bytes(self.data[end - 16:end - 12], "big")
            frame = self.valid_header(end - total)
            frame = frame if frame and frame.end == end else None
        p = end
        while frame is None and p > max(FIRST, end - 320 * MIB):
            p -= 16
            frame = self.valid_header(p)
        if frame is None:
            return None
        root = frame if frame.type == ROOT else self.valid_header(frame.root_offset)
        for _ in range(4):
            if root is None:
                return None
            start = self.checkpoint_start(root)
            if start is not None:
                return start
            root = self.valid_header(root.root_offset)
        return None

    def checkpoint_start(self, root: Frame) -> int | None:
        if root.type != ROOT or not self.form_right(root) or root.end > len(self.data):
            return None
        start = root.end - TRAILER.unpack_from(self.data, root.end - 16)[1]
        if start <= FIRST or self.valid_header(start) is None:
            return None
        try:
            walk = self.walk(start, root.end)
        except Failure:
            return None
        whole = len(walk.batches) == 1 and walk.batches[0].kind == "checkpoint" and walk.end == root.end
        return start if whole else None

    # Tail rules

    def early_tail(self, walk: Walk) -> bool:
        """T0 to T2: whether there is a tail to judge; raises the failure at E."""
        tail = self.data[walk.end:]
        if zero(tail):
            return False
        last = walk.end + len(tail.rstrip(b"\0"))
        headers = list(self.valid_headers(walk.end, len(self.data)))
        if any(h.sequence - h.position != walk.sequence + 1 for h in headers) \
                or any(start != walk.end for start, _ in self.valid_trailers(walk.end, len(self.data))) \
                or any(h.ends and h.end < last for h in headers):
            raise Failure(walk.failure.code, walk.failure.offset, walk.failure.sequence, walk.end)
        return True

    def hole(self, begin: int, a: int, b: int) -> bool:
        """Whether [a, b) meets a hole of [begin, L)."""
        for sector in range(a // 512 * 512, b, 512):
            part = self.data[max(sector, begin):sector + 512]
            if part and zero(part):
                return True
        return False

    def late_tail(self, walk: Walk, opens: Callable[[Frame, bool], bool] | None) -> None:
        """T3 and T4: returns if the tail is torn, raises if it is damaged."""
        p, position, link, begin, size = walk.end, 0, walk.link, walk.end, len(self.data)
        whole, evidence = True, False
        while p != size:
            damaged = Failure("tail-damaged", p, None, begin)
            if size - p < 88:
                if SYNC.startswith(self.data[p:p + 4]) or self.hole(begin, p, size):
                    return
                raise damaged
            frame = self.valid_header(p)
            if frame is None:
                if not self.hole(begin, p, p + 88):
                    raise damaged
                whole, evidence = False, True
                frame = next(self.valid_headers(p + 16, size), None)
                if frame is None:
                    return
                p = frame.offset
            if not self.form_right(frame) or whole and (frame.position, frame.previous) != (position, link):
                raise damaged
            inner = (p + 96, min(frame.end - 16, size))
            if any(self.valid_headers(*inner)) or any(self.valid_trailers(*inner)):
                raise damaged
            if frame.end > size:
                return
            if self.hole(begin, p, frame.end):
                whole, evidence = False, True
            elif self.body_right(frame, begin) and (opens is None or opens(frame, evidence)):
                whole, position, link = True, frame.position + 1, frame.whole_link()
            else:
                raise damaged
            if frame.ends:
                if evidence:
                    return
                raise damaged
            p = frame.end


@dataclass
class Excused:
    """Index pages that a rebuild of the index excuses when they are bad ("Reading by the index ...")."""
    offsets: set[int]
    opens: Callable[[Frame], bool]
    bad: list[Frame] = field(default_factory=list)

    def frames(self, structure: Structure, walk: Walk, batch: Batch, p: int, sequence: int,
               link: bytes) -> list[Frame]:
        """The frame at p, or the bad pages in a row from p on: 4096 bytes and one sequence each."""
        trial = Batch(batch.start, batch.kind, list(batch.frames), batch.last, batch.slot_number)
        try:
            frame = structure.frame(walk, trial, p, sequence, link)
            if frame.type != PAGE or self.opens(frame):
                batch.__dict__.update(trial.__dict__)
                return [frame]
        except Failure:
            pass
        run: list[Frame] = []
        while p in self.offsets and (not run or not self.alone(structure, p, sequence)):
            run.append(Frame(structure.data, p, PAGE, 1, 0, sequence, 0, 0, 0, 3952, None, 0, bad=True))
            p, sequence = p + PAGE_SIZE, sequence + 1
        following = structure.valid_header(p)
        require(following is not None, "frame-damaged", p, sequence)
        run[0].previous, run[-1].link = link, following.previous
        ended = len(run) - following.position
        if ended != -len(batch.frames):
            require(0 <= ended, "chain-broken", p, sequence)
            if ended:
                run[ended - 1].flags = 1
        self.bad += run
        return run

    def alone(self, structure: Structure, p: int, sequence: int) -> bool:
        """A page behind a bad one: right as far as that can be said without the link before it."""
        frame, data = structure.valid_header(p), structure.data
        return (frame is not None and structure.form_right(frame) and frame.type == PAGE and frame.sequence == sequence
                and frame.end <= len(data)
                and zlib.crc32(data[p:frame.end - 16]) == TRAILER.unpack_from(data, frame.end - 16)[2]
                and self.opens(frame))


# --- Keys -----------------------------------------------------------------------------------------------------------

def check_costs(slots: list[Frame]) -> None:
    """All live slots, before any KDF runs ("Key slot")."""
    count = total = 0
    for slot in slots:
        kind, log2n, r, p = slot.clear[:4]
        if kind == 2:
            require(14 <= log2n <= 20 and r == 8 and 1 <= p <= 4, "limit-exceeded", slot.offset, slot.sequence)
            count, total = count + 1, total + (p << log2n)
            require(count <= 8 and total <= 2**22, "limit-exceeded", slot.offset, slot.sequence)


def slot_secret(vault_id: bytes, clear: bytes, key: bytes | None, passphrase: bytes | None) -> bytes:
    """KEK and commitment of a slot."""
    kind, log2n, r, p, _, _, salt, _ = SLOT_CLEAR.unpack(clear)
    if kind == 1:
        return hkdf(key, salt, label("tokenvault/1 slot raw", vault_id), 64)
    return scrypt(passphrase, vault_id + salt, log2n, r, p, 64)


def unlock(header: FileHeader, slots: list[Frame], key: bytes | None, passphrase: bytes | None) -> bytes:
    """The root key."""
    check_costs(slots)
    for kind, credential in ((1, key), (2, passphrase)):
        for slot in slots:
            if credential is None or slot.clear[0] != kind:
                continue
            secret = slot_secret(header.vault_id, slot.clear, key, passphrase)
            if hmac.compare_digest(secret[32:], slot.clear[48:]):
                root = xaes_open(secret[:32], *open_order(slot, header))
                require(root is not None, "slot-damaged", slot.offset, slot.sequence)
                return root
    raise Failure("wrong-key")


def open_order(frame: Frame, header: FileHeader) -> tuple[bytes, bytes, bytes, bytes]:
    nonce, cipher, tag = frame.sealed()
    return nonce, frame.aad(header), cipher, tag


class Keys:
    """The keys below the root key, and opening under them ("Keys")."""

    def __init__(self, header: FileHeader, root_key: bytes):
        self.header, self.root_key = header, root_key
        self.wrap = hkdf(root_key, header.vault_id, b"tokenvault/1 wrap")
        self.genesis = hkdf(root_key, header.vault_id, label("tokenvault/1 genesis", header.file_id))
        self.lookup = hkdf(root_key, header.vault_id, label("tokenvault/1 lookup", header.file_id))
        self.terms: dict[int, bytes] = {}

    def of(self, kind: int, term: int) -> bytes | None:
        return {DATA_KEY: self.wrap, ANCHOR: self.wrap, GENESIS: self.genesis}.get(kind) or self.terms.get(term)

    def open(self, frame: Frame) -> bytes | None:
        key = self.of(frame.type, frame.term)
        return None if key is None else xaes_open(key, *open_order(frame, self.header))

    def opened(self, frame: Frame) -> bytes:
        """The rows "the term is the newest" and "tag" of "Order of checks"."""
        if frame.term:
            require(bool(self.terms) and frame.term == max(self.terms), "chain-broken", frame.offset, frame.sequence)
        plain = self.open(frame)
        require(plain is not None, "frame-damaged", frame.offset, frame.sequence)
        return plain

    def tag(self, name: bytes) -> bytes:
        return hmac.digest(self.lookup, name, "sha256")[:12]

    def commitment(self, term: int, key: bytes) -> bytes:
        return hkdf(key, self.header.vault_id, label("tokenvault/1 commit", struct.pack(">I", term)))

    def data_key(self, plain: bytes, frame: Frame) -> tuple[int, bytes]:
        """"Data key"."""
        term, reserved, _, key, commitment = struct.unpack(">IIq32s32s", plain)
        require(term > 0 and reserved == 0, "frame-damaged", frame.offset, frame.sequence)
        require(hmac.compare_digest(commitment, self.commitment(term, key)), "commitment-mismatch", frame.offset,
                frame.sequence)
        return term, key


def check_genesis(plain: bytes, frame: Frame) -> None:
    """"Genesis"."""
    good = len(plain) >= 16 and plain[8] <= 5 and zero(plain[11:16])
    if good:
        end = 16 + plain[9] + plain[10]
        good = len(plain) == end + -end % 16 and zero(plain[end:])
    try:
        require(good, "frame-damaged", frame.offset, frame.sequence)
        plain[16:16 + plain[9]].decode(), plain[16 + plain[9]:end].decode()
    except UnicodeDecodeError:
        raise Failure("frame-damaged", frame.offset, frame.sequence) from None


@dataclass(frozen=True)
class Earlier:
    """One earlier generation ("Anchor")."""
    generation: int
    file_id: bytes
    last_sequence: int
    last_version: int
    head: bytes
    created: int
    made_by: int
    reserved: bytes = bytes(7)


def parse_anchor(plain: bytes, genesis: bytes, header: FileHeader, frame: Frame) -> list[Earlier]:
    """"Anchor"."""
    where, after = (frame.offset, frame.sequence), 4 + len(genesis)
    require(plain[:after] == struct.pack(">I", len(genesis)) + genesis and len(plain) >= after + 4,
            "frame-damaged", *where)
    count = int.from_bytes(plain[after:after + 4], "big")
    require(count <= 64, "limit-exceeded", *where)
    end = after + 4 + EARLIER.size * count
    require(len(plain) == end + -end % 16 and zero(plain[end:]), "frame-damaged", *where)
    history = [Earlier(*fields) for fields in EARLIER.iter_unpack(plain[after + 4:end])]
    below = header.generation
    for one in history:
        require(1 <= one.generation < below and one.last_sequence < TOP and one.last_version < TOP
                and one.made_by <= 5 and zero(one.reserved), "frame-damaged", *where)
        below = one.generation
    return history


# --- Records --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Record:
    operation: int
    name: bytes
    value: bytes
    time: int
    version: int
    legacy: bool = False
    deflated: bool = False
    previous: int = 0

    def plaintext(self, padding: int) -> bytes:
        value = self.value
        if self.deflated:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            value = deflate.compress(value) + deflate.flush()
        flags = self.deflated | self.legacy << 1
        head = RECORD_HEAD.pack(self.operation, flags, len(self.name), len(value), self.time, self.version,
                                self.previous)
        return pad(head + self.name + value, padding)

    @classmethod
    def parse(cls, plain: bytes, frame: Frame, header: FileHeader) -> Record:
        """"Record", all rules that need no other record."""
        def rule(condition: bool, code: str = "frame-damaged") -> None:
            require(condition, code, frame.offset, frame.sequence)
        rule(len(plain) >= 32)
        operation, flags, n, v, time, version, previous = RECORD_HEAD.unpack_from(plain)
        rule(operation in OPERATIONS and flags <= 3 and 1 <= n <= 1024)
        rule(v <= 16 * MIB, "limit-exceeded")
        end = 32 + n + v
        rule(len(plain) == end + -end % header.padding and zero(plain[end:]))
        rule(operation != DELETE or flags == 0 and v == 0)
        rule(operation != EVENT or not flags & 2)
        rule(1 <= version < TOP)
        rule(previous == 0 or previous % 16 == 0 and FIRST <= previous < frame.offset)
        value, deflated = plain[32 + n:end], bool(flags & 1)
        if deflated:
            rule(bool(header.policy & 1))
            inflate = zlib.decompressobj(-15)
            try:
                value = inflate.decompress(value, 16 * MIB + 1)
            except zlib.error:
                rule(False)
            rule(len(value) <= 16 * MIB, "limit-exceeded")
            rule(inflate.eof and not inflate.unused_data)
        return cls(operation, plain[32:32 + n], value, time, version, bool(flags & 2), deflated, previous)


@dataclass(frozen=True)
class Entry:
    """What the index says of a record, with the sequence of its frame."""
    sequence: int
    tag: bytes
    offset: int
    deleted: bool
    auth: bytes

    def bytes(self) -> bytes:
        return self.tag + (self.offset | self.deleted).to_bytes(6, "big") + self.auth


@dataclass
class State:
    """What the records so far amount to."""
    records: list[Record] = field(default_factory=list)
    live: dict[bytes, Record] = field(default_factory=dict)
    put_at: dict[bytes, int] = field(default_factory=dict)
    event_at: int = 0
    version: int = 0
    entries: list[Entry] = field(default_factory=list)
    marks: list[tuple[int, int, int]] = field(default_factory=list)  # sequence, version, event_at of each record

    def previous(self, operation: int, name: bytes) -> int:
        return self.event_at if operation == EVENT else self.put_at.get(name, 0)

    def apply(self, record: Record, offset: int, sequence: int, tag: bytes, auth: bytes) -> None:
        if record.operation == EVENT:
            self.event_at = offset
        else:
            self.live.pop(record.name, None)
            self.put_at.pop(record.name, None)
            if record.operation == PUT:
                self.live[record.name], self.put_at[record.name] = record, offset
            self.entries.append(Entry(sequence, tag, offset, record.operation == DELETE, auth[:6]))
        self.version = record.version
        self.records.append(record)
        self.marks.append((sequence, self.version, self.event_at))

    def newest_entries(self, first: int, last: int) -> dict[bytes, Entry]:
        """The entries of a run that covers these sequences, by tag, ascending."""
        newest = {entry.tag: entry for entry in self.entries if first <= entry.sequence <= last}
        return dict(sorted(newest.items()))


# --- Index ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Segment:
    first: int
    offset: int
    link: bytes


@dataclass
class Run:
    id: int
    level: int
    pages: int
    count: int
    first: int
    last: int
    segments: list[Segment]

    def bytes(self) -> bytes:
        head = RUN_HEAD.pack(self.id, self.level, 0, len(self.segments), self.pages, self.count, self.first, self.last)
        return head + b"".join(SEGMENT.pack(s.first, s.offset, s.link) for s in self.segments)

    def page_offsets(self) -> Iterator[int]:
        ends = [s.first for s in self.segments[1:]] + [self.pages]
        for segment, end in zip(self.segments, ends):
            yield from range(segment.offset, segment.offset + PAGE_SIZE * (end - segment.first), PAGE_SIZE)


@dataclass
class Root:
    last_sequence: int
    last_version: int
    event_at: int
    runs: list[Run]

    def bytes(self) -> bytes:
        head = ROOT_HEAD.pack(self.last_sequence, self.last_version, self.event_at, len(self.runs), 0)
        return pad(head + b"".join(run.bytes() for run in self.runs), 16)

    @classmethod
    def parse(cls, plain: bytes, frame: Frame, first_sequence: int) -> Root:
        """"Index": the rules that a root can break by itself."""
        index_rule(len(plain) >= 32)
        root = cls(*ROOT_HEAD.unpack_from(plain)[:3], [])
        count, reserved = ROOT_HEAD.unpack_from(plain)[3:]
        require(count <= 64, "limit-exceeded", frame.offset, frame.sequence)
        index_rule(reserved == 0 and root.last_sequence == first_sequence - 1 and root.last_version < TOP)
        index_rule(root.event_at == 0 or cls.place(root.event_at, frame.offset))
        at, last = 32, root.last_sequence
        for _ in range(count):
            index_rule(at + RUN_HEAD.size <= len(plain))
            run_id, level, reserved, segments, pages, entries, first, end = RUN_HEAD.unpack_from(plain, at)
            at += RUN_HEAD.size
            index_rule(segments >= 1 and at + SEGMENT.size * segments <= len(plain) and reserved == 0)
            table = [Segment(*SEGMENT.unpack_from(plain, at + SEGMENT.size * n)) for n in range(segments)]
            at += SEGMENT.size * segments
            index_rule(1 <= first <= end == last and 1 <= entries <= PER_PAGE * pages)
            firsts = [s.first for s in table]
            index_rule(firsts[0] == 0 and firsts[-1] < pages)
            index_rule(all(b - a >= 1024 for a, b in zip(firsts, firsts[1:])))
            for segment, after in zip(table, firsts[1:] + [pages]):
                index_rule(cls.place(segment.offset, frame.offset))
                index_rule(segment.offset + PAGE_SIZE * (after - segment.first) <= frame.offset)
            root.runs.append(Run(run_id, level, pages, entries, first, end, table))
            last = first - 1
        index_rule(last == 0 or not root.runs)
        index_rule(len(plain) == at + -at % 16 and zero(plain[at:]))
        return root

    @staticmethod
    def place(offset: int, below: int) -> bool:
        return offset % 16 == 0 and FIRST <= offset < below


def page_of(tag: bytes, pages: int) -> int:
    return int.from_bytes(tag[:4], "big") * pages >> 32


def split_pages(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The smallest number of pages of which none has more than 164 entries."""
    entries = list(entries)
    count = -(-len(entries) // PER_PAGE)
    while True:
        pages: list[list[Entry]] = [[] for _ in range(count)]
        for entry in entries:
            pages[page_of(entry.tag, count)].append(entry)
        if all(len(page) <= PER_PAGE for page in pages):
            return pages
        count += 1


def page_bytes(run_id: int, number: int, entries: list[Entry]) -> bytes:
    body = PAGE_HEAD.pack(run_id, number, len(entries), 0) + b"".join(entry.bytes() for entry in entries)
    return body.ljust(3952, b"\0")


def check_run(run: Run, state: State, pages: dict[int, bytes | None]) -> None:
    """Each page and entry of a run against the frames. The oldest run may lack deletions."""
    expected = state.newest_entries(run.first, run.last)
    found: list[Entry] = []
    for number, offset in enumerate(run.page_offsets()):
        plain = pages.get(offset)
        index_rule(plain is not None)
        run_id, page_number, count, reserved = PAGE_HEAD.unpack_from(plain)
        end = PAGE_HEAD.size + 24 * count
        index_rule((run_id, page_number, reserved) == (run.id, number, 0) and count <= PER_PAGE and zero(plain[end:]))
        for at in range(PAGE_HEAD.size, end, 24):
            entry = expected.get(plain[at:at + 12])
            index_rule(entry is not None and entry.bytes() == plain[at:at + 24] and entry.offset < offset)
            index_rule(not found or found[-1].tag < entry.tag)
            index_rule(page_of(entry.tag, run.pages) == number)
            found.append(entry)
    missing = set(expected) - {entry.tag for entry in found}
    index_rule(not missing or run.first == 1 and all(expected[tag].deleted for tag in missing))
    index_rule(len(found) == run.count and len(split_pages(found)) == run.pages)


# --- Reading --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Pin:
    """ "Pin"."""
    vault_id: bytes
    file_id: bytes
    generation: int
    sequence: int
    head: bytes

    @classmethod
    def parse(cls, data: bytes) -> Pin:
        return cls(*struct.unpack(">16s32sQQ32s", data))

    def bytes(self) -> bytes:
        return struct.pack(">16s32sQQ32s", self.vault_id, self.file_id, self.generation, self.sequence, self.head)


@dataclass
class Outcome:
    """What opening or verifying found; `vault` is there if it was opened."""
    code: str
    offset: int | None = None
    sequence: int | None = None
    end: int | None = None
    note: str | None = None
    index_bad: bool = False
    pin: Pin | None = None
    vault: Reader | None = None

    @property
    def records(self) -> list[Record]:
        return self.vault.state.records if self.vault else []

    @property
    def live(self) -> dict[bytes, Record]:
        return self.vault.state.live if self.vault else {}


class Reader:
    """"Opening", by a full replay from offset 128."""

    def __init__(self, data: bytes, key: bytes | None, passphrase: bytes | None):
        self.structure = Structure(data)
        self.header = self.structure.header
        self.state, self.history, self.root, self.genesis = State(), [], None, b""
        self.index_bad, self.bad_pages = False, []
        self.walk, tail = self.outline(key is not None or passphrase is not None)
        self.slots_batch = self.walk.slots_batch()
        if key is None and passphrase is None:
            check_costs(self.slots_batch.of(SLOT))
        else:
            self.keys = Keys(self.header, unlock(self.header, self.slots_batch.of(SLOT), key, passphrase))
            self.open_newest()
            self.replay()
        if tail:
            self.structure.late_tail(self.walk, self.tail_opens if hasattr(self, "keys") else None)
        self.torn = tail
        self.check_finished()

    def outline(self, with_root: bool) -> tuple[Walk, bool]:
        """Steps 2 to 8, keyless. Where the walk from 128 fails before the newest whole root, that root's batch
        begins the walk to E: the failure may be that of an index page, which only an opened root can tell."""
        plain = self.structure.walk()
        if not plain.batches:
            raise plain.failure
        data = self.structure.data
        require(len(data) - len(data.rstrip(b"\0")) <= 257 * MIB, "limit-exceeded")
        self.founding, walk = plain.batches[0], plain
        start = self.structure.find_root() if with_root and not zero(data[plain.end:]) else None
        if start is not None and start >= plain.end:
            walk = self.structure.walk(start)
        return walk, self.structure.early_tail(walk)

    def open_newest(self) -> None:
        """Step 9 behind the root key: genesis, then the frames of the newest checkpoint."""
        frame = self.founding.frames[-1]
        self.genesis = self.keys.opened(frame)
        check_genesis(self.genesis, frame)
        for frame in self.slots_batch.frames:
            if frame.type == SLOT or frame.type == GENESIS:
                continue
            plain = self.keys.opened(frame)
            if frame.type == DATA_KEY:
                term, key = self.keys.data_key(plain, frame)
                require(term > max(self.keys.terms, default=0), "chain-broken", frame.offset, frame.sequence)
                self.keys.terms[term] = key
            elif frame.type == ANCHOR:
                self.history = parse_anchor(plain, self.genesis, self.header, frame)
            elif frame.type == ROOT:
                try:
                    self.root = Root.parse(plain, frame, self.slots_batch.frames[0].sequence)
                except IndexBad:
                    self.index_bad = True

    def replay(self) -> None:
        """Step 10, from offset 128, and the index against it."""
        newest, named = self.keys.terms, set()
        if self.root:
            before = self.slots_batch.start
            named = {offset for run in self.root.runs for offset in run.page_offsets() if offset < before}
        if named or self.walk.batches[0].start != FIRST:
            def opens(frame: Frame) -> bool:
                return self.page_opens(frame)
            excused = Excused(named, opens)
            self.keys.terms = dict(newest)
            walk = self.structure.walk(FIRST, self.walk.end, excused)
            if walk.failure:
                raise walk.failure
            walk.failure, self.walk, self.bad_pages = self.walk.failure, walk, excused.bad
        self.keys.terms, pages = {}, {}
        for batch in self.walk.batches:
            checkpoint_terms: list[int] = []
            for frame in batch.frames:
                if frame.type == SLOT or frame.bad:
                    continue
                plain = self.keys.opened(frame)
                if frame.type == RECORD:
                    self.record(plain, frame)
                elif frame.type == DATA_KEY:
                    self.data_key(plain, frame, checkpoint_terms)
                elif frame.type == ANCHOR:
                    require(len(checkpoint_terms) == len(self.keys.terms), "chain-broken", frame.offset, frame.sequence)
                    parse_anchor(plain, self.genesis, self.header, frame)
                elif frame.type == PAGE:
                    pages[frame.offset] = plain
        if self.root:
            self.check_index(pages)

    def page_opens(self, frame: Frame) -> bool:
        """Whether a page opens. Its term is judged in the replay; here any term of the newest checkpoint will do."""
        return self.keys.open(frame) is not None

    def record(self, plain: bytes, frame: Frame) -> None:
        record = Record.parse(plain, frame, self.header)
        previous = self.state.previous(record.operation, record.name)
        require(record.version > self.state.version and record.previous == previous, "chain-broken", frame.offset,
                frame.sequence)
        self.state.apply(record, frame.offset, frame.sequence, self.keys.tag(record.name), frame.sealed()[2])

    def data_key(self, plain: bytes, frame: Frame, seen: list[int]) -> None:
        """The rules of "Data key" along the file: every term again, ascending, with the same key."""
        term, key = self.keys.data_key(plain, frame)
        known = sorted(self.keys.terms)
        if term in self.keys.terms:
            require(self.keys.terms[term] == key, "commitment-mismatch", frame.offset, frame.sequence)
            require(len(seen) < len(known) and known[len(seen)] == term, "chain-broken", frame.offset, frame.sequence)
        else:
            require(len(seen) == len(known) and term > max(known, default=0), "chain-broken", frame.offset,
                    frame.sequence)
            self.keys.terms[term] = key
        seen.append(term)

    def check_index(self, pages: dict[int, bytes]) -> None:
        """The newest root against what the replay found; links of its segments and versions make chain-broken."""
        first = self.slots_batch.frames[0].sequence
        before = [mark for mark in self.state.marks if mark[0] < first]
        after = [mark for mark in self.state.marks if mark[0] > first]
        if after:
            require(after[0][1] > self.root.last_version, "chain-broken", None, after[0][0])
        frames = {frame.offset: frame for batch in self.walk.batches for frame in batch.frames}
        for run in self.root.runs:
            for segment in run.segments:
                frame = frames.get(segment.offset)
                if frame and frame.previous is not None:
                    require(frame.previous == segment.link, "chain-broken", frame.offset, frame.sequence)
        try:
            _, version, event = before[-1] if before else (0, 0, 0)
            index_rule(not self.bad_pages and (version, event) == (self.root.last_version, self.root.event_at))
            # Where every name was deleted, no entry is needed, and so no run.
            newest = {entry.tag: entry.deleted for entry in self.state.entries if entry.sequence < first}
            index_rule(bool(self.root.runs) or all(newest.values()))
            for run in self.root.runs:
                check_run(run, self.state, pages)
        except IndexBad:
            self.index_bad = True

    def tail_opens(self, frame: Frame, evidence: bool) -> bool:
        """Whether a frame of the tail opens, as T3 asks. Data keys of the tail count from then on."""
        if frame.type == SLOT:
            return True
        if self.keys.of(frame.type, frame.term) is None:
            return evidence
        plain = self.keys.open(frame)
        if plain is not None and frame.type == DATA_KEY:
            try:
                term, key = self.keys.data_key(plain, frame)
                self.keys.terms.setdefault(term, key)
            except Failure:
                pass
        return plain is not None

    def check_finished(self) -> None:
        """An unfinished generation ("Anchor"); without a key only the lack of a checkpoint shows."""
        if self.header.generation > 1:
            listed = self.history and self.history[0].generation == self.header.generation - 1
            require(self.slots_batch.kind == "checkpoint" and bool(listed or not hasattr(self, "keys")), "chain-broken")

    def pin(self) -> Pin:
        header = self.header
        return Pin(header.vault_id, header.file_id, header.generation, self.walk.sequence, self.walk.link)

    def check_pin(self, pin: Pin) -> str | None:
        """ "Pin"; returns what must be said if a rollback cannot be excluded."""
        header = self.header
        require(pin.vault_id == header.vault_id and pin.generation <= header.generation, "rollback")
        if pin.generation == header.generation:
            links = {0: header.link0} | {f.sequence: f.link for b in self.walk.batches for f in b.frames}
            require(pin.file_id == header.file_id and links.get(pin.sequence) == pin.head, "rollback")
            require(all(bad.sequence < pin.sequence for bad in self.bad_pages), "rollback")
            return None
        if not hasattr(self, "keys"):
            return "the history cannot be read without a key: a rollback cannot be excluded"
        listed = next((one for one in self.history if one.generation == pin.generation), None)
        if listed is None and len(self.history) == 64 and self.history[-1].generation > pin.generation:
            return "the pin is older than the history: a rollback cannot be excluded"
        require(listed is not None and listed.file_id == pin.file_id, "rollback")
        require(listed.last_sequence >= pin.sequence, "rollback")
        require(listed.last_sequence > pin.sequence or listed.head == pin.head, "rollback")
        return None


def open_vault(data: bytes, key: bytes | None = None, passphrase: bytes | None = None,
               pin: Pin | None = None) -> Outcome:
    """Opens and checks a whole vault; without a credential only its structure ("Verifying")."""
    try:
        vault = Reader(data, key, passphrase)
        note = vault.check_pin(pin) if pin else None
    except Failure as failure:
        return Outcome(failure.code, failure.offset, failure.sequence, failure.end)
    code = "torn-tail" if vault.torn else "index-damaged" if vault.index_bad else "success"
    return Outcome(code, end=vault.walk.end, note=note, index_bad=vault.index_bad, pin=vault.pin(), vault=vault)


# --- Writing --------------------------------------------------------------------------------------------------------

@dataclass
class Credential:
    """A raw key, or a passphrase with its costs."""
    key: bytes | None = None
    passphrase: bytes | None = None
    log2n: int = 17

    def slot(self, random: Random, vault_id: bytes, number: int, root_key: bytes, created: int) -> bytes:
        """Clear part, salt, iv, authTag, ciphertext of a new slot, as they are carried from batch to batch."""
        kind, costs = (1, (0, 0, 0)) if self.key is not None else (2, (self.log2n, 8, 1))
        clear = SLOT_CLEAR.pack(kind, *costs, number, created, random(32), bytes(32))
        secret = slot_secret(vault_id, clear, self.key, self.passphrase)
        clear, nonce = clear[:48] + secret[32:], random(24)
        cipher, tag = xaes_seal(secret[:32], nonce, label("tokenvault/1 slot", vault_id, clear), root_key)
        return clear + nonce + tag + cipher


class Writer:
    """Appends batches to a vault in memory. `batches` holds the bytes of each batch that it added."""

    frames_in_checkpoint = 128

    def __init__(self, random: Random, header: FileHeader, keys: Keys, slots: list[bytes]):
        self.random, self.header, self.keys, self.slots = random, header, keys, slots
        self.data, self.link, self.sequence, self.root_offset = bytearray(header.bytes()), header.link0, 0, 0
        self.state, self.history, self.runs = State(), [], []
        self.created, self.made_by, self.genesis = 0, 0, b""
        self.since_root, self.covered = 0, 0
        self.position, self.batches = 0, []
        self.data_keys: dict[int, bytes] = {}

    @classmethod
    def create(cls, random: Random, credentials: list[Credential], created: int = 0, padding: int = 32,
               policy: int = 0) -> Writer:
        """A new vault with its founding batch."""
        header = FileHeader(random(16), random(32), 1, padding, policy)
        root_key = random(32)
        slots = [c.slot(random, header.vault_id, n, root_key, created) for n, c in enumerate(credentials, 1)]
        writer = cls(random, header, Keys(header, root_key), slots)
        writer.found(1, created, 0)
        return writer

    @classmethod
    def resume(cls, vault: Reader, random: Random) -> Writer:
        """Goes on behind the last complete batch of an opened vault. A bad index is made anew as one run."""
        data, slots = vault.structure.data, vault.slots_batch.of(SLOT)
        writer = cls(random, vault.header, Keys(vault.header, vault.keys.root_key),
                     [slot.clear + data[slot.offset + 168:slot.end - 16] for slot in slots])
        writer.data, writer.state = bytearray(data[:vault.walk.end]), vault.state
        writer.sequence, writer.link, writer.root_offset = vault.walk.sequence, vault.walk.link, vault.walk.root_offset
        writer.history, writer.genesis = vault.history, vault.genesis
        writer.created, writer.made_by = int.from_bytes(vault.genesis[:8], "big", signed=True), vault.genesis[8]
        for batch in vault.walk.batches:
            for frame in batch.of(DATA_KEY):
                plain = vault.keys.open(frame)
                writer.data_keys[int.from_bytes(plain[:4], "big")] = plain
            writer.since_root = 0 if batch.kind == "checkpoint" else writer.since_root + \
                sum(frame.type == RECORD or frame.type >= 0x80 for frame in batch.frames)
        writer.keys.terms = {term: plain[16:48] for term, plain in writer.data_keys.items()}
        if vault.root and not vault.index_bad:
            writer.runs, writer.covered = vault.root.runs, vault.root.last_sequence
        return writer

    def found(self, term: int, created: int, made_by: int) -> None:
        """"Batches": the founding batch."""
        name, version = b"tokenvault.py", b"1.0"
        self.created, self.made_by = created, made_by
        self.genesis = pad(struct.pack(">qBBB5x", created, made_by, len(name), len(version)) + name + version, 16)
        self.new_term(term)
        self.emit_slots()
        self.emit(DATA_KEY, self.data_keys[term])
        self.emit(GENESIS, self.genesis, ends=True)

    def new_term(self, term: int | None = None) -> None:
        """A fresh data key; the next checkpoint brings it. Records before that checkpoint must be written already."""
        term, key = term or max(self.data_keys) + 1, self.random(32)
        self.keys.terms[term] = key
        self.data_keys[term] = struct.pack(">IIq32s32s", term, 0, self.created, key, self.keys.commitment(term, key))

    def emit(self, kind: int, plain: bytes = b"", clear: bytes = b"", ends: bool = False, sealed: bytes = b"") -> int:
        """"Frame": appends one frame, sealed here or before, and returns its offset."""
        offset = len(self.data)
        if self.position == 0:
            self.batches.append(b"")
            self.batch_start, self.batch_root = offset, self.root_offset
        term = max(self.keys.terms) if kind in (RECORD, PAGE, ROOT) or kind >= 0x80 else 0
        size = len(sealed) - 40 if sealed else len(plain)
        head = HEADER.pack(SYNC, kind, 1, int(ends), self.sequence + 1, offset, self.position, term, len(clear), size,
                           self.link, self.batch_root, 0, 0)[:84]
        body = head + struct.pack(">I", zlib.crc32(self.header.link0 + head)) + clear
        if not sealed:
            nonce = self.random(24)
            cipher, tag = xaes_seal(self.keys.of(kind, term), nonce, frame_aad(self.header, head, ends, clear), plain)
            sealed = nonce + tag + cipher
        body += sealed
        total = len(body) + 16
        body += TRAILER.pack(total, offset + total - self.batch_start, zlib.crc32(body), total ^ 0xFFFFFFFF)
        self.data += body
        self.batches[-1] += body
        self.link, self.sequence = sha256(label("tokenvault/1 link", body)), self.sequence + 1
        self.position = 0 if ends else self.position + 1
        if kind == ROOT:
            self.root_offset = offset
        return offset

    def emit_slots(self) -> None:
        for slot in self.slots:
            self.emit(SLOT, clear=slot[:80], sealed=slot[80:])

    def write(self, records: list[Record]) -> None:
        """One batch of records. A version of 0 is replaced by the next one; a due checkpoint goes first."""
        if self.since_root >= 1024:
            self.checkpoint()
        floor = max([self.state.version] + [one.last_version for one in self.history])
        for number, record in enumerate(records, 1):
            floor = record.version or floor + 1
            previous = self.state.previous(record.operation, record.name)
            record = Record(record.operation, record.name, record.value, record.time, floor, record.legacy,
                            record.deflated, previous)
            offset = self.emit(RECORD, record.plaintext(self.header.padding), ends=number == len(records))
            auth = bytes(self.data[offset + 112:offset + 118])
            self.state.apply(record, offset, self.sequence, self.keys.tag(record.name), auth)
            self.since_root += 1

    def checkpoint(self, rotate_term: bool = False) -> None:
        """Slots, data keys, anchor, index: one new run for what the runs so far do not cover."""
        if rotate_term:
            self.new_term()
        pages, run = self.next_run()
        if len(self.slots) + len(self.data_keys) + len(pages) + 2 > self.frames_in_checkpoint:
            for number, page in enumerate(pages):
                link, offset = self.link, self.emit(PAGE, page, ends=number % 4096 == 4095 or number == len(pages) - 1)
                if number == 0:
                    run.segments = [Segment(0, offset, link)]
            pages = []
        last = self.sequence
        self.emit_slots()
        for _, plain in sorted(self.data_keys.items()):
            self.emit(DATA_KEY, plain)
        earlier = b"".join(EARLIER.pack(*vars(one).values()) for one in self.history)
        self.emit(ANCHOR, pad(struct.pack(">I", len(self.genesis)) + self.genesis
                              + struct.pack(">I", len(self.history)) + earlier, 16), clear=self.header.bytes())
        for number, page in enumerate(pages):
            link, offset = self.link, self.emit(PAGE, page)
            if number == 0:
                run.segments = [Segment(0, offset, link)]
        if run:
            self.runs = [run] + self.runs
        if self.runs:
            self.runs[0].last, self.covered = last, last
        root = Root(last, self.state.version, self.state.event_at, self.runs)
        self.emit(ROOT, root.bytes(), ends=True)
        self.since_root = 0

    def next_run(self) -> tuple[list[bytes], Run | None]:
        """The run of the next checkpoint and its pages; with 64 runs already, one run for everything."""
        if len(self.runs) == 64:
            self.runs, self.covered = [], 0
        entries = self.state.newest_entries(self.covered + 1, self.sequence)
        if not entries:
            return [], None
        split, run_id = split_pages(entries.values()), int.from_bytes(self.random(8), "big")
        pages = [page_bytes(run_id, number, page) for number, page in enumerate(split)]
        return pages, Run(run_id, 0, len(pages), len(entries), self.covered + 1, 0, [])

    def rotate(self, created: int = 0) -> Writer:
        """The next generation: live puts and all events, by version, then the checkpoint that ends the copying."""
        old = self.header
        header = FileHeader(old.vault_id, self.random(32), old.generation + 1, old.padding, old.policy)
        new = Writer(self.random, header, Keys(header, self.keys.root_key), self.slots)
        new.found(max(self.data_keys) + 1, created, 2)
        new.history = self.history
        copied = [r for r in self.state.records if r.operation == EVENT or self.state.live.get(r.name) is r]
        for start in range(0, len(copied), 1000):
            new.write(copied[start:start + 1000])
        final = Earlier(old.generation, old.file_id, self.sequence, self.state.version, self.link, self.created,
                        self.made_by)
        new.history = [final] + self.history[:63]
        new.checkpoint()
        return new


# --- Files ----------------------------------------------------------------------------------------------------------

class Lock:
    """`flock` on `<vault>.lock`, exclusive for a writer, shared and without waiting for a reader."""

    def __init__(self, path: str, mode: int):
        self.path, self.mode = path + ".lock", mode

    def __enter__(self) -> Lock:
        self.file = os.open(self.path, os.O_RDWR | (0 if self.mode & fcntl.LOCK_NB else os.O_CREAT), 0o600)
        fcntl.flock(self.file, self.mode)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)


def read_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def read_vault(path: str, key: bytes | None) -> Outcome:
    """Opens a file; looks again under the lock before damage at the end is reported ("Tail rules", at its end)."""
    data = read_bytes(path)
    outcome = open_vault(data, key)
    if outcome.code in SERVED or outcome.end is None:
        return outcome
    try:
        with Lock(path, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return open_vault(read_bytes(path), key)
    except BlockingIOError:
        return open_vault(data[:outcome.end], key)
    except FileNotFoundError:
        return outcome


def sync_directory(path: str) -> None:
    directory = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def write_new(path: str, data: bytes) -> None:
    """Writes a file that must not exist yet, and syncs it."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def create_file(path: str, key: bytes) -> None:
    """"Writing": a new file is made under another name, synced, read back, renamed."""
    with Lock(path, fcntl.LOCK_EX):
        if os.path.exists(path):
            raise FileExistsError(path)
        data = bytes(Writer.create(Random(), [Credential(key)], microseconds()).data)
        write_new(path + ".new", data)
        if read_bytes(path + ".new") != data:
            raise OSError("what was read back differs")
        os.rename(path + ".new", path)
        sync_directory(path)


def keep_torn(path: str, tail: bytes, sequence: int) -> None:
    """Copies a torn tail aside before it is cut."""
    name, number = f"{path}.torn-{sequence + 1}", 1
    candidate = name
    while os.path.exists(candidate) and read_bytes(candidate) != tail:
        number += 1
        candidate = f"{name}-{number}"
    if not os.path.exists(candidate):
        write_new(candidate, tail)
        sync_directory(path)


def append_file(path: str, key: bytes, records: list[Record]) -> None:
    """"Writing": lock, torn tail, the last batch once more, then each new batch with a sync of its own."""
    with Lock(path, fcntl.LOCK_EX):
        data = read_bytes(path)
        outcome = open_vault(data, key)
        if outcome.code not in SERVED or outcome.vault.header.readonly_features:
            raise Failure("unsupported-feature" if outcome.code in SERVED else outcome.code, outcome.offset)
        vault, end = outcome.vault, outcome.end
        writer = Writer.resume(vault, Random())
        writer.write(records)
        file = os.open(path, os.O_RDWR)
        try:
            if outcome.code == "torn-tail":
                keep_torn(path, data[end:], vault.walk.sequence)
                os.ftruncate(file, end)
                os.fsync(file)
            last = vault.walk.batches[-1].start
            again = (last, data[last:end])
            for offset, batch in [again, *zip(list(batch_offsets(end, writer.batches)), writer.batches)]:
                if os.pwrite(file, batch, offset) != len(batch):
                    raise OSError("short write")
                os.fsync(file)
                end = offset + len(batch)
        except OSError:
            os.ftruncate(file, end)
            raise
        finally:
            os.close(file)


def batch_offsets(start: int, batches: list[bytes]) -> Iterator[int]:
    for batch in batches:
        yield start
        start += len(batch)


def microseconds() -> int:
    return clock.time_ns() // 1000


# --- Service --------------------------------------------------------------------------------------------------------

class Service:
    """Answers requests, one JSON object a line. Beside what every operation needs, these are understood:

    - write-vault: `created` (time), `padding`, `policy`, `log2n` (of the passphrase's slot, 17), both `key` and
      `passphrase`; `rotate_after` and `new_term_after`, batch indexes like `checkpoint_after`; records may have
      `legacy` and `deflated`. A `generation` above 1 is reached by rotations before the first batch.
    - open-legacy, form text: `hash` ("SHA-256", "SHA-512"), `encoding` ("utf-8", "hex", "base64"; the first if it is
      missing), `iterations`, `log2n`, `r`, `p`. A binary record names its own profile and parameters.
    """

    def answer(self, line: bytes) -> dict[str, Any]:
        identity = None
        try:
            request = json.loads(line)
            identity = request.get("id")
            operation = {"open-vault": self.open_vault, "verify-vault": self.open_vault,
                         "write-vault": self.write_vault, "seal": self.seal, "open": self.open,
                         "open-legacy": self.open_legacy}[request["operation"]]
            return {"id": identity} | operation(request)
        except Failure as failure:
            return {"id": identity, "result": failure.code}
        except Exception as error:
            return {"id": identity, "result": "error", "message": f"{type(error).__name__}: {error}"}

    @staticmethod
    def hex(request: dict[str, Any], name: str) -> bytes | None:
        return bytes.fromhex(request[name]) if name in request else None

    @staticmethod
    def places(outcome: Outcome) -> dict[str, Any]:
        return {name: value for name in ("offset", "sequence", "note")
                if (value := getattr(outcome, name)) is not None}

    def open_vault(self, request: dict[str, Any]) -> dict[str, Any]:
        data, pin = base64.b64decode(request["vault"], validate=True), self.hex(request, "pin")
        key, passphrase, with_key = self.hex(request, "key"), self.hex(request, "passphrase"), True
        if request["operation"] == "verify-vault":
            key, passphrase, with_key = None, None, False
        elif key is None and passphrase is None:
            raise ValueError("no credential")
        if key is not None and len(key) != 32:
            raise ValueError("a raw key has 32 bytes")
        outcome = open_vault(data, key, passphrase, Pin.parse(pin) if pin else None)
        answer = {"result": outcome.code} | self.places(outcome)
        if outcome.vault:
            answer |= {"head": outcome.pin.head.hex(), "sequence": outcome.pin.sequence, "end": outcome.end}
            if outcome.index_bad:
                answer["index"] = "index-damaged"
            if with_key:
                answer |= {"records": [self.record(record) for record in outcome.records],
                           "live": sorted(name.hex() for name in outcome.live)}
        return answer

    @staticmethod
    def record(record: Record) -> dict[str, Any]:
        return {"version": record.version, "operation": OPERATIONS[record.operation], "name": record.name.hex(),
                "value": record.value.hex(), "time": record.time, "legacy": record.legacy}

    def write_vault(self, request: dict[str, Any]) -> dict[str, Any]:
        random, log2n = Random(bytes.fromhex(request["seed"])), request.get("log2n", 17)
        key, passphrase = self.hex(request, "key"), self.hex(request, "passphrase")
        credentials = [Credential(key)] if key is not None else []
        credentials += [Credential(None, passphrase, log2n)] if passphrase is not None else []
        if not credentials or key is not None and len(key) != 32:
            raise ValueError("no credential, or not one of 32 bytes")
        writer = Writer.create(random, credentials, request.get("created", 0), request.get("padding", 32),
                               request.get("policy", 0))
        for _ in range(request.get("generation", 1) - 1):
            writer = writer.rotate(request.get("created", 0))
        for number, batch in enumerate(request["batches"]):
            writer.write([self.parse_record(item) for item in batch])
            if number in request.get("rotate_after", ()):
                writer = writer.rotate(request.get("created", 0))
            new_term = number in request.get("new_term_after", ())
            if new_term or number in request.get("checkpoint_after", ()):
                writer.checkpoint(new_term)
        return {"result": "success", "vault": base64.b64encode(writer.data).decode(), "head": writer.link.hex()}

    @staticmethod
    def parse_record(item: dict[str, Any]) -> Record:
        operation = next(code for code, name in OPERATIONS.items() if name == item["operation"])
        return Record(operation, bytes.fromhex(item["name"]), bytes.fromhex(item.get("value", "")),
                      item.get("time", 0), item.get("version", 0), item.get("legacy", False),
                      item.get("deflated", False))

    LENGTHS = {"XAES-256-GCM": ((24,), 16), "AES-256-GCM": ((12, 16), 16), "AES-256-CBC-PKCS7": ((16,), 0)}

    def suite(self, request: dict[str, Any]) -> tuple[str, bytes, bytes, bytes, bool]:
        name = request["algorithm"]
        key, iv, aad = (self.hex(request, part) or b"" for part in ("key", "iv", "aad"))
        ivs, _ = self.LENGTHS[name]
        return name, key, iv, aad, len(key) == 32 and len(iv) in ivs and not (name == "AES-256-CBC-PKCS7" and aad)

    def seal(self, request: dict[str, Any]) -> dict[str, Any]:
        name, key, iv, aad, good = self.suite(request)
        plain, tag = bytes.fromhex(request["msg"]), b""
        if not good:
            return {"result": "invalid"}
        if name == "AES-256-CBC-PKCS7":
            cipher = cbc_seal(key, iv, plain)
        else:
            cipher, tag = (xaes_seal if name == "XAES-256-GCM" else gcm_seal)(key, iv, aad, plain)
        return {"result": "success", "ct": cipher.hex(), "tag": tag.hex()}

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        name, key, iv, aad, good = self.suite(request)
        cipher, tag, plain = bytes.fromhex(request["ct"]), self.hex(request, "tag") or b"", None
        if good and len(tag) == self.LENGTHS[name][1]:
            if name == "AES-256-CBC-PKCS7":
                plain = cbc_open(key, iv, cipher)
            else:
                plain = (xaes_open if name == "XAES-256-GCM" else gcm_open)(key, iv, aad, cipher, tag)
        return {"result": "invalid"} if plain is None else {"result": "success", "msg": plain.hex()}

    def open_legacy(self, request: dict[str, Any]) -> dict[str, Any]:
        data = base64.b64decode(request["record"], validate=True)
        if request["form"] == "binary":
            record = Legacy.parse(data)
        elif request["form"] == "text":
            profile = PROFILES[request["profile"]]
            record = Legacy.parse_text(data, profile, self.parameters(profile, request))
        else:
            raise ValueError("unknown form")
        return {"result": "success", "msg": record.open(bytes.fromhex(request["secret"])).hex()}

    @staticmethod
    def parameters(profile: int, request: dict[str, Any]) -> bytes:
        encoding = {"utf-8": 1, "hex": 2, "base64": 3}[request.get("encoding", "utf-8")]
        if profile in (1, 3):
            return b""
        try:
            if profile == 4:
                return struct.pack(">BBBB", request["log2n"], request["r"], request["p"], encoding)
            hash_id = {"SHA-256": 1, "SHA-512": 2}[request["hash"]]
            return struct.pack(">BBHI", hash_id, encoding, 0, request["iterations"])
        except struct.error:
            raise Failure("limit-exceeded") from None

    def serve(self) -> None:
        for line in sys.stdin.buffer:
            if line.strip():
                print(json.dumps(self.answer(line)), flush=True)


# --- Program --------------------------------------------------------------------------------------------------------

def read_key(path: str) -> bytes:
    """32 bytes, or 64 hex digits."""
    data = read_bytes(path)
    key = data if len(data) == 32 else bytes.fromhex(data.decode().strip())
    if len(key) != 32:
        raise ValueError("a raw key has 32 bytes")
    return key


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Reads and writes TokenVault files.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer requests in JSON lines")
    for name, text in (("create", "make a vault"), ("put", "write a value"), ("get", "print a value"),
                       ("list", "print the live names"), ("verify", "check a vault; without a key its structure only")):
        command = commands.add_parser(name, help=text)
        command.add_argument("vault")
        command.add_argument("--key-file", required=name != "verify")
        if name in ("put", "get"):
            command.add_argument("name")
        if name == "put":
            command.add_argument("value", nargs="?", help="standard input if missing")
    return parser.parse_args()


def served(path: str, key: bytes | None) -> Outcome:
    outcome = read_vault(path, key)
    if outcome.code not in SERVED:
        raise Failure(outcome.code, outcome.offset, outcome.sequence)
    return outcome


def run(options: argparse.Namespace) -> None:
    if options.command == "serve":
        return Service().serve()
    key = read_key(options.key_file) if options.key_file else None
    if options.command == "create":
        create_file(options.vault, key)
    elif options.command == "put":
        value = sys.stdin.buffer.read() if options.value is None else os.fsencode(options.value)
        append_file(options.vault, key, [Record(PUT, os.fsencode(options.name), value, microseconds(), 0)])
    elif options.command == "get":
        record = served(options.vault, key).live.get(os.fsencode(options.name))
        if record is None:
            sys.exit("no such name")
        sys.stdout.buffer.write(record.value)
    elif options.command == "list":
        for name in sorted(served(options.vault, key).live):
            print(name.decode(errors="backslashreplace"))
    else:
        outcome = served(options.vault, key)
        print(outcome.code, f"sequence {outcome.pin.sequence}, pin {outcome.pin.bytes().hex()}")


def main() -> None:
    try:
        run(arguments())
    except Failure as failure:
        sys.exit(f"{failure.code} (offset {failure.offset}, sequence {failure.sequence})")
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
