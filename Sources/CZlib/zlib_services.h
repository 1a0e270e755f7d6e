// The three zlib services that the vault format uses, each as one call.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

/// CRC-32 of `bytes`, continuing from `crc` (0 to begin).
static inline uint32_t tv_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
  return (uint32_t)crc32_z(crc, bytes, count);
}

/// Raw DEFLATE (RFC 1951) of `input` into `output`; the bytes written, or -1 when they do not fit.
static inline int64_t tv_deflate(const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count) {
  z_stream stream = {0};
  if (input_count > UINT32_MAX || output_count > UINT32_MAX) return -1;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) return -1;
  stream.next_in = (Bytef *)input;
  stream.avail_in = (uInt)input_count;
  stream.next_out = output;
  stream.avail_out = (uInt)output_count;
  int status = deflate(&stream, Z_FINISH);
  int64_t written = (int64_t)(output_count - stream.avail_out);
  deflateEnd(&stream);
  return status == Z_STREAM_END ? written : -1;
}

/// The reverse; -1 when `input` is not one whole stream without anything behind it, -2 when it is longer than `output`.
static inline int64_t tv_inflate(const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count) {
  z_stream stream = {0};
  if (input_count > UINT32_MAX || output_count > UINT32_MAX) return -1;
  if (inflateInit2(&stream, -15) != Z_OK) return -1;
  stream.next_in = (Bytef *)input;
  stream.avail_in = (uInt)input_count;
  stream.next_out = output;
  stream.avail_out = (uInt)output_count;
  int status = inflate(&stream, Z_FINISH);
  int64_t written = (int64_t)(output_count - stream.avail_out);
  int whole = status == Z_STREAM_END && stream.avail_in == 0;
  int full = (status == Z_OK || status == Z_BUF_ERROR) && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole ? written : full ? -2 : -1;
}
