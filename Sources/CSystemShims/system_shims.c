#define _GNU_SOURCE
#include "system_shims.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/statfs.h>
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
void tv_trim_memory(void) { malloc_trim(0); }
