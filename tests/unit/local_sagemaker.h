#ifndef SMPIPE_TESTS_UNIT_LOCAL_SAGEMAKER_H
#define SMPIPE_TESTS_UNIT_LOCAL_SAGEMAKER_H

/* A local SageMaker with the stores that it needs, s3://my-bucket, and no Docker Engine: a training job fails as soon
 * as it runs. For tests only. */

#include "local_call.h"

#include "local/registry_store.h"
#include "local/s3_store.h"
#include "local/sagemaker_store.h"

struct fixture {
	char *dir, *s3_dir, *ecr_dir;
	struct cloud cloud;
	struct sys sys;  /* the cloud's */
	int64_t minutes; /* for a clock of the test's own */
};

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };

	f->dir = fs_temp_dir("smpipe-test", &err);
	f->s3_dir = fs_join(f->dir, "s3");
	f->ecr_dir = fs_join(f->dir, "ecr");
	f->sys = sys_real;
	f->cloud = (struct cloud){ .dir = f->dir, .account = (char *)LOCAL_ACCOUNT, .port = 4711, .sys = &f->sys };
	f->cloud.docker_host = xstrdup("unix:///nonexistent/docker.sock");
	assert_int_equal(store_s3_new(f->s3_dir, &f->cloud.s3, &err), 0);
	assert_int_equal(store_ecr_new(f->ecr_dir, &f->cloud.ecr, &err), 0);
	assert_int_equal(store_s3_create_bucket(f->cloud.s3, "my-bucket", "eu-west-1", &err), 0);
	assert_int_equal(store_sagemaker_new(&f->cloud, &f->cloud.sagemaker, &err), 0);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_sagemaker_free(f->cloud.sagemaker);
	store_ecr_free(f->cloud.ecr);
	store_s3_free(f->cloud.s3);
	fs_remove_tree(f->dir, &err);
	free(f->cloud.docker_host);
	free(f->dir);
	free(f->s3_dir);
	free(f->ecr_dir);
	free(f);
	return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

/* One operation; the status must be the expected one. A new reference. */
static inline json_t *sagemaker(struct fixture *f, const char *op, const char *body, int status)
{
	auto_free char *target = xasprintf("SageMaker.%s", op);

	return call_json(&f->cloud, local_sagemaker_handle, target, body, status);
}

/* The text with the first old replaced by new; a new string. */
static inline char *replaced(const char *text, const char *old, const char *new)
{
	const char *found = strstr(text, old);

	assert_non_null(found);
	return xasprintf("%.*s%s%s", (int)(found - text), text, new, found + strlen(old));
}

#endif
