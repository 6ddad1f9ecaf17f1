#ifndef SMPIPE_BASE_CRC64_H
#define SMPIPE_BASE_CRC64_H

/*
 * CRC-64/NVME, S3's checksum of whole objects: polynomial 0xad93d23594c93659 reflected, all ones before and after; the
 * check value of "123456789" is 0xae8b14860a799888. NVM Express NVM Command Set Specification 1.0, section 5.2.1.3.4.
 * With carry-less multiplication where the processor has it.
 */

#include <stddef.h>
#include <stdint.h>

/* The checksum of what crc (0: nothing) stands for, followed by n bytes. */
uint64_t crc64nvme(uint64_t crc, const void *p, size_t n);

/* The checksum of two parts in turn from theirs, second_bytes being the length of the second. */
uint64_t crc64nvme_join(uint64_t first, uint64_t second, uint64_t second_bytes);

/* As crc64nvme, by table alone. For tests and other processors. */
uint64_t crc64nvme_by_table(uint64_t crc, const void *p, size_t n);

#endif
