// What neither zlib nor Swift has: a CRC-32 by the processor's carry-less multiplication, some ten times as fast as zlib's.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Carries zlib's CRC-32 on over as many of the `count` bytes as are worth it, and changes `*crc` to that of all before them.
///
/// Returns how many it took, a multiple of 16; the rest is zlib's. It takes none of fewer than 64, and none where the
/// processor lacks the instruction.
size_t tv_crc32_fold(uint32_t *crc, const uint8_t *bytes, size_t count);
