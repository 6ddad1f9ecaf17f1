#include "local/registry_store.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/cloud.h"
#include "local/lock.h"

#define DOCUMENT_MAX (1u << 20)

int store_ecr_new(const char *dir, struct store_ecr **ret, struct err *err)
{
	auto_free char *repositories = fs_join(dir, "repositories");
	struct store_ecr *s;

	if (fs_mkdir_p(repositories, 0700, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->dir = xstrdup(dir);
	pthread_mutex_init(&s->lock, NULL);
	*ret = s;
	return 0;
}

void store_ecr_free(struct store_ecr *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

/* A repository's name has no '=' (reference_check_repository), so each name is one folder and none lies in another. */
static char *folder_of_name(const char *name)
{
	char *folder = xstrdup(name);

	for (char *p = folder; *p; p++)
		if (*p == '/')
			*p = '=';
	return folder;
}

char *store_ecr_path(const struct store_ecr *s, const char *repository, const char *folder, const char *leaf)
{
	auto_free char *encoded = folder_of_name(repository);

	return xasprintf("%s/repositories/%s%s%s%s%s", s->dir, encoded, folder ? "/" : "", folder ? folder : "",
			 leaf ? "/" : "", leaf ? leaf : "");
}

static json_t *read_document(const char *path, struct err *err)
{
	auto_free char *text = NULL;
	size_t n;

	if (fs_read(path, DOCUMENT_MAX, &text, &n, err) < 0)
		return NULL;
	return json_parse(text, n, path, err);
}

static int write_document(const char *path, const json_t *doc, struct err *err)
{
	auto_free char *text = json_pretty(doc);

	return fs_write_atomic(path, text, strlen(text), 0600, err);
}

static json_t *read_passwords(struct store_ecr *s)
{
	auto_free char *path = fs_join(s->dir, "passwords.json");
	auto_err ignored = { 0 };
	json_t *list = read_document(path, &ignored);

	if (json_is_array(list))
		return list;
	json_decref(list);
	return json_array();
}

static int64_t expires_ms(const json_t *entry)
{
	return json_integer_value(json_object_get(entry, "expiresMs"));
}

/* The newest comes first; two are enough, as a new one is made when half of the last one's time is over. */
static int add_password(struct store_ecr *s, json_t *list, const struct sys *sys, struct err *err)
{
	auto_free char *path = fs_join(s->dir, "passwords.json");
	auto_free char *hex = NULL;
	unsigned char raw[32];
	json_t *entry = json_object();

	sys->random(sys, raw, sizeof(raw));
	hex = str_hex(raw, sizeof(raw));
	json_put_str(entry, "password", hex);
	json_put_int(entry, "expiresMs", sys->now_ms(sys) + ECR_PASSWORD_VALID_S * INT64_C(1000));
	json_array_insert_new(list, 0, entry);
	while (json_array_size(list) > 2)
		json_array_remove(list, json_array_size(list) - 1);
	return write_document(path, list, err);
}

int store_ecr_password(struct store_ecr *s, const struct sys *sys, struct secret *ret, int64_t *ret_expires_ms,
		       struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_json *list = read_passwords(s);
	int64_t half_ms = ECR_PASSWORD_VALID_S * INT64_C(1000) / 2;
	const json_t *newest = json_array_get(list, 0);

	if (!newest || expires_ms(newest) - sys->now_ms(sys) < half_ms) {
		if (add_password(s, list, sys, err) < 0)
			return err_wrap(err, "keep a new password of the registry");
		newest = json_array_get(list, 0);
	}
	secret_set(ret, json_str(newest, "password"));
	*ret_expires_ms = expires_ms(newest);
	return 0;
}

bool store_ecr_check_password(struct store_ecr *s, const char *password, int64_t now_ms)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_json *list = read_passwords(s);
	struct digest given = digest_of_text(password);
	bool is_valid = false;
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry) {
		const char *known = json_str(entry, "password");
		struct digest kept = digest_of_text(known ? known : "");

		if (known && expires_ms(entry) > now_ms && digest_equal(&given, &kept))
			is_valid = true;
	}
	return is_valid;
}

int store_ecr_create_repository(struct store_ecr *s, const char *name, const json_t *doc, struct err *err)
{
	static const char *const folders[] = { "blobs", "uploads", "manifests", "tags" };
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *path = store_ecr_path(s, name, NULL, "repository.json");

	if (fs_exists(path))
		return err_set(err, ERR_CONFLICT, "repository '%s' exists", name);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		auto_free char *folder = store_ecr_path(s, name, folders[i], NULL);

		if (fs_mkdir_p(folder, 0700, err) < 0)
			return -1;
	}
	return write_document(path, doc, err);
}

int store_ecr_get_repository(struct store_ecr *s, const char *name, json_t **ret_doc, struct err *err)
{
	auto_free char *path = store_ecr_path(s, name, NULL, "repository.json");
	json_t *doc = read_document(path, err);

	if (!doc)
		return -1;
	*ret_doc = doc;
	return 0;
}

bool store_ecr_has_repository(struct store_ecr *s, const char *name)
{
	auto_free char *path = store_ecr_path(s, name, NULL, "repository.json");

	return fs_exists(path);
}

int store_ecr_list_repositories(struct store_ecr *s, struct strlist *ret, struct err *err)
{
	auto_free char *path = fs_join(s->dir, "repositories");
	auto_strlist folders = { 0 };

	if (fs_list(path, &folders, err) < 0)
		return -1;
	for (size_t i = 0; i < folders.n; i++) {
		for (char *p = folders.v[i]; *p; p++)
			if (*p == '=')
				*p = '/';
		if (store_ecr_has_repository(s, folders.v[i]))
			strlist_add(ret, folders.v[i]);
	}
	strlist_sort(ret);
	return 0;
}

int store_ecr_delete_repository(struct store_ecr *s, const char *name, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *path = store_ecr_path(s, name, NULL, NULL);

	return fs_remove_tree(path, err);
}
