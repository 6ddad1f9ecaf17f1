#ifndef SMPIPE_S3_INDEX_H
#define SMPIPE_S3_INDEX_H

/*
 * A stat index like git's: what the files of a data folder hashed to, so that unchanged ones are not read again.
 *
 * A digest is trusted when size, mtime, ctime (nanoseconds), inode and device are all the same, and when mtime and
 * ctime are older than the scan that the index was made of, by INDEX_RACY_NS: a file that changes within the tick of
 * its own time stamp, after it was read, is hashed again (git calls such entries racily clean; two seconds are the
 * coarsest stamps of any file system). So every write, truncate, replacement or utimes() after the scan is noticed,
 * because the kernel sets ctime and nobody else can.
 *
 * Not noticed are changes that the kernel hides: the disk behind the file system's back, a clock that was set back by
 * more than INDEX_RACY_NS between scan and change, shared memory maps that are not yet synced, file systems that make
 * inodes and times up. Nor does it protect from who can write to .smpipe: an index is data of this machine's user. A
 * wrong digest cannot put wrong bytes under a name, since what is sent is held against it (s3/transfer.h), and an index
 * that led to a refusal is forgotten; it can only name an older snapshot, and `smpipe data verify` with a removed index
 * shows it.
 *
 * One file each channel and folder, in this machine's byte order, closed by the SHA-256 of all before it. What is
 * damaged, cut short, of another version, byte order or folder is no index. Time and memory are linear in it.
 */

#include "base/filelist.h"

#define INDEX_RACY_NS   INT64_C(2000000000)
#define INDEX_MAX_BYTES ((size_t)1024 * 1024 * 1024)

/*
 * Fill in the digests of those entries of l, which is sorted and has stamps, that the index at file vouches for.
 * Returns how many. An absent file is fine; *ret_note says why another one was ignored (new string, else untouched).
 */
size_t index_apply(const char *file, const char *root, struct filelist *l, char **ret_note);

/* Write the index of a sorted and hashed list. scanned_ns: the wall clock before the first file was looked at. */
int index_save(const char *file, const char *root, int64_t scanned_ns, const struct filelist *l, struct err *err);

#endif
