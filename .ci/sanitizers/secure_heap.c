// Tells the leak sanitizer of OpenSSL's secure heap, which is mapped and not allocated, so that it is not looked at: OpenSSL keeps
// its generators of random bytes there, and the ciphers that these hold would count as leaked. Preloaded by .ci/sanitize.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Only the program under test has it.
extern void __lsan_register_root_region(const void *, size_t) __attribute__((weak));

// A weak reference: what is started meanwhile, and knows no OpenSSL, is none the worse for it.
extern void *CRYPTO_secure_malloc(size_t, const char *, int) __attribute__((weak));
extern void CRYPTO_secure_free(void *, const char *, int) __attribute__((weak));

int CRYPTO_secure_malloc_init(size_t size, size_t smallest) {
  int (*original)(size_t, size_t) = (int (*)(size_t, size_t))dlsym(RTLD_NEXT, "CRYPTO_secure_malloc_init");
  if (!original) abort();
  int state = original(size, smallest);
  if (state == 0 || !__lsan_register_root_region || !CRYPTO_secure_malloc) return state;
  // Any piece of the heap lies in the one mapping that is the heap: the guards beside it can't be read, and are others.
  void *piece = CRYPTO_secure_malloc(1, __FILE__, __LINE__);
  FILE *maps = fopen("/proc/self/maps", "r");
  if (!piece || !maps) abort();
  uintptr_t start, end, place = (uintptr_t)piece;
  int fields;
  while ((fields = fscanf(maps, "%lx-%lx%*[^\n]", &start, &end)) == 2 && !(start <= place && place < end)) continue;
  if (fields != 2) abort();
  __lsan_register_root_region((void *)start, end - start);
  fclose(maps);
  CRYPTO_secure_free(piece, __FILE__, __LINE__);
  return state;
}
