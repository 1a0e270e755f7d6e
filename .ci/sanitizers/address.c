// What the address sanitizer must know of OpenSSL and of Swift's runtime; linked to every program by .ci/sanitize and .ci/fuzz.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

const char *__asan_default_options(void) { return "detect_leaks=1:detect_stack_use_after_return=1:exitcode=66"; }

// There are two ways in which Swift keeps an address so that it is not known for one. An object that somebody has held weakly
// points to its side table with the bits of its reference count, shifted: every such object that is alive at the end would count as
// a leak of 32 bytes, though one that leaks is told of all the same. And an enumeration says by the highest bits of an address
// which of its cases it is; one that is global, and so alive at the end, is named here.
const char *__lsan_default_suppressions(void) { return "leak:formWeakReference\nleak:SlotVaults*passphrase\n"; }

void __lsan_register_root_region(const void *, size_t);
void *CRYPTO_secure_malloc(size_t, const char *, int);
void CRYPTO_secure_free(void *, const char *, int);

// OpenSSL's secure heap is mapped and not allocated, so that the sanitizer does not look into it. OpenSSL keeps its generators of
// random bytes there, one for each thread, and the ciphers that these hold would count as leaked: two each.
int CRYPTO_secure_malloc_init(size_t size, size_t smallest) {
  int (*original)(size_t, size_t) = (int (*)(size_t, size_t))dlsym(RTLD_NEXT, "CRYPTO_secure_malloc_init");
  if (!original) abort();
  int state = original(size, smallest);
  if (state == 0) return state;
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
