// What libFuzzer offers (FuzzerInterface.h of LLVM), as far as it is used here.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Fuzzes until a finding, a limit of the arguments, or for ever.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

// Changes data in place in one of libFuzzer's own ways; returns the new size.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
