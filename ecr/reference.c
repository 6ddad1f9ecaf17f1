#include "ecr/reference.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"

#define NAME_MAX_BYTES 255
#define TAG_MAX_BYTES  128
#define ECR_NAME_MIN   2
#define ECR_NAME_MAX   256

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Everything printed stands at its column: what could move the caret is shown as '?'. */
static int unexpected(const char *s, const char *at, const char *what, struct err *err)
{
	auto_free char *shown = str_printable(s);
	auto_free char *before = NULL, *head = xstrndup(s, (size_t)(at - s));
	size_t column = 0;

	before = str_printable(head);
	for (const char *p = before; *p; p++)
		column += ((unsigned char)*p & 0xc0) != 0x80;
	return err_set(err, ERR_CONFIG, "image reference '%s': %s\n  %s\n  %*s^", shown, what, shown, (int)column, "");
}

static const char *skip(const char *s, const char *accept)
{
	return s + strspn(s, accept);
}

/* One part between slashes; returns where it ends or, with *is_bad, where it goes wrong. */
static const char *scan_component(const char *s, bool *is_bad)
{
	*is_bad = true;
	for (;;) {
		const char *separator = skip(s, LOWER DIGITS), *next;

		if (separator == s)
			return s;
		if (*separator == '-')
			next = skip(separator, "-");
		else if (*separator == '_')
			next = separator + (separator[1] == '_' ? 2 : 1);
		else if (*separator == '.')
			next = separator + 1;
		else
			break;
		s = next;
	}
	*is_bad = false;
	return skip(s, LOWER DIGITS);
}

/* [host] or name, then an optional port: where it ends, or NULL with *ret_bad. */
static const char *scan_host(const char *s, const char **ret_bad)
{
	const char *end;

	if (*s == '[') {
		end = skip(s + 1, DIGITS "abcdefABCDEF:");
		if (*end != ']' || end == s + 1) {
			*ret_bad = end;
			return NULL;
		}
		end++;
	} else {
		for (end = s;; end++) {
			const char *label = end;

			end = skip(label, LOWER UPPER DIGITS "-");
			if (end == label || *label == '-' || end[-1] == '-') {
				*ret_bad = end == label || *label == '-' ? label : end - 1;
				return NULL;
			}
			if (*end != '.')
				break;
		}
	}
	if (*end == ':') {
		const char *port = end + 1;

		end = skip(port, DIGITS);
		if (end == port || end - port > 5) {
			*ret_bad = port;
			return NULL;
		}
	}
	if (*end != '/') {
		*ret_bad = end;
		return NULL;
	}
	return end;
}

/*
 * Docker's rule: what stands before the first slash is a host when it has a dot, a colon or a capital, or is
 * "localhost". So "attacker.com/1.dkr.ecr.eu-west-1.<suffix>/x" is attacker.com's, whatever comes later.
 */
static bool begins_with_host(const char *s)
{
	size_t n = strcspn(s, "/");
	auto_free char *first = xstrndup(s, n);

	if (!s[n])
		return false;
	return *s == '[' || strpbrk(first, ".:" UPPER) || str_eq(first, "localhost");
}

static int take_host(const char *s, struct reference *r, const char **ret_rest, struct err *err)
{
	const char *bad = s, *end;

	*ret_rest = s;
	if (!begins_with_host(s))
		return 0;
	end = scan_host(s, &bad);
	if (!end)
		return unexpected(s, bad, "no valid registry host", err);
	r->host = xstrndup(s, (size_t)(end - s));
	*ret_rest = end + 1;
	return 0;
}

static int take_repository(const char *s, const char *from, struct reference *r, const char **ret_rest, struct err *err)
{
	const char *end = from;
	bool is_bad;

	for (;; end++) {
		end = scan_component(end, &is_bad);
		if (is_bad && strchr(UPPER, *end) && *end)
			return unexpected(s, end, "repository names are lower case", err);
		if (is_bad)
			return unexpected(s, end, *end ? "this cannot stand here" : "it ends too early", err);
		if (*end != '/')
			break;
	}
	if (*end && *end != ':' && *end != '@')
		return unexpected(s, end,
				  strchr(UPPER, *end) ? "repository names are lower case" : "this cannot stand here",
				  err);
	if (end - s > NAME_MAX_BYTES)
		return unexpected(s, s + NAME_MAX_BYTES, "the name is longer than 255 characters", err);
	r->repository = xstrndup(from, (size_t)(end - from));
	*ret_rest = end;
	return 0;
}

static int take_tag(const char *s, struct reference *r, const char **rest, struct err *err)
{
	const char *tag = *rest + 1, *end;

	if (**rest != ':')
		return 0;
	if (!*tag)
		return unexpected(s, tag, "a tag is missing", err);
	end = skip(tag, LOWER UPPER DIGITS "_.-");
	if (end == tag || *tag == '.' || *tag == '-')
		return unexpected(s, tag, "a tag begins with a letter, a digit or '_'", err);
	if (*end && *end != '@')
		return unexpected(s, end, "a tag has letters, digits and _ . - only", err);
	if (end - tag > TAG_MAX_BYTES)
		return unexpected(s, tag + TAG_MAX_BYTES, "the tag is longer than 128 characters", err);
	r->tag = xstrndup(tag, (size_t)(end - tag));
	*rest = end;
	return 0;
}

static int take_digest(const char *s, struct reference *r, const char *rest, struct err *err)
{
	const char *digest = rest + 1, *end;

	if (!*rest)
		return 0;
	if (!str_starts(digest, "sha256:"))
		return unexpected(s, digest, "a digest is sha256: and 64 hexadecimal digits", err);
	end = skip(digest + strlen("sha256:"), DIGITS "abcdef");
	if (*end || end - digest != (ptrdiff_t)strlen("sha256:") + DIGEST_HEX)
		return unexpected(s, end, "a digest is sha256: and 64 hexadecimal digits", err);
	r->digest = xstrdup(digest);
	return 0;
}

int reference_parse(const char *s, struct reference *ret, struct err *err)
{
	auto_reference r = { 0 };
	const char *rest;

	if (!*s)
		return err_set(err, ERR_CONFIG, "the image reference is empty");
	/* Before any of it is quoted back. */
	if (strlen(s) > NAME_MAX_BYTES + TAG_MAX_BYTES + DIGEST_HEX + 16)
		return err_set(err, ERR_CONFIG, "the image reference is too long (%zu characters)", strlen(s));
	if (take_host(s, &r, &rest, err) < 0 || take_repository(s, rest, &r, &rest, err) < 0 ||
	    take_tag(s, &r, &rest, err) < 0 || take_digest(s, &r, rest, err) < 0)
		return -1;
	*ret = r;
	r = (struct reference){ 0 };
	return 0;
}

void reference_release(struct reference *r)
{
	free(r->host);
	free(r->repository);
	free(r->tag);
	free(r->digest);
	*r = (struct reference){ 0 };
}

char *reference_format(const char *host, const char *repository, const char *tag, const char *digest)
{
	return xasprintf("%s%s%s%s%s%s%s", host ? host : "", host ? "/" : "", repository, tag ? ":" : "",
			 tag ? tag : "", digest ? "@" : "", digest ? digest : "");
}

/* Stricter than the grammar of references: separators are single characters. */
static const char *find_bad_ecr_character(const char *s)
{
	const char *p = s;

	for (;;) {
		const char *end = skip(p, LOWER DIGITS);

		if (end == p)
			return p;
		if (!*end)
			return NULL;
		if (!strchr("._-/", *end))
			return end;
		p = end + 1;
	}
}

int reference_check_repository(const char *repository, struct err *err)
{
	size_t n = strlen(repository);
	auto_free char *shown = NULL;
	const char *bad;

	if (n < ECR_NAME_MIN || n > ECR_NAME_MAX)
		return err_set(err, ERR_CONFIG, "repository name: %zu characters, ECR allows %d to %d", n, ECR_NAME_MIN,
			       ECR_NAME_MAX);
	bad = find_bad_ecr_character(repository);
	if (!bad)
		return 0;
	shown = str_printable(repository);
	err_set(err, ERR_CONFIG, "repository name '%s': character %zu cannot stand there", shown,
		(size_t)(bad - repository) + 1);
	return err_hint(err, "ECR allows lower-case letters and digits with single . _ - or / between them");
}
