#define _GNU_SOURCE
#include "system_shims.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int tv_rename_without_replacing(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int tv_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int tv_file_system(const char *path, uint32_t *type, uint64_t *free_bytes) {
  struct statfs facts;
  if (statfs(path, &facts) != 0) return -1;
  *type = (uint32_t)facts.f_type;
  *free_bytes = (uint64_t)facts.f_bavail * (uint64_t)facts.f_bsize;
  return 0;
}

void tv_forbid_dumping(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

void tv_trim_memory(void) { malloc_trim(0); }

int tv_process_descriptor(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int tv_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int tv_seal(int file) {
  return fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int tv_execute(const char *program, char *const arguments[], char *const environment[]) {
  return execvpe(program, arguments, environment);
}

static struct flock bytes(short type, int64_t position, int64_t count) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = position, .l_len = count};
  return lock;
}

int tv_lock_bytes(int file, int64_t position, int64_t count) {
  struct flock lock = bytes(F_WRLCK, position, count);
  return fcntl(file, F_OFD_SETLK, &lock);
}

int tv_unlock_bytes(int file, int64_t position, int64_t count) {
  struct flock lock = bytes(F_UNLCK, position, count);
  return fcntl(file, F_OFD_SETLK, &lock);
}

int tv_byte_is_locked(int file, int64_t position) {
  struct flock lock = bytes(F_WRLCK, position, 1);
  if (fcntl(file, F_OFD_GETLK, &lock) != 0) return -1;
  return lock.l_type != F_UNLCK;
}

int tv_identity(const char *path, uint64_t *device, uint64_t *inode) {
  struct statx facts;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO, &facts) != 0) return -1;
  *device = makedev(facts.stx_dev_major, facts.stx_dev_minor);
  *inode = facts.stx_ino;
  return 0;
}

int tv_length(int file, uint64_t *length) {
  struct statx facts;
  if (statx(file, "", AT_EMPTY_PATH, STATX_SIZE, &facts) != 0) return -1;
  *length = facts.stx_size;
  return 0;
}
