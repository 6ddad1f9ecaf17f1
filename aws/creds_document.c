/* JSON documents that hold credentials: nothing of them may show up in a message or stay in memory. */

#include <string.h>
#include <time.h>

#include "aws/creds_source.h"
#include "base/json.h"
#include "base/str.h"

static void wipe_strings(const json_t *j)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(j)) {
		explicit_bzero((char *)json_string_value(j), json_string_length(j));
		return;
	}
	json_object_foreach((json_t *)j, key, value)
		wipe_strings(value);
	json_array_foreach(j, i, value)
		wipe_strings(value);
}

void creds_json_free_p(json_t **j)
{
	if (*j)
		wipe_strings(*j);
	json_decref(*j);
}

/* Not base/json's parser: its words quote the text near the fault. */
json_t *creds_json(struct str *text, const char *what, struct err *err)
{
	json_error_t why;
	json_t *j = json_loadb(str_text(text), text->len, JSON_REJECT_DUPLICATES, &why);

	if (text->s)
		explicit_bzero(text->s, text->len);
	if (!j)
		err_set(err, ERR_INVALID, "%s is no valid JSON (line %d, column %d)", what, why.line, why.column);
	if (!j || json_is_object(j))
		return j;
	creds_json_free_p(&j);
	err_set(err, ERR_INVALID, "%s is no JSON object", what);
	return NULL;
}

/* 0 when there is no time in it, or none that can be read: then the service says when they end. */
static int take_expiration(const json_t *value, const char *what, int64_t *ret_ms, struct err *err)
{
	time_t t;

	*ret_ms = 0;
	if (!value || json_is_null(value))
		return 0;
	if (json_is_number(value)) {
		double ms = json_number_value(value);

		if (ms >= 0 && ms < 1e15) {
			*ret_ms = (int64_t)ms;
			return 0;
		}
	} else if (json_is_string(value) && str_parse_time_iso(json_string_value(value), &t) == 0 && t > 0) {
		*ret_ms = (int64_t)t * 1000;
		return 0;
	}
	return err_set(err, ERR_INVALID, "%s has an expiration that is no time", what);
}

static const char *get(const json_t *j, const char *key)
{
	return key ? json_str(j, key) : NULL;
}

int creds_take(const json_t *j, const struct creds_keys *keys, const char *what, const char *source, struct creds *ret,
	       struct err *err)
{
	const char *id = get(j, keys->id), *secret = get(j, keys->secret), *token = get(j, keys->token);
	int64_t expires_ms;

	if (!id || !secret || (!token && !keys->is_token_optional))
		return err_set(err, ERR_INVALID, "%s has no '%s'", what,
			       !id       ? keys->id
			       : !secret ? keys->secret
					 : keys->token);
	if (take_expiration(json_object_get(j, keys->expiration), what, &expires_ms, err) < 0 ||
	    creds_set(ret, id, secret, token, source, err) < 0)
		return -1;
	ret->expires_ms = expires_ms;
	ret->account_id = xstrdup_or_null(get(j, keys->account));
	return 0;
}
