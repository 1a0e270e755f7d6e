// The system calls that Swift's Glibc module does not have.
#pragma once

#include <stdint.h>

/// renameat2(2) with RENAME_NOREPLACE in the current directory: fails with EEXIST where rename(2) would replace.
int tv_rename_without_replacing(const char *from, const char *to);

/// pipe2(2) whose ends no program inherits that another thread starts at the same moment.
int tv_pipe(int ends[2]);

/// statfs(2): the magic number of the file system that `path` lies on, and the bytes that this user may still write there.
int tv_file_system(const char *path, uint32_t *type, uint64_t *free_bytes);

/// prctl(2) with PR_SET_DUMPABLE: no dump of this process, and no look into its memory, but by root. A program that is executed in its
/// place may be dumped again.
void tv_forbid_dumping(void);

/// malloc_trim(3) of all that is free.
void tv_trim_memory(void);

/// pidfd_open(2): a descriptor that can be read once the process has ended. ENOSYS or EPERM where a kernel or a sandbox lacks it.
int tv_process_descriptor(int process);

/// memfd_create(2): an empty file in memory that can be sealed, and that no program inherits.
int tv_memory_file(const char *name);

/// Seals a file of tv_memory_file: nobody can change it any more, in content or in size.
int tv_seal(int file);

/// execvpe(3).
int tv_execute(const char *program, char *const arguments[], char *const environment[]);

/// fcntl(2) with F_OFD_SETLK: locks `count` bytes from `position` on, or all if it is 0, for the open file description of `file` alone,
/// without waiting. EAGAIN when another has one of them.
int tv_lock_bytes(int file, int64_t position, int64_t count);

/// The same, to give the lock up, whoever has inherited the descriptor.
int tv_unlock_bytes(int file, int64_t position, int64_t count);

/// fcntl(2) with F_OFD_GETLK: 1 when an open file description other than that of `file` has the byte locked, 0 when none has.
int tv_byte_is_locked(int file, int64_t position);

/// statx(2) of what is at `path`, no link followed: device and inode alone. Who asks for the times of a file, as lstat(2) does, has
/// the kernel (from 6.13 on) give its next change a time of its own, which the next sync must write.
int tv_identity(const char *path, uint64_t *device, uint64_t *inode);

/// statx(2) of an open file: its length alone.
int tv_length(int file, uint64_t *length);
