// The part of OpenSSL 3.0 that VaultCrypto uses: EVP, its parameters, the random generator and the secure heap.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/types.h>

// OpenSSL gives these as macros, which Swift does not import.
static inline void *tv_secure_malloc(size_t count) { return OPENSSL_secure_zalloc(count); }
static inline void tv_secure_clear_free(void *pointer, size_t count) { OPENSSL_secure_clear_free(pointer, count); }
static inline void *tv_malloc(size_t count) { return OPENSSL_zalloc(count); }
static inline void tv_clear_free(void *pointer, size_t count) { OPENSSL_clear_free(pointer, count); }
