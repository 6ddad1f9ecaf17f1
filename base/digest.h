#ifndef SMPIPE_BASE_DIGEST_H
#define SMPIPE_BASE_DIGEST_H

/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by OpenSSL. */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX   (2 * DIGEST_BYTES)

/* A SHA-256 value. */
struct digest {
	unsigned char b[DIGEST_BYTES];
};

/* A running SHA-256; one owner. */
struct digest_state;

struct digest_state *digest_new(void);
void digest_update(struct digest_state *s, const void *p, size_t n);
struct digest digest_final(struct digest_state *s); /* s may only be freed afterwards */
void digest_free(struct digest_state *s);
void digest_free_p(struct digest_state **s);
#define auto_digest __attribute__((cleanup(digest_free_p))) struct digest_state

struct digest digest_of(const void *p, size_t n);
struct digest digest_of_text(const char *s);
struct digest digest_hmac(const void *key, size_t key_n, const void *p, size_t n);

/* Hash what can be read from fd up to its end; *ret_size gets the number of bytes. */
int digest_of_fd(int fd, struct digest *ret_digest, uint64_t *ret_size, struct err *err);
int digest_of_file(const char *path, struct digest *ret_digest, uint64_t *ret_size, struct err *err);

/* 64 hexadecimal digits; new string. */
char *digest_hex(const struct digest *d);
/* The form of registries: "sha256:" + hex; new string. */
char *digest_oci(const struct digest *d);
/* Parse 64 hexadecimal digits, with or without "sha256:"; -1 when malformed. */
int digest_parse(const char *s, struct digest *ret_d);
int digest_equal(const struct digest *a, const struct digest *b); /* constant time */

/* MD5, for answers that must carry it; never for identity. */
struct digest_md5 {
	unsigned char b[16];
};
struct digest_md5 digest_md5_of(const void *p, size_t n);

/* A running MD5 or SHA-1, for those answers; digest_update and digest_free are theirs too. */
struct digest_state *digest_new_md5(void);
struct digest_state *digest_new_sha1(void);
/* The value of any running digest: at most DIGEST_BYTES into out; returns how many. s may only be freed afterwards. */
size_t digest_final_raw(struct digest_state *s, unsigned char *out);

/* 40 hexadecimal digits of the SHA-1 of two pieces, one behind the other, for names that others made with it; new
 * string. The first may be NULL with no bytes. */
char *digest_sha1_hex(const void *head, size_t head_n, const void *p, size_t n);

#endif
