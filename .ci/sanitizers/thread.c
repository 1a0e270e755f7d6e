// Tells the thread sanitizer of Swift's Mutex. Its short way is inlined into what is looked at; the long way, taken when another
// thread holds the lock, is in the runtime's library, of which the sanitizer sees nothing: whatever such a mutex guards would be
// called a race. Linked to every program by .ci/sanitize, this does what the library does, and says that it was done.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

const char *__tsan_default_options(void) { return "halt_on_error=0:exitcode=66:history_size=4"; }

// Another thread has read a piece of a file and lets it go; the window's thread then finds that the array is its own again, and
// reads the next piece into it. What tells it so is the reference count, which is changed in the runtime's library, of which the
// sanitizer sees nothing. A window itself is a value that one thread has.
const char *__tsan_default_suppressions(void) { return "race:FileWindowV4load2at5count\n"; }

void __tsan_acquire(void *);
void __tsan_release(void *);

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
  __tsan_acquire(mutex);
}

METHOD bool try_lock(SELF) {
  bool taken = ((__attribute__((swiftcall)) bool (*)(SELF))original(TRY))(mutex);
  if (taken) __tsan_acquire(mutex);
  return taken;
}

METHOD void unlock(SELF) {
  __tsan_release(mutex);
  ((__attribute__((swiftcall)) void (*)(SELF))original(UNLOCK))(mutex);
}
