/*
 * Smpipe's own push and read against any registry on loopback, for a judge: smpipe itself pushes to ECR's hosts only.
 *
 *     registry push HOST USER REPOSITORY TAG    build an image of one file and push it; prints the digest
 *     registry get  HOST USER REPOSITORY REF    read an image back; prints what was read as JSON
 *
 * The password comes from PASSWORD. Exit 5: the registry does not let this user in.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ecr/engine.h"
#include "ecr/registry.h"

static void add_file(struct filelist *l, const char *path, const char *text)
{
	struct file_entry *e = filelist_add(l, path, FILE_MODE_PLAIN);

	e->bytes = xstrdup(text);
	e->size = strlen(text);
}

static int push(struct http *http, const struct registry_auth *auth, const char *repository, const char *tag,
		struct err *err)
{
	auto_free char *name = xasprintf("%s/%s", auth->host, repository);
	auto_free char *tagged = xasprintf("%s:%s", name, tag);
	auto_json *labels = json_pack("{s:s}", "smpipe.build-key", "probe & <judge>");
	auto_free char *id = NULL;
	auto_free char *digest = NULL;
	auto_filelist context = { 0 };
	auto_engine engine = { 0 };
	struct engine_build build = {
		.context = &context, .dockerfile = "Dockerfile", .labels = labels, .tag = tagged
	};

	add_file(&context, "Dockerfile", "FROM scratch\nCOPY hello /hello\n");
	add_file(&context, "hello", "hello\n");
	if (filelist_hash(&context, err) < 0 || engine_connect(http, NULL, &engine, err) < 0 ||
	    engine_build(&engine, &build, NULL, &id, err) < 0 ||
	    engine_push(&engine, name, tag, auth, NULL, &digest, err) < 0)
		return -1;
	printf("%s\n", digest);
	return engine_untag(&engine, tagged, err);
}

static int get(struct http *http, const struct registry_auth *auth, const char *repository, const char *reference,
	       struct err *err)
{
	auto_registry_image image = { 0 };
	auto_json *j = json_object();
	auto_free char *text = NULL;

	if (registry_get_image(http, auth, repository, reference, &image, err) < 0)
		return -1;
	json_put_str(j, "digest", image.digest);
	json_put_str(j, "media_type", image.media_type);
	json_put_str(j, "label", registry_image_label(&image, "smpipe.build-key"));
	json_put_int(j, "bytes", (json_int_t)image.bytes);
	text = json_pretty(j);
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	auto_http *http = http_curl_new();
	auto_registry_auth auth = { 0 };
	auto_err err = { 0 };
	int result;

	if (argc != 6 || !getenv("PASSWORD"))
		return 2;
	auth.host = xstrdup(argv[2]);
	auth.user = xstrdup(argv[3]);
	secret_set(&auth.password, getenv("PASSWORD"));
	result = !strcmp(argv[1], "push") ? push(http, &auth, argv[4], argv[5], &err)
					  : get(http, &auth, argv[4], argv[5], &err);
	if (result < 0)
		fprintf(stderr, "%s\n", err.msg);
	return result == 0 ? 0 : err.code == ERR_AUTH ? 5 : 1;
}
