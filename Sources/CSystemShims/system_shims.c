#define _GNU_SOURCE
#include "system_shims.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

int tv_rename_without_replacing(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int tv_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

void tv_trim_memory(void) { malloc_trim(0); }
