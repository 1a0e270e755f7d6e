#define _GNU_SOURCE
#include "system_shims.h"

#include <fcntl.h>
#include <stdio.h>

int tv_rename_without_replacing(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}
