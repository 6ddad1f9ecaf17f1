#include "local/cloud_state.h"

#include <string.h>

#include "aws/partition.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"

#define STATE_MAX_BYTES ((size_t)64 << 10)

void cloud_state_release(struct cloud_state *state)
{
	free(state->account);
	free(state->access_key_id);
	secret_release(&state->secret_access_key);
	*state = (struct cloud_state){ 0 };
}

char *cloud_lock_path(const char *dir)
{
	return fs_join(dir, "lock");
}

static char *state_path(const char *dir)
{
	return fs_join(dir, "cloud.json");
}

/* Written again with every start; "version" is for programs to come. */
static int parse(const json_t *j, const char *path, struct cloud_state *state, struct err *err)
{
	const char *account = json_need_str(j, "account", path, err);
	const char *id = account ? json_need_str(j, "access_key_id", path, err) : NULL;
	const char *secret = id ? json_need_str(j, "secret_access_key", path, err) : NULL;
	json_int_t port = json_integer_value(json_object_get(j, "port"));

	if (!secret)
		return -1;
	if (json_integer_value(json_object_get(j, "version")) != 1)
		return err_set(err, ERR_INVALID, "'%s' is of another version of smpipe", path);
	if (!partition_is_account(account) || port < 0 || port > 65535)
		return err_set(err, ERR_INVALID, "'%s': the account or the port is malformed", path);
	state->port = (int)port;
	state->pid = json_integer_value(json_object_get(j, "pid"));
	state->account = xstrdup(account);
	state->access_key_id = xstrdup(id);
	secret_set(&state->secret_access_key, secret);
	return 0;
}

int cloud_state_read(const char *dir, struct cloud_state *ret, struct err *err)
{
	auto_free char *path = state_path(dir);
	struct secret text = { 0 };
	auto_json *j = NULL;
	size_t n;

	if (fs_read(path, STATE_MAX_BYTES, &text.value, &n, err) < 0)
		return -1;
	j = json_parse(text.value, n, path, err);
	secret_release(&text);
	return j ? parse(j, path, ret, err) : -1;
}

int cloud_state_write(const char *dir, const struct cloud_state *state, struct err *err)
{
	auto_free char *path = state_path(dir);
	struct secret text = { 0 };
	auto_json *j = json_object();
	int result;

	json_put_int(j, "version", 1);
	json_put_int(j, "port", state->port);
	json_put_int(j, "pid", state->pid);
	json_put_str(j, "account", state->account);
	json_put_str(j, "access_key_id", state->access_key_id);
	json_put_str(j, "secret_access_key", state->secret_access_key.value);
	text.value = json_pretty(j);
	result = fs_write_atomic(path, text.value, strlen(text.value), 0600, err);
	secret_release(&text);
	return result;
}

static void random_text(const struct sys *sys, const char *alphabet, char *out, size_t n)
{
	size_t letters = strlen(alphabet); /* 32 or 64: every letter is as likely */
	unsigned char b[64];

	sys->random(sys, b, n);
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[b[i] % letters];
	out[n] = '\0';
	explicit_bzero(b, sizeof(b));
}

void cloud_state_init(struct cloud_state *state, const struct sys *sys)
{
	char id[17], secret[41];

	random_text(sys, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", id, 16);
	random_text(sys, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", secret, 40);
	*state = (struct cloud_state){ .account = xstrdup(LOCAL_ACCOUNT), .access_key_id = xasprintf("AKIA%s", id) };
	secret_set(&state->secret_access_key, secret);
	explicit_bzero(secret, sizeof(secret));
}
