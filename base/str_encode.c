/* Encodings of base/str.h: hexadecimal, base64, percent, times, sizes. */

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

char *str_hex(const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = p;
	char *s = xmalloc(2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		s[2 * i] = digits[b[i] >> 4];
		s[2 * i + 1] = digits[b[i] & 15];
	}
	s[2 * n] = '\0';
	return s;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

int str_unhex(const char *s, void *out, size_t n)
{
	unsigned char *b = out;

	if (strlen(s) != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		b[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

static char *encode64(const void *p, size_t n, const char *alphabet)
{
	const unsigned char *b = p;
	char *out = xmalloc((n + 2) / 3 * 4 + 1), *o = out;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v =
			(unsigned)b[i] << 16 | (i + 1 < n ? (unsigned)b[i + 1] << 8 : 0) | (i + 2 < n ? b[i + 2] : 0);

		*o++ = alphabet[v >> 18];
		*o++ = alphabet[v >> 12 & 63];
		*o++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		*o++ = i + 2 < n ? alphabet[v & 63] : '=';
	}
	*o = '\0';
	return out;
}

char *str_base64(const void *p, size_t n)
{
	return encode64(p, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

char *str_base64url(const void *p, size_t n)
{
	return encode64(p, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

char *str_unbase64(const char *s, size_t *ret_n)
{
	size_t len = strlen(s);
	auto_free char *out = NULL;
	size_t n = 0;
	unsigned bits = 0, pending = 0;

	for (int padding = 0; padding < 2 && len && s[len - 1] == '='; padding++)
		len--;
	if (len % 4 == 1)
		return NULL;
	out = xmalloc(len / 4 * 3 + 3);
	for (size_t i = 0; i < len; i++) {
		int v = base64_value(s[i]);

		if (v < 0)
			return NULL;
		pending = pending << 6 | (unsigned)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(pending >> bits & 255);
		}
	}
	out[n] = '\0';
	*ret_n = n;
	return take(out);
}

char *str_uri_encode(const char *s, bool keep_slash)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	struct str out = { 0 };

	for (; *s; s++) {
		if (strchr(unreserved, *s) || (*s == '/' && keep_slash))
			str_add_char(&out, *s);
		else
			str_addf(&out, "%%%02X", (unsigned char)*s);
	}
	return str_detach(&out);
}

char *str_uri_decode(const char *s)
{
	auto_str out = { 0 };

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			str_add_char(&out, *s);
			continue;
		}
		high = hex_value(s[1]);
		low = high < 0 ? -1 : hex_value(s[2]);
		if (low < 0 || (!high && !low))
			return NULL;
		str_add_char(&out, (char)(high << 4 | low));
		s += 2;
	}
	return str_detach(&out);
}

char *str_time_basic(time_t t)
{
	struct tm tm = { 0 }; /* stays so for a time beyond all years */
	char text[40];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return xstrdup(text);
}

char *str_time_iso(time_t t)
{
	struct tm tm = { 0 }; /* stays so for a time beyond all years */
	char text[40];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(text);
}

/* Seconds east of Greenwich: "", "Z", "UTC", "+hh:mm". */
static int parse_zone(const char *s, int64_t *ret_s)
{
	auto_free char *hours = NULL;
	int64_t h, m;

	*ret_s = 0;
	if (!*s || !strcmp(s, "Z") || !strcmp(s, "UTC"))
		return 0;
	if ((*s != '+' && *s != '-') || strlen(s) != strlen("+hh:mm") || s[3] != ':')
		return -1;
	hours = xstrndup(s + 1, 2);
	if (!str_parse_i64(hours, 0, 23, &h) || !str_parse_i64(s + 4, 0, 59, &m))
		return -1;
	*ret_s = (h * 60 + m) * (*s == '-' ? -60 : 60);
	return 0;
}

int str_parse_time_iso(const char *s, time_t *ret_t)
{
	struct tm tm = { 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t east_s;

	if (!end)
		return -1;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (parse_zone(end, &east_s) < 0)
		return -1;
	*ret_t = timegm(&tm) - (time_t)east_s;
	return 0;
}

char *str_bytes(uint64_t n)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)n;
	size_t unit = 0;

	while (v >= 1024 && unit + 1 < ARRAY_LEN(units)) {
		v /= 1024;
		unit++;
	}
	return unit ? xasprintf("%.1f %s", v, units[unit]) : xasprintf("%.0f B", v);
}

char *str_duration_ms(int64_t ms)
{
	int64_t s = ms / 1000;

	if (ms < 10 * 1000)
		return xasprintf("%.1f s", (double)ms / 1000);
	if (s < 60)
		return xasprintf("%lld s", (long long)s);
	if (s < 3600)
		return xasprintf("%lld min %02lld s", (long long)(s / 60), (long long)(s % 60));
	return xasprintf("%lld h %02lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
}
