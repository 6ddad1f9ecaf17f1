#include "base/digest.h"

#include <assert.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

struct digest_state {
	EVP_MD_CTX *md;
};

/* OpenSSL's own failures here are broken invariants: the algorithm is built in and memory is checked. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static struct digest_state *new_state(const EVP_MD *type)
{
	struct digest_state *s = xcalloc(1, sizeof(*s));

	s->md = EVP_MD_CTX_new();
	must(s->md != NULL);
	must(EVP_DigestInit_ex(s->md, type, NULL));
	return s;
}

struct digest_state *digest_new(void)
{
	return new_state(EVP_sha256());
}

struct digest_state *digest_new_md5(void)
{
	return new_state(EVP_md5());
}

struct digest_state *digest_new_sha1(void)
{
	return new_state(EVP_sha1());
}

void digest_update(struct digest_state *s, const void *p, size_t n)
{
	must(EVP_DigestUpdate(s->md, p, n));
}

struct digest digest_final(struct digest_state *s)
{
	struct digest d;

	must(EVP_DigestFinal_ex(s->md, d.b, NULL));
	return d;
}

size_t digest_final_raw(struct digest_state *s, unsigned char *out)
{
	unsigned n = 0;

	must(EVP_DigestFinal_ex(s->md, out, &n));
	return n;
}

void digest_free(struct digest_state *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->md);
	free(s);
}

void digest_free_p(struct digest_state **s)
{
	digest_free(*s);
}

struct digest digest_of(const void *p, size_t n)
{
	struct digest d;

	must(EVP_Digest(p, n, d.b, NULL, EVP_sha256(), NULL));
	return d;
}

struct digest digest_of_text(const char *s)
{
	return digest_of(s, strlen(s));
}

struct digest digest_hmac(const void *key, size_t key_n, const void *p, size_t n)
{
	struct digest d;

	must(HMAC(EVP_sha256(), key, (int)key_n, p, n, d.b, NULL) != NULL);
	return d;
}

int digest_of_fd(int fd, struct digest *ret_digest, uint64_t *ret_size, struct err *err)
{
	auto_digest *s = digest_new();
	auto_free char *buffer = xmalloc(256 * 1024);
	uint64_t size = 0;
	ssize_t n;

	while ((n = read(fd, buffer, 256 * 1024)) > 0) {
		digest_update(s, buffer, (size_t)n);
		size += (uint64_t)n;
	}
	if (n < 0)
		return err_errno(err, "read");
	*ret_digest = digest_final(s);
	if (ret_size)
		*ret_size = size;
	return 0;
}

int digest_of_file(const char *path, struct digest *ret_digest, uint64_t *ret_size, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "open '%s'", path);
	if (digest_of_fd(fd, ret_digest, ret_size, err) < 0)
		return err_wrap(err, "'%s'", path);
	return 0;
}

char *digest_hex(const struct digest *d)
{
	return str_hex(d->b, sizeof(d->b));
}

char *digest_oci(const struct digest *d)
{
	auto_free char *hex = digest_hex(d);

	return xasprintf("sha256:%s", hex);
}

int digest_parse(const char *s, struct digest *ret_d)
{
	if (str_starts(s, "sha256:"))
		s += strlen("sha256:");
	return str_unhex(s, ret_d->b, sizeof(ret_d->b));
}

int digest_equal(const struct digest *a, const struct digest *b)
{
	return !CRYPTO_memcmp(a->b, b->b, sizeof(a->b));
}

struct digest_md5 digest_md5_of(const void *p, size_t n)
{
	struct digest_md5 d;

	must(EVP_Digest(p, n, d.b, NULL, EVP_md5(), NULL));
	return d;
}

char *digest_sha1_hex(const void *head, size_t head_n, const void *p, size_t n)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char b[20];

	must(md != NULL);
	must(EVP_DigestInit_ex(md, EVP_sha1(), NULL));
	must(EVP_DigestUpdate(md, head, head_n));
	must(EVP_DigestUpdate(md, p, n));
	must(EVP_DigestFinal_ex(md, b, NULL));
	EVP_MD_CTX_free(md);
	return str_hex(b, sizeof(b));
}
