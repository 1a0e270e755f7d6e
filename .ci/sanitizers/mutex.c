// Tells the thread sanitizer of Swift's Mutex. Its short way is inlined into what is looked at; the long way, taken when another
// thread holds the lock, is in the runtime's library, of which the sanitizer sees nothing: whatever such a mutex guards would be
// called a race. Preloaded by .ci/sanitize, this does what the library does, and says that it was done.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Only the program under test has them.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

#define METHOD __attribute__((swiftcall, visibility("default")))
#define SELF __attribute__((swift_context)) void *mutex
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

static void *original(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

METHOD void lock(uint32_t thread, SELF) __asm__(LOCK);
METHOD bool try_lock(SELF) __asm__(TRY);
METHOD void unlock(SELF) __asm__(UNLOCK);

METHOD void lock(uint32_t thread, SELF) {
  ((__attribute__((swiftcall)) void (*)(uint32_t, SELF))original(LOCK))(thread, mutex);
  if (__tsan_acquire) __tsan_acquire(mutex);
}

METHOD bool try_lock(SELF) {
  bool taken = ((__attribute__((swiftcall)) bool (*)(SELF))original(TRY))(mutex);
  if (taken && __tsan_acquire) __tsan_acquire(mutex);
  return taken;
}

METHOD void unlock(SELF) {
  if (__tsan_release) __tsan_release(mutex);
  ((__attribute__((swiftcall)) void (*)(SELF))original(UNLOCK))(mutex);
}
