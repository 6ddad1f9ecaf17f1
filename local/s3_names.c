#include "local/s3_names.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Leaves room below the 255 bytes of a name for an escape and a suffix. */
#define NAME_MAX_BYTES 200

static bool is_ipv4_form(const char *s)
{
	return strspn(s, "0123456789.") == strlen(s);
}

bool s3_name_is_bucket(const char *name)
{
	size_t n = strlen(name);

	if (n < 3 || n > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != n)
		return false;
	return isalnum((unsigned char)name[0]) && isalnum((unsigned char)name[n - 1]) && !strstr(name, "..") &&
	       !is_ipv4_form(name);
}

static void add_part(struct str *path, const char *part, size_t n)
{
	bool is_dots = (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.');
	size_t start = path->len;

	if (n == 0)
		str_add(path, "%e");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)part[i];

		if (c < ' ' || c == 0x7f || c == '%' || is_dots)
			str_addf(path, "%%%02X", c);
		else
			str_add_char(path, (char)c);
		if (path->len - start < NAME_MAX_BYTES)
			continue;
		str_add(path, i + 1 < n ? "%+/" : "%+/%e");
		start = path->len;
	}
}

static void add_parts(struct str *path, const char *text, size_t n)
{
	for (const char *end = text + n;;) {
		const char *slash = memchr(text, '/', (size_t)(end - text));

		add_part(path, text, (size_t)((slash ? slash : end) - text));
		if (!slash)
			return;
		str_add_char(path, '/');
		text = slash + 1;
	}
}

char *s3_name_path(const char *key)
{
	auto_str path = { 0 };

	add_parts(&path, key, strlen(key));
	return str_detach(&path);
}

char *s3_name_folder(const char *prefix)
{
	const char *slash = strrchr(prefix, '/');
	auto_str path = { 0 };

	if (slash)
		add_parts(&path, prefix, (size_t)(slash - prefix));
	return str_detach(&path);
}

/* false: nothing that add_part would write. */
static bool decode_name(struct str *key, const char *name, size_t n)
{
	if (n == 2 && !memcmp(name, "%e", 2))
		return true;
	for (size_t i = 0; i < n; i++) {
		char hex[3] = { 0 };
		unsigned char c;

		if (name[i] != '%') {
			str_add_char(key, name[i]);
			continue;
		}
		if (n - i < 3)
			return false;
		memcpy(hex, name + i + 1, 2);
		if (str_unhex(hex, &c, 1) < 0 || c == '\0' || c == '/')
			return false;
		str_add_char(key, (char)c);
		i += 2;
	}
	return true;
}

static bool has_suffix(const char *name, size_t n, const char *suffix)
{
	return n > 2 && !memcmp(name + n - 2, suffix, 2);
}

char *s3_name_key(const char *path)
{
	auto_str key = { 0 };

	for (;;) {
		size_t n = strcspn(path, "/");
		bool is_last = !path[n];
		bool goes_on = !is_last && has_suffix(path, n, "%+");
		bool is_beside_folder = is_last && has_suffix(path, n, "%f");

		if (!decode_name(&key, path, n - (goes_on || is_beside_folder ? 2 : 0)))
			return NULL;
		if (is_last)
			return str_detach(&key);
		if (!goes_on)
			str_add_char(&key, '/');
		path += n + 1;
	}
}
