#!/usr/bin/env python3
"""Tests of the second implementation: published vectors, round trips, damage of every small kind, crash images."""
from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import tokenvault as tv
from tokenvault import DELETE, EVENT, PUT, Credential, Record, Writer, open_vault

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent.parent / "testvectors" / "published" / "xaes-256-gcm.json"
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
CODES = {"success", "wrong-key", "header-damaged", "slot-damaged", "commitment-mismatch", "frame-damaged",
         "chain-broken", "index-damaged", "torn-tail", "tail-damaged", "rollback", "limit-exceeded",
         "unsupported-version", "unsupported-feature"}


def make(seed: bytes = b"seed", **more: object) -> Writer:
    return Writer.create(tv.Random(seed), [Credential(KEY)], 1000, **more)


def put(name: bytes, value: bytes = b"value", **more: object) -> Record:
    return Record(PUT, name, value, 7, 0, **more)


def opened(data: bytes | bytearray) -> tv.Outcome:
    return open_vault(bytes(data), KEY)


def shown(outcome: tv.Outcome) -> list[tuple]:
    return [(r.version, r.operation, r.name, r.value) for r in outcome.records]


def small() -> Writer:
    """Founding batch and two batches of records."""
    writer = make()
    writer.write([put(b"a", b"1"), Record(EVENT, b"e", b"x", 8, 0)])
    writer.write([Record(DELETE, b"a", b"", 9, 0)])
    return writer


def larger() -> Writer:
    """Two checkpoints with an index, a change of term, batches behind each."""
    writer = make()
    writer.write([put(b"a", b"1"), Record(EVENT, b"e", b"x", 8, 0), put(b"b")])
    writer.checkpoint()
    writer.write([Record(DELETE, b"a", b"", 9, 0), put(b"c")])
    writer.checkpoint(True)
    writer.write([put(b"d")])
    return writer


def frames(data: bytes | bytearray) -> list[tv.Frame]:
    return [frame for batch in opened(data).vault.walk.batches for frame in batch.frames]


def reseal(data: bytearray, frame: tv.Frame, **changes: object) -> bytearray:
    """Another header with right CRCs, as somebody without keys can make it (links behind it are left alone)."""
    link0 = tv.FileHeader.parse(bytes(data)).link0
    new, data = dataclasses.replace(frame, **changes), bytearray(data)
    head = tv.HEADER.pack(tv.SYNC, new.type, new.suite, new.flags, new.sequence, new.offset, new.position, new.term,
                          new.clear_length, new.cipher_length, new.previous, new.root_offset, 0, 0)[:84]
    data[frame.offset:frame.offset + 88] = head + struct.pack(">I", zlib.crc32(link0 + head))
    return fix_body(data, frame)


def fix_body(data: bytearray, frame: tv.Frame) -> bytearray:
    """A right body CRC."""
    crc = zlib.crc32(bytes(data[frame.offset:frame.end - 16]))
    data[frame.end - 8:frame.end - 4] = struct.pack(">I", crc)
    return data


class Suites(unittest.TestCase):
    def test_published_vectors(self) -> None:
        for v in json.loads(VECTORS.read_text())["vectors"]:
            v = {name: bytes.fromhex(text) for name, text in v.items()}
            key, nonce = v["key"], v["nonce"]
            self.assertEqual(tv.aes_block(key, bytes(16)), v["L"])
            self.assertEqual(tv.xaes_subkey(key), v["K1"])
            self.assertEqual(tv.xaes_derive(key, nonce[:12]), v["derivedKey"])
            cipher, tag = tv.xaes_seal(key, nonce, v["aad"], v["plaintext"])
            self.assertEqual(cipher + tag, v["ciphertextAndTag"])
            self.assertEqual(tv.xaes_open(key, nonce, v["aad"], cipher, tag), v["plaintext"])
            self.assertIsNone(tv.xaes_open(key, nonce, v["aad"] + b"x", cipher, tag))
            self.assertIsNone(tv.xaes_open(key, nonce, v["aad"], cipher + tag[:-1], tag[-1:]))

    def test_accumulated_vectors(self) -> None:
        import hashlib
        stream, out, at = hashlib.shake_128(b"").digest(5_700_000), hashlib.shake_128(), 0

        def take(length: int) -> bytes:
            nonlocal at
            at += length
            return stream[at - length:at]
        for _ in range(10000):
            key, nonce = take(32), take(24)
            plain = take(take(1)[0])
            aad = take(take(1)[0])
            out.update(b"".join(tv.xaes_seal(key, nonce, aad, plain)))
        self.assertEqual(out.hexdigest(32), json.loads(VECTORS.read_text())["accumulated"]["10000"])

    def test_cbc_padding(self) -> None:
        for length in range(40):
            sealed = tv.cbc_seal(KEY, bytes(16), bytes(length))
            self.assertEqual(tv.cbc_open(KEY, bytes(16), sealed), bytes(length))
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        for last in range(256):
            block = bytes(15) + bytes([last])
            cipher = Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).encryptor().update(block)
            self.assertEqual(tv.cbc_open(KEY, bytes(16), cipher), bytes(15) if last == 1 else None)

    def test_check_value_of_crc(self) -> None:
        self.assertEqual(zlib.crc32(b"123456789"), 0xCBF43926)

    def test_hkdf(self) -> None:
        """RFC 5869, test case 2."""
        key, salt, info = bytes(range(0x50)), bytes(range(0x60, 0xB0)), bytes(range(0xB0, 0x100))
        self.assertEqual(tv.hkdf(key, salt, info, 82).hex(), "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c1"
                         "9afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f"
                         "3434f1d87")


class LegacyRecords(unittest.TestCase):
    CASES = {1: b"", 2: struct.pack(">BBHI", 2, 1, 0, 3), 3: b"", 4: bytes([4, 8, 1, 1]),
             5: struct.pack(">BBHI", 1, 1, 0, 3)}

    def legacy(self, profile: int) -> tv.Legacy:
        iv = bytes(16 if profile <= 2 else 12)
        return tv.Legacy.seal(profile, self.CASES[profile], bytes(8), iv, KEY, b"a token")

    def code(self, call: object, *arguments: object) -> str:
        try:
            call(*arguments)
        except tv.Failure as failure:
            return failure.code
        return "success"

    def test_profiles(self) -> None:
        for profile in self.CASES:
            record = self.legacy(profile)
            again = tv.Legacy.parse(record.binary())
            self.assertEqual(again, record)
            self.assertEqual(again.open(KEY), b"a token")
            text = tv.join_text(record.salt, record.iv, record.tag, record.cipher)
            self.assertEqual(tv.Legacy.parse_text(text, profile, self.CASES[profile]), record)
            if profile >= 3:
                self.assertEqual(self.code(record.open, OTHER), "legacy-unopened")

    def test_secret_encodings(self) -> None:
        for profile, at in ((4, 3), (5, 1)):
            sealed = self.legacy(profile)
            for encoding, secret in ((2, KEY.hex().upper().encode()), (3, base64.b64encode(KEY))):
                parameters = bytearray(sealed.parameters)
                parameters[at] = encoding
                record = dataclasses.replace(sealed, parameters=bytes(parameters))
                self.assertEqual(record.open(secret), b"a token")
                self.assertEqual(self.code(record.open, b"#"), "legacy-unopened")

    def test_bounds(self) -> None:
        for n, r, p, code in ((0, 8, 1, "limit-exceeded"), (21, 1, 1, "limit-exceeded"), (20, 64, 1, "limit-exceeded"),
                              (4, 0, 1, "limit-exceeded"), (4, 65, 1, "limit-exceeded"), (4, 8, 65, "limit-exceeded"),
                              (16, 1, 1, "limit-exceeded"), (15, 1, 1, "success"), (1, 1, 64, "success")):
            record = dataclasses.replace(self.legacy(4), parameters=bytes([n, r, p, 1]))
            self.assertEqual(self.code(tv.Legacy.parse, record.binary()), code, (n, r, p))
        for iterations, code in ((0, "limit-exceeded"), (10_000_001, "limit-exceeded"), (10_000_000, "success")):
            record = dataclasses.replace(self.legacy(5), parameters=struct.pack(">BBHI", 1, 1, 0, iterations))
            self.assertEqual(self.code(tv.Legacy.parse, record.binary()), code)

    def test_malformed(self) -> None:
        for profile in self.CASES:
            good = self.legacy(profile).binary()
            bad = [good[:-1], good + b"\0", good[:5], b"\x01" + good[1:], good[:1] + b"\x09" + good[2:],
                   good[:6] + b"\1" + good[7:], good[:2] + b"\0\x07" + good[4:], bytes([good[0] ^ 3]) + good[1:]]
            for data in bad:
                self.assertEqual(self.code(tv.Legacy.parse, data), "legacy-malformed")
        for text in (b"", b"::", b":::", b":AAA=:::", b"AAAAAAAAAAA=:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAB==:"):
            self.assertEqual(self.code(tv.Legacy.parse_text, text, 3, b""), "legacy-malformed")

    def test_own_text(self) -> None:
        text = tv.seal_text(KEY, b"name", b"value", bytes(24))
        self.assertEqual(tv.open_text(KEY, b"name", text), b"value")
        self.assertIsNone(tv.open_text(KEY, b"other", text))


class RoundTrips(unittest.TestCase):
    def test_small(self) -> None:
        outcome = opened(small().data)
        self.assertEqual(outcome.code, "success")
        self.assertEqual(shown(outcome), [(1, PUT, b"a", b"1"), (2, EVENT, b"e", b"x"), (3, DELETE, b"a", b"")])
        self.assertEqual(outcome.live, {})

    def test_larger(self) -> None:
        writer = larger()
        outcome = opened(writer.data)
        self.assertEqual((outcome.code, sorted(outcome.live)), ("success", [b"b", b"c", b"d"]))
        self.assertEqual(outcome.pin.head, writer.link)
        self.assertEqual(len(outcome.vault.root.runs), 2)
        self.assertEqual(open_vault(bytes(writer.data)).code, "success")

    def test_reproducible(self) -> None:
        self.assertEqual(larger().data, larger().data)
        self.assertNotEqual(make(b"1").data, make(b"2").data)

    def test_credentials(self) -> None:
        both = [Credential(KEY), Credential(None, b"pass", 14)]
        data = bytes(Writer.create(tv.Random(b"x"), both).data)
        self.assertEqual(open_vault(data, KEY).code, "success")
        self.assertEqual(open_vault(data, None, b"pass").code, "success")
        self.assertEqual(open_vault(data, OTHER, b"pass").code, "success")
        self.assertEqual(open_vault(data, OTHER).code, "wrong-key")
        self.assertEqual(open_vault(data, None, b"Pass").code, "wrong-key")

    def test_sizes_and_paddings(self) -> None:
        for padding in (16, 32, 4096):
            writer = make(padding=padding, policy=1)
            values = [bytes([n]) * n for n in range(0, 70, 3)]
            writer.write([put(b"n%d" % n, value, deflated=bool(n % 2)) for n, value in enumerate(values)])
            outcome = opened(writer.data)
            self.assertEqual([r.value for r in outcome.records], values)

    def test_deflate_without_policy(self) -> None:
        writer = make()
        writer.write([put(b"a", deflated=True)])
        self.assertEqual(opened(writer.data).code, "frame-damaged")

    def test_inflating_stops(self) -> None:
        writer = make(policy=1)
        writer.write([put(b"a", bytes(16 * tv.MIB + 1), deflated=True)])
        self.assertEqual(opened(writer.data).code, "limit-exceeded")

    def test_many_names_and_due_checkpoint(self) -> None:
        writer = make()
        for start in range(0, 1500, 500):
            writer.write([put(b"name %d" % n) for n in range(start, start + 500)])
        writer.write([put(b"last")])
        outcome = opened(writer.data)
        self.assertEqual((outcome.code, len(outcome.live)), ("success", 1501))
        self.assertGreater(outcome.vault.root.runs[0].pages, 9)
        self.assertEqual(outcome.vault.walk.batches[-2].kind, "checkpoint")

    def test_pages_batch(self) -> None:
        writer = make()
        writer.frames_in_checkpoint = 6
        writer.write([put(b"name %d" % n, b"") for n in range(600)])
        writer.checkpoint()
        outcome = opened(writer.data)
        self.assertEqual((outcome.code, outcome.vault.walk.batches[-2].kind), ("success", "pages"))

    def test_more_than_64_checkpoints(self) -> None:
        writer = make()
        for n in range(70):
            writer.write([put(b"%d" % n)])
            writer.checkpoint()
        outcome = opened(writer.data)
        self.assertEqual((outcome.code, len(outcome.vault.root.runs), len(outcome.live)), ("success", 6, 70))

    def test_empty_checkpoints(self) -> None:
        writer = make()
        for n in range(3):
            writer.checkpoint()
            writer.write([Record(EVENT, b"e", b"", 1, 0)])
        self.assertEqual(opened(writer.data).code, "success")
        writer.write([put(b"a")])
        for n in range(3):
            writer.checkpoint()
        self.assertEqual((opened(writer.data).code, len(writer.runs), writer.runs[0].last),
                         ("success", 1, writer.sequence - 4))

    def test_resume(self) -> None:
        writer = larger()
        again = Writer.resume(opened(writer.data).vault, tv.Random(b"more"))
        again.write([put(b"z")])
        again.checkpoint()
        again.write([Record(DELETE, b"d", b"", 1, 0)])
        outcome = opened(again.data)
        self.assertEqual((outcome.code, sorted(outcome.live)), ("success", [b"b", b"c", b"z"]))
        self.assertTrue(again.data.startswith(writer.data))

    def test_space_ahead(self) -> None:
        data = bytes(larger().data)
        for count in (1, 15, 16, 511, 5000):
            self.assertEqual(opened(data + bytes(count)).code, "success")
        self.assertEqual(opened(data + bytes(257 * tv.MIB + 1)).code, "limit-exceeded")


class Generations(unittest.TestCase):
    def test_rotation(self) -> None:
        first = larger()
        second = first.rotate(2000)
        second.write([put(b"new")])
        third = second.rotate(3000)
        outcome = opened(third.data)
        self.assertEqual((outcome.code, sorted(outcome.live)), ("success", [b"b", b"c", b"d", b"new"]))
        self.assertEqual([r.version for r in outcome.records], [2, 3, 5, 6, 7])
        self.assertEqual([one.generation for one in outcome.vault.history], [2, 1])
        self.assertEqual(outcome.vault.history[1].head, first.link)

    def test_version_goes_on_behind_a_dropped_deletion(self) -> None:
        writer = small().rotate()
        writer.write([put(b"z")])
        self.assertEqual(opened(writer.data).records[-1].version, 4)

    def test_unfinished(self) -> None:
        second = larger().rotate()
        data, batches = bytes(second.data), opened(second.data).vault.walk.batches
        cut = data[:batches[-1].start]
        self.assertEqual(opened(cut).code, "chain-broken")
        self.assertEqual(open_vault(cut).code, "chain-broken")
        self.assertEqual(opened(data[:-1]).code, "chain-broken")
        second.history = []
        second.checkpoint()
        self.assertEqual(opened(second.data).code, "chain-broken")
        self.assertEqual(open_vault(bytes(second.data)).code, "success")

    def test_pins(self) -> None:
        writer = larger()
        data = bytes(writer.data)
        pins = []
        for batch in opened(data).vault.walk.batches:
            cut = data[:batch.frames[-1].end]
            pins.append(opened(cut).pin)
            self.assertEqual(open_vault(data, KEY, pin=pins[-1]).code, "success")
            self.assertEqual(open_vault(data, pin=pins[-1]).code, "success")
            self.assertEqual(open_vault(cut, KEY, pin=opened(data).pin).code, "rollback" if cut != data else "success")
        newer = bytes(writer.rotate().data)
        for pin in pins:
            self.assertEqual(open_vault(newer, KEY, pin=pin).code, "success")
            self.assertIsNotNone(open_vault(newer, pin=pin).note)
        for name, value in (("vault_id", bytes(16)), ("file_id", bytes(32)), ("generation", 2), ("sequence", 99),
                            ("head", bytes(32))):
            wrong = dataclasses.replace(pins[-1], **{name: value})
            self.assertEqual(open_vault(data, KEY, pin=wrong).code, "rollback", name)
        for name, value in (("file_id", bytes(32)), ("sequence", 99), ("head", bytes(32))):
            wrong = dataclasses.replace(pins[-1], **{name: value})
            self.assertEqual(open_vault(newer, KEY, pin=wrong).code, "rollback", name)
        self.assertEqual(tv.Pin.parse(pins[0].bytes()), pins[0])

    def test_history_has_64_at_most(self) -> None:
        writer = small()
        pin = opened(writer.data).pin
        for _ in range(65):
            writer.data_keys = {1: writer.data_keys[max(writer.data_keys)]}
            writer = writer.rotate()
        outcome = open_vault(bytes(writer.data), KEY, pin=pin)
        self.assertEqual((outcome.code, len(outcome.vault.history)), ("success", 64))
        self.assertIsNotNone(outcome.note)


class Damage(unittest.TestCase):
    def check_truncations(self, data: bytes, step: int = 1) -> None:
        full, ends = shown(opened(data)), {b.frames[-1].end for b in opened(data).vault.walk.batches}
        for size in range(0, len(data), step):
            outcome = opened(data[:size])
            self.assertIn(outcome.code, CODES)
            if size < min(ends):
                self.assertIn(outcome.code, ("header-damaged", "frame-damaged", "slot-damaged"))
            else:
                self.assertEqual(outcome.code, "success" if size in ends else "torn-tail", size)
                self.assertEqual(shown(outcome), full[:len(outcome.records)])
                self.assertEqual(outcome.end, max(end for end in ends if end <= size))
            self.assertEqual(open_vault(data[:size]).code, outcome.code, size)

    def test_every_truncation(self) -> None:
        self.check_truncations(bytes(small().data))
        self.check_truncations(bytes(larger().data), 13)

    def test_every_bit(self) -> None:
        data = bytes(small().data)
        full = shown(opened(data))
        for bit in range(8 * len(data)):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            outcome = opened(damaged)
            self.assertIn(outcome.code, CODES - {"success", "index-damaged", "wrong-key"}, bit)
            self.assertEqual(shown(outcome), full[:len(outcome.records)])

    def test_a_bit_of_every_byte_with_index(self) -> None:
        data, choose = bytes(larger().data), random.Random(1)
        full, pages = shown(opened(data)), [(f.offset, f.end) for f in frames(data) if f.type == tv.PAGE]
        inside = [at for first, end in pages for at in range(first + 128, end - 32) if at % 37]
        for at in sorted(set(range(len(data))) - set(inside)):
            damaged = bytearray(data)
            damaged[at] ^= 1 << choose.randrange(8)
            outcome = opened(damaged)
            if pages[0][0] <= at < pages[0][1]:
                self.assertEqual((outcome.code, shown(outcome)), ("index-damaged", full), at)
            else:
                self.assertIn(outcome.code, CODES - {"success", "index-damaged", "wrong-key"}, at)
                self.assertEqual(shown(outcome), full[:len(outcome.records)])

    def test_each_sector_zeroed(self) -> None:
        """A lost sector gives damage, a prefix, or (where it lies in a page) everything."""
        data = bytes(larger().data)
        full = shown(opened(data))
        for at in range(0, len(data), 512):
            damaged = data[:at] + bytes(len(data[at:at + 512])) + data[at + 512:]
            outcome = opened(damaged)
            self.assertIn(outcome.code, CODES - {"success", "wrong-key"})
            self.assertEqual(shown(outcome), full[:len(outcome.records)])
            if outcome.code == "index-damaged":
                self.assertEqual(shown(outcome), full)

    def test_codes_of_the_file_header(self) -> None:
        def changed(at: int, value: bytes) -> str:
            data = bytearray(small().data)
            data[at:at + len(value)] = value
            data[124:128] = struct.pack(">I", zlib.crc32(bytes(data[:124])))
            return opened(data).code
        self.assertEqual(changed(8, b"\0\2"), "unsupported-version")
        self.assertEqual(changed(12, b"\1"), "unsupported-feature")
        for at, value in ((83, b"\1"), (72, bytes(8)), (72, b"\x80"), (80, b"\0\x30"), (80, b"\0\x08"), (80, b"\x20\0"),
                          (82, b"\2")):
            self.assertEqual(changed(at, value), "header-damaged", at)
        self.assertEqual(changed(10, b"\0\1"), "slot-damaged")  # another link(0): no frame passes

    def test_headers_rewritten_without_keys(self) -> None:
        data = larger().data
        first_page, last = (next(f for f in frames(data) if f.type == tv.PAGE).sequence, frames(data)[-1].sequence)
        for frame in frames(data):
            first = "slot-damaged" if frame.type == tv.SLOT else "frame-damaged"
            for changes, codes in (
                    ({"suite": 0x81}, {first}), ({"flags": frame.flags | 2}, {first}),
                    ({"sequence": frame.sequence + 1}, {"chain-broken"}), ({"position": 99}, {"chain-broken"}),
                    ({"previous": bytes(32)}, {"chain-broken"}), ({"root_offset": 16}, {"chain-broken"}),
                    ({"term": frame.term + 1}, {"chain-broken", "frame-damaged", "tail-damaged"}),
                    ({"flags": frame.flags ^ 1}, {"chain-broken", "frame-damaged"}),
                    ({"type": 8}, {first, "frame-damaged"}),
                    ({"type": 0x80}, {"chain-broken", "frame-damaged"})):
                code = opened(reseal(data, frame, **changes)).code
                if frame.sequence == first_page:
                    codes = codes | {"index-damaged"}
                if frame.sequence == last:
                    codes = codes | {"tail-damaged", "torn-tail"}
                self.assertIn(code, codes, (frame.sequence, changes))

    def test_ciphertext_rewritten_without_keys(self) -> None:
        data = larger().data
        for frame in frames(data):
            damaged = bytearray(data)
            damaged[frame.end - 20] ^= 1
            code = opened(fix_body(damaged, frame)).code
            self.assertIn(code, {"chain-broken", "index-damaged", "frame-damaged", "slot-damaged"})

    def test_frame_of_another_place_or_file(self) -> None:
        data, other = bytearray(small().data), make(b"other")
        other.write([put(b"a", b"1"), Record(EVENT, b"e", b"x", 8, 0)])
        last, same = frames(data)[-1], frames(data)[-3]
        self.assertEqual(len(data[same.offset:same.end]), len(data[last.offset:last.end]))
        data[last.offset:last.end] = data[same.offset:same.end]
        self.assertEqual(opened(data).code, "tail-damaged")
        twisted = bytearray(small().data)
        twisted[same.offset:same.end] = other.data[same.offset:same.end]
        self.assertEqual(opened(twisted).code, "frame-damaged")


class KeyHolder(unittest.TestCase):
    """Vaults that break a rule although every seal is right."""

    def emitted(self, *plains: bytes, writer: Writer | None = None) -> tv.Outcome:
        writer = writer or make()
        for plain in plains:
            writer.emit(tv.RECORD, plain, ends=True)
        return opened(writer.data)

    def plain(self, **changes: object) -> bytes:
        fields = {"operation": PUT, "name": b"a", "value": b"v", "time": 1, "version": 1} | changes
        return Record(**fields).plaintext(32)

    def test_record_rules(self) -> None:
        good = self.plain()
        cases = {
            "success": [good, self.plain(version=2**63 - 1), self.plain(name=b"n" * 1024)],
            "frame-damaged": [good[:-1] + b"\1", good + bytes(32), good[:16], self.plain(operation=4),
                              self.plain(name=b""),
                              self.plain(version=0), self.plain(version=2**63), self.plain(previous=8),
                              self.plain(previous=16), self.plain(previous=tv.MIB), self.plain(name=b"n" * 1025),
                              self.plain(operation=DELETE), self.plain(operation=EVENT, legacy=True),
                              good[:1] + b"\4" + good[2:], self.plain(operation=0)],
            "chain-broken": [self.plain(previous=128)],
            "limit-exceeded": [good[:4] + b"\1\0\0\1" + good[8:]],
        }
        for code, plains in cases.items():
            for plain in plains:
                self.assertEqual(self.emitted(plain).code, code, plain[:40])
        self.assertEqual(self.emitted(good, self.plain(previous=800)).code, "chain-broken")
        self.assertEqual(self.emitted(good, self.plain(version=2)).code, "chain-broken")

    def test_terms(self) -> None:
        writer = make()
        writer.new_term()
        old = writer.keys.terms.pop(2)
        writer.write([put(b"a")])
        writer.keys.terms[2] = old
        writer.checkpoint()
        self.assertEqual(opened(writer.data).code, "success")
        del writer.keys.terms[2]
        writer.write([put(b"b")])
        self.assertEqual(opened(writer.data).code, "chain-broken")

    def test_data_keys(self) -> None:
        for change, code in (({1: None}, "chain-broken"), ({1: 2}, "commitment-mismatch"),
                             ({"bad": 1}, "commitment-mismatch")):
            writer = make()
            writer.new_term()
            if 1 in change and change[1] is None:
                del writer.data_keys[1]
            elif 1 in change:
                writer.new_term(1)
            else:
                writer.data_keys[2] = writer.data_keys[2][:-1] + b"\0"
            writer.checkpoint()
            self.assertEqual(opened(writer.data).code, code)

    def test_slots(self) -> None:
        for clear, code in ((bytes([3, 0, 0, 0]), "slot-damaged"), (bytes([1, 14, 0, 0]), "slot-damaged"),
                            (bytes([2, 13, 8, 1]), "limit-exceeded"), (bytes([2, 21, 8, 1]), "limit-exceeded"),
                            (bytes([2, 14, 9, 1]), "limit-exceeded"), (bytes([2, 14, 8, 5]), "limit-exceeded"),
                            (bytes([2, 14, 8, 1]), "wrong-key")):
            self.assertEqual(self.with_slots(lambda slots: [clear + slots[0][4:]]), code)
        many = lambda count: lambda slots: [slots[0]] + [self.numbered(slots[0], n) for n in range(2, count + 1)]
        self.assertEqual(self.with_slots(many(32)), "success")
        self.assertEqual(self.with_slots(many(33)), "limit-exceeded")
        self.assertEqual(self.with_slots(lambda slots: slots * 2), "slot-damaged")
        costly = lambda n, count: lambda slots: slots + [
            self.numbered(bytes([2, n, 8, 4]) + slots[0][4:], number) for number in range(2, count + 2)]
        self.assertEqual(self.with_slots(costly(14, 8)), "success")
        self.assertEqual(self.with_slots(costly(14, 9)), "limit-exceeded")
        self.assertEqual(self.with_slots(costly(20, 1)), "success")
        self.assertEqual(self.with_slots(costly(20, 2)), "limit-exceeded")

    @staticmethod
    def numbered(slot: bytes, number: int) -> bytes:
        return slot[:4] + struct.pack(">I", number) + slot[8:]

    def with_slots(self, change: object) -> str:
        """The code of a vault whose checkpoint has other slots, with and (but for the keys) without a key the same."""
        writer = make()
        writer.slots = change(writer.slots)
        writer.checkpoint()
        writer.write([put(b"behind")])
        code = opened(writer.data).code
        self.assertEqual(open_vault(bytes(writer.data)).code, "success" if code == "wrong-key" else code)
        return code

    def test_removed_credential_does_not_open(self) -> None:
        writer = Writer.create(tv.Random(b"r"), [Credential(KEY), Credential(OTHER)])
        self.assertEqual(open_vault(bytes(writer.data), OTHER).code, "success")
        del writer.slots[1]
        writer.checkpoint()
        self.assertEqual(open_vault(bytes(writer.data), OTHER).code, "wrong-key")
        self.assertEqual(open_vault(bytes(writer.data), KEY).code, "success")

    def test_ancillary(self) -> None:
        writer = make()
        writer.emit(0x80, bytes(16), ends=True)
        writer.write([put(b"a")])
        self.assertEqual(opened(writer.data).code, "success")
        frame = frames(writer.data)[-1]
        self.assertNotEqual(opened(reseal(writer.data, frame, type=0x81)).code, "success")

    def test_kinds_of_batches(self) -> None:
        def code(*kinds: tuple[int, bool]) -> str:
            writer = make()
            for kind, ends in kinds:
                if kind == tv.SLOT:
                    writer.emit(kind, clear=writer.slots[0][:80], sealed=writer.slots[0][80:], ends=ends)
                else:
                    plain = {tv.DATA_KEY: writer.data_keys[1], tv.GENESIS: writer.genesis, tv.PAGE: bytes(3952)}
                    writer.emit(kind, plain.get(kind, self.plain()), ends=ends)
            writer.write([put(b"behind")])
            return opened(writer.data).code
        self.assertEqual(code((tv.PAGE, True)), "success")
        for kinds in ([(tv.SLOT, True)], [(tv.DATA_KEY, True)], [(tv.GENESIS, True)], [(tv.ROOT, True)],
                      [(tv.PAGE, False), (tv.RECORD, True)], [(tv.RECORD, False), (tv.PAGE, True)],
                      [(tv.SLOT, False), (tv.DATA_KEY, True)], [(tv.SLOT, False), (tv.RECORD, True)]):
            self.assertEqual(code(*kinds), "chain-broken", kinds)


class BadIndex(unittest.TestCase):
    def vault(self, spoil: object) -> tuple[tv.Outcome, list]:
        """A checkpoint whose root or pages `spoil` changed before they were sealed, with a batch behind it."""
        writer = make()
        writer.write([put(b"name %d" % n) for n in range(200)])
        real = writer.emit

        def emit(kind: int, plain: bytes = b"", **more: object) -> int:
            return real(kind, spoil(kind, plain), **more)
        writer.emit = emit
        writer.checkpoint()
        writer.emit = real
        writer.write([put(b"behind")])
        return opened(writer.data), writer.state.records

    def test_bad_contents(self) -> None:
        def at(kind: int, offset: int, value: bytes):
            def spoil(type_: int, plain: bytes) -> bytes:
                return plain[:offset] + value + plain[offset + len(value):] if type_ == kind else plain
            return spoil
        cases = [at(tv.ROOT, 0, bytes(8)), at(tv.ROOT, 8, bytes(8)), at(tv.ROOT, 16, b"\0\0\0\0\0\0\0\x80"),
                 at(tv.ROOT, 24, bytes(4)), at(tv.ROOT, 28, b"\1"), at(tv.ROOT, 32, bytes(8)), at(tv.ROOT, 41, b"\1"),
                 at(tv.ROOT, 42, b"\0\2"), at(tv.ROOT, 44, b"\0\0\0\5"), at(tv.ROOT, 48, bytes(8)),
                 at(tv.ROOT, 56, b"\0\0\0\0\0\0\0\2"), at(tv.ROOT, 64, bytes(8)), at(tv.ROOT, 72, b"\1"),
                 at(tv.ROOT, 82, b"\x01"), at(tv.PAGE, 0, b"\1\1"), at(tv.PAGE, 8, b"\0\0\0\7"),
                 at(tv.PAGE, 12, b"\0\1"),
                 at(tv.PAGE, 12, b"\0\xff"), at(tv.PAGE, 14, b"\1"), at(tv.PAGE, 16, b"\1\1\1\1"),
                 at(tv.PAGE, 33, b"\1"), at(tv.PAGE, 34, b"\1\1"), at(tv.PAGE, 3951, b"\1")]
        for number, spoil in enumerate(cases):
            outcome, records = self.vault(spoil)
            self.assertEqual((outcome.code, len(outcome.records)), ("index-damaged", 201), number)
        self.assertEqual(self.vault(at(tv.ROOT, 24, b"\0\0\0\x41"))[0].code, "limit-exceeded")
        self.assertEqual(self.vault(at(tv.ROOT, 8, b"\1"))[0].code, "chain-broken")
        self.assertEqual(self.vault(at(tv.ROOT, 84, bytes(32)))[0].code, "chain-broken")
        self.assertEqual(self.vault(lambda kind, plain: plain)[0].code, "success")

    def paged(self) -> Writer:
        writer = make()
        writer.write([put(b"name %d" % n, b"") for n in range(600)])
        writer.checkpoint()
        writer.write([put(b"x")])
        writer.checkpoint()
        writer.write([put(b"y")])
        return writer

    def test_bad_pages_in_a_row(self) -> None:
        data = self.paged().data
        pages = [frame for frame in frames(data) if frame.type == tv.PAGE]
        own = pages.pop()  # the newest checkpoint's
        for first, last in ((0, 1), (0, len(pages)), (1, 3), (-1, len(pages)), (1, 2)):
            damaged = bytearray(data)
            for frame in pages[first:last]:
                damaged[frame.offset:frame.end] = os.urandom(frame.end - frame.offset)
            outcome = opened(damaged)
            self.assertEqual((outcome.code, len(outcome.live)), ("index-damaged", 602))
            self.assertEqual(open_vault(bytes(damaged)).code, "frame-damaged")
            torn = opened(damaged[:-1])
            self.assertEqual((torn.code, torn.index_bad, len(torn.live)), ("torn-tail", True, 601))
        data[own.offset + 300] ^= 1
        self.assertEqual(opened(data).code, "frame-damaged")

    def test_page_of_the_newest_checkpoint(self) -> None:
        """Its batch must be whole: the newest root is then not one, and the damage stands."""
        writer = make()
        writer.write([put(b"a")])
        writer.checkpoint()
        writer.write([put(b"b")])
        page = next(frame for frame in frames(writer.data) if frame.type == tv.PAGE)
        writer.data[page.offset + 300] ^= 1
        self.assertEqual(opened(writer.data).code, "frame-damaged")

    def test_fork_up_to_a_bad_page(self) -> None:
        """A page changed with right CRCs is bad, but what stands before a segment must have its link."""
        data = self.paged().data
        page = next(frame for frame in frames(data) if frame.type == tv.PAGE)
        damaged = bytearray(data)
        damaged[page.offset + 300] ^= 1
        self.assertEqual(opened(fix_body(damaged, page)).code, "index-damaged")
        record = next(frame for frame in frames(data) if frame.type == tv.RECORD)
        damaged[record.offset + 100] ^= 1
        self.assertIn(opened(fix_body(damaged, record)).code, ("chain-broken", "frame-damaged"))

    def test_pages_batch(self) -> None:
        writer = make()
        writer.frames_in_checkpoint = 6
        writer.write([put(b"name %d" % n, b"") for n in range(2000)])
        writer.checkpoint()
        pages = [frame for frame in frames(writer.data) if frame.type == tv.PAGE]
        for chosen in (pages[:1], pages[3:9], pages[-1:], pages):
            damaged = bytearray(writer.data)
            for page in chosen:
                damaged[page.offset:page.end] = bytes(page.end - page.offset)
            outcome = opened(damaged)
            self.assertEqual((outcome.code, len(outcome.live)), ("index-damaged", 2000))

    def test_pin_across_a_bad_page(self) -> None:
        writer = self.paged()
        data = bytearray(writer.data)
        walk = opened(data).vault.walk
        pin = tv.Pin(writer.header.vault_id, writer.header.file_id, 1, walk.batches[0].frames[-1].sequence,
                     walk.batches[0].frames[-1].link)
        newest = opened(data).pin
        page = next(frame for frame in frames(data) if frame.type == tv.PAGE)
        data[page.offset + 300] ^= 1
        self.assertEqual(open_vault(bytes(data), KEY, pin=newest).code, "index-damaged")
        self.assertEqual(open_vault(bytes(data), KEY, pin=pin).code, "rollback")


class Crashes(unittest.TestCase):
    def images(self, before: bytes, after: bytes, ahead: int = 0):
        """Every subset of the touched sectors (or many at random), and shorter files."""
        full = before + bytes(ahead)
        after = after + full[len(after):]
        old = full + bytes(len(after) - len(full))
        sectors = list(range(len(before) // 512 * 512, len(after), 512))
        choose = random.Random(len(after))
        subsets = (itertools.product((False, True), repeat=len(sectors)) if len(sectors) <= 7 else
                   [[choose.random() < 0.7 for _ in sectors] for _ in range(150)])
        for subset in subsets:
            image = bytearray(old)
            for sector, new in zip(sectors, subset):
                if new:
                    image[sector:sector + 512] = after[sector:sector + 512]
            yield bytes(image)
            if not ahead:
                yield bytes(image[:choose.randrange(len(before), len(image) + 1)])

    def check(self, before: bytes, after: bytes) -> None:
        old, new = shown(opened(before)), shown(opened(after))
        for ahead in (0, 100, 4096):
            for image in self.images(before, after, ahead):
                outcome = opened(image)
                self.assertIn(outcome.code, ("success", "torn-tail"))
                self.assertIn(shown(outcome), (old, new))
                if image[:len(after)] == after:
                    self.assertEqual((outcome.code, shown(outcome)), ("success", new))
                self.assertEqual(open_vault(image).code, outcome.code)

    def test_appends(self) -> None:
        for shift in (0, 100, 300, 480):
            writer = make()
            writer.write([put(b"a", bytes(shift))])
            for records in ([put(b"b")], [put(b"b", bytes(900)), put(b"c"), put(b"d", bytes(1100))],
                            [put(b"e%d" % n) for n in range(9)]):
                before = bytes(writer.data)
                writer.write(records)
                self.check(before, bytes(writer.data))

    def test_checkpoint(self) -> None:
        writer = make()
        writer.write([put(b"a")])
        for rotate_term in (False, True, True):
            before = bytes(writer.data)
            writer.checkpoint(rotate_term)
            self.check(before, bytes(writer.data))
            writer.write([put(b"b")])

    def test_tail_rules(self) -> None:
        """T0 to T4, one by one."""
        writer = make()
        writer.write([put(b"a", bytes(600)), put(b"b", bytes(600))])
        start, data = opened(writer.data).vault.walk.batches[-1].start, bytes(writer.data)
        writer.write([put(b"c")])
        first, last = (frame for frame in frames(data) if frame.offset >= start)
        lost = data[:start] + bytes(len(data) - start)
        self.assertEqual(opened(lost).code, "success")  # T0
        self.assertEqual(opened(lost + bytes(writer.data[len(data):])).code, "frame-damaged")  # T1
        damaged = bytearray(data)
        damaged[start + 200] ^= 1
        self.assertEqual(opened(damaged).code, "tail-damaged")  # T3, no evidence
        self.assertEqual(opened(damaged + bytes(40) + b"\1").code, "frame-damaged")  # T2
        self.assertEqual(opened(damaged + bytes(40)).code, "tail-damaged")
        hole = bytearray(data)
        sector = -(-start // 512) * 512
        hole[sector:sector + 512] = bytes(512)
        self.assertEqual(opened(hole).code, "torn-tail")  # T3, a hole within the first frame
        longer = reseal(hole, first, cipher_length=last.end - first.offset - 144)
        self.assertEqual(opened(longer).code, "tail-damaged")  # T4, a header inside
        self.assertEqual(opened(data[:start] + data[first.end:]).code, "frame-damaged")  # T1, a trailer
        swapped = data[:start] + bytes(first.end - start) + data[first.end:]
        self.assertEqual(opened(swapped).code, "torn-tail")

    def test_lost_batch_before_others(self) -> None:
        writer = make()
        for n in range(6):
            writer.write([put(b"%d" % n)])
        data, batches = bytes(writer.data), opened(writer.data).vault.walk.batches
        for batch, following in zip(batches[1:-1], batches[2:]):
            damaged = data[:batch.start] + bytes(following.start - batch.start) + data[following.start:]
            self.assertEqual(opened(damaged).code, "frame-damaged")
            moved = data[:batch.start] + data[following.start:]
            self.assertEqual(opened(moved).code, "tail-damaged" if following is batches[-1] else "frame-damaged")

    def test_stray_byte(self) -> None:
        """A single nonzero byte among the zeros: torn if a hole is left where the next header would stand."""
        data = bytes(small().data)
        self.assertEqual(opened(data + bytes(2000) + b"\1" + bytes(2000)).code, "torn-tail")
        self.assertEqual(opened(data + b"\1" + bytes(15)).code, "tail-damaged")
        self.assertEqual(opened(data + b"\xf5").code, "torn-tail")


class Program(unittest.TestCase):
    def serve(self, *requests: object) -> list[dict]:
        text = "".join((json.dumps(r) if isinstance(r, dict) else r) + "\n" for r in requests)
        done = subprocess.run([sys.executable, str(HERE / "tokenvault.py"), "serve"], input=text, text=True,
                              capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_serve(self) -> None:
        written = self.serve({"id": 1, "operation": "write-vault", "seed": "00", "key": KEY.hex(), "generation": 2,
                              "batches": [[{"operation": "put", "name": "61", "value": "62", "time": 5}],
                                          [{"operation": "delete", "name": "61", "time": 6}]],
                              "checkpoint_after": [0]})[0]
        self.assertEqual(written["result"], "success")
        data = base64.b64decode(written["vault"])
        bad = base64.b64encode(data[:200] + b"?" + data[201:]).decode()
        pin = open_vault(data, KEY).pin.bytes().hex()
        seal = {"id": 7, "operation": "seal", "algorithm": "XAES-256-GCM", "key": KEY.hex(), "iv": "00" * 24, "aad": "",
                "msg": "616263"}
        legacy = tv.Legacy.seal(4, bytes([4, 8, 1, 1]), bytes(8), bytes(12), b"secret", b"token")
        text = tv.join_text(legacy.salt, legacy.iv, legacy.tag, legacy.cipher)
        answers = self.serve(
            {"id": 2, "operation": "open-vault", "vault": written["vault"], "key": KEY.hex(), "pin": pin},
            {"id": 3, "operation": "open-vault", "vault": written["vault"], "key": OTHER.hex()},
            {"id": 4, "operation": "verify-vault", "vault": bad}, "not JSON", {"id": 5, "operation": "?"},
            {"id": 6, "operation": "verify-vault", "vault": written["vault"]}, seal, seal | {"id": 8, "iv": "00"},
            {"id": 9, "operation": "open-legacy", "form": "text", "record": base64.b64encode(text).decode(),
             "profile": "gcm-scrypt", "log2n": 4, "r": 8, "p": 1, "secret": b"secret".hex()},
            {"id": 10, "operation": "open-legacy", "form": "binary",
             "record": base64.b64encode(legacy.binary()).decode(), "profile": "gcm-scrypt",
             "secret": b"Secret".hex()}, "[]")
        self.assertEqual([answer["id"] for answer in answers], [2, 3, 4, None, 5, 6, 7, 8, 9, 10, None])
        self.assertEqual([answer["result"] for answer in answers],
                         ["success", "wrong-key", "slot-damaged", "error", "error", "success", "success", "invalid",
                          "success", "legacy-unopened", "error"])
        self.assertEqual(answers[0]["records"], [
            {"version": 1, "operation": "put", "name": "61", "value": "62", "time": 5, "legacy": False},
            {"version": 2, "operation": "delete", "name": "61", "value": "", "time": 6, "legacy": False}])
        self.assertEqual(answers[0]["head"], written["head"])
        self.assertEqual(bytes.fromhex(answers[8]["msg"]), b"token")
        reopened = {name: answers[6][name] for name in ("ct", "tag")} | {name: seal[name] for name in
                                                                        ("algorithm", "key", "iv", "aad")}
        self.assertEqual(self.serve({"id": 1, "operation": "open"} | reopened)[0]["msg"], "616263")

    def run_program(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, str(HERE / "tokenvault.py"), *arguments], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else "failed: " + done.stderr

    def test_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            vault, key = os.path.join(folder, "v.vault"), os.path.join(folder, "key")
            pathlib.Path(key).write_text(KEY.hex())
            with_key = ("--key-file", key)
            self.assertEqual(self.run_program("create", vault, *with_key), "")
            self.assertIn("failed", self.run_program("create", vault, *with_key))
            self.assertEqual(self.run_program("put", vault, "name", "value", *with_key), "")
            data = pathlib.Path(vault).read_bytes()
            self.assertEqual(self.run_program("put", vault, "other", "value", *with_key), "")
            torn = pathlib.Path(vault).read_bytes()[:-5]
            pathlib.Path(vault).write_bytes(torn)
            self.assertEqual(self.run_program("put", vault, "third", "3", *with_key), "")
            self.assertEqual(pathlib.Path(vault + ".torn-5").read_bytes(), torn[len(data):])
            self.assertEqual(self.run_program("list", vault, *with_key), "name\nthird\n")
            self.assertEqual(self.run_program("get", vault, "third", *with_key), "3")
            self.assertTrue(self.run_program("verify", vault).startswith("success sequence 5"))
            damaged = bytearray(pathlib.Path(vault).read_bytes())
            damaged[300] ^= 1
            pathlib.Path(vault).write_bytes(damaged)
            self.assertIn("slot-damaged", self.run_program("verify", vault, *with_key))


if __name__ == "__main__":
    unittest.main()
