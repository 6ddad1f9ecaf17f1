#include "local/s3_sums.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "local/s3_crc.h"

#define BUFFER_BYTES ((size_t)256 << 10)

static const struct kind {
	const char *name, *label;
	size_t bytes;
	struct digest_state *(*start)(void); /* NULL: a CRC */
	enum s3_crc_kind crc;
} kinds[S3_SUMS] = {
	[S3_SUM_MD5] = { "md5", "MD5", 16, digest_new_md5, 0 },
	[S3_SUM_SHA256] = { "sha256", "SHA256", 32, digest_new, 0 },
	[S3_SUM_SHA1] = { "sha1", "SHA1", 20, digest_new_sha1, 0 },
	[S3_SUM_CRC32] = { "crc32", "CRC32", 4, NULL, S3_CRC32 },
	[S3_SUM_CRC32C] = { "crc32c", "CRC32C", 4, NULL, S3_CRC32C },
	[S3_SUM_CRC64NVME] = { "crc64nvme", "CRC64NVME", 8, NULL, S3_CRC64NVME },
};

size_t s3_sum_bytes(enum s3_sum sum)
{
	return kinds[sum].bytes;
}

const char *s3_sum_name(enum s3_sum sum)
{
	return kinds[sum].name;
}

const char *s3_sum_label(enum s3_sum sum)
{
	return kinds[sum].label;
}

bool s3_sum_is_crc(enum s3_sum sum)
{
	return !kinds[sum].start;
}

bool s3_sum_parse(const char *name, enum s3_sum *ret)
{
	for (int i = S3_SUM_MD5 + 1; i < S3_SUMS; i++) {
		if (!strcasecmp(kinds[i].name, name)) {
			*ret = (enum s3_sum)i;
			return true;
		}
	}
	return false;
}

char *s3_sum_text(const struct s3_sums *sums, enum s3_sum sum)
{
	return str_base64(sums->v[sum], kinds[sum].bytes);
}

static void put_crc(enum s3_sum sum, uint64_t value, unsigned char *out)
{
	for (size_t i = 0; i < kinds[sum].bytes; i++)
		out[i] = (unsigned char)(value >> 8 * (kinds[sum].bytes - 1 - i));
}

static uint64_t get_crc(enum s3_sum sum, const unsigned char *v)
{
	uint64_t value = 0;

	for (size_t i = 0; i < kinds[sum].bytes; i++)
		value = value << 8 | v[i];
	return value;
}

void s3_sum_combine(enum s3_sum sum, unsigned char *a, const unsigned char *b, uint64_t b_bytes)
{
	put_crc(sum, s3_crc_combine(kinds[sum].crc, get_crc(sum, a), get_crc(sum, b), b_bytes), a);
}

/* The sums that are being computed. */
struct summing {
	unsigned set;
	struct digest_state *digests[S3_SUMS];
	struct s3_crc *crcs[S3_SUMS];
};

static void summing_release(struct summing *s)
{
	for (int i = 0; i < S3_SUMS; i++) {
		digest_free(s->digests[i]);
		free(s->crcs[i]);
	}
}

#define auto_summing __attribute__((cleanup(summing_release))) struct summing

static void start(struct summing *s)
{
	for (int i = 0; i < S3_SUMS; i++) {
		if (!(s->set & S3_SUM_SET(i)))
			continue;
		if (kinds[i].start) {
			s->digests[i] = kinds[i].start();
		} else {
			s->crcs[i] = xmalloc(sizeof(*s->crcs[i]));
			s3_crc_init(s->crcs[i], kinds[i].crc);
		}
	}
}

static void add(struct summing *s, const void *p, size_t n)
{
	for (int i = 0; i < S3_SUMS; i++) {
		if (s->digests[i])
			digest_update(s->digests[i], p, n);
		if (s->crcs[i])
			s3_crc_update(s->crcs[i], p, n);
	}
}

static void finish(struct summing *s, struct s3_sums *sums)
{
	for (int i = 0; i < S3_SUMS; i++) {
		if (s->digests[i])
			digest_final_raw(s->digests[i], sums->v[i]);
		if (s->crcs[i])
			put_crc((enum s3_sum)i, s3_crc_value(s->crcs[i]), sums->v[i]);
	}
	sums->known |= s->set;
}

static int add_file(struct summing *s, const struct s3_bytes *bytes, struct err *err)
{
	auto_free char *buffer = xmalloc(BUFFER_BYTES);
	uint64_t done = 0;

	while (done < bytes->size) {
		uint64_t left = bytes->size - done;
		ssize_t n = pread(bytes->fd, buffer, left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES,
				  (off_t)(bytes->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read an object");
		if (n == 0)
			return err_set(err, ERR_IO, "an object became shorter while it was read");
		add(s, buffer, (size_t)n);
		done += (uint64_t)n;
	}
	return 0;
}

int s3_sums_add(struct s3_sums *sums, unsigned set, const struct s3_bytes *bytes, struct err *err)
{
	auto_summing s = { .set = set & ~sums->known };

	if (!s.set)
		return 0;
	start(&s);
	if (bytes->p)
		add(&s, bytes->p, (size_t)bytes->size);
	else if (add_file(&s, bytes, err) < 0)
		return -1;
	finish(&s, sums);
	return 0;
}
