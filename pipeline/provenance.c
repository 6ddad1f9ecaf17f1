#include "pipeline/provenance.h"

#include <string.h>

#include "base/archive.h"
#include "base/gzip.h"
#include "base/http.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/job_end.h"
#include "pipeline/remote_job.h"
#include "s3/manifest.h"
#include "s3/uri.h"

#define BUILD_TYPE "urn:smpipe:%s-job:v1"
#define BUILDER_ID "urn:smpipe:release"

/* One subject or dependency: what it is to us, where it lies, its SHA-256. */
static json_t *resource(const char *kind, const char *uri, const char *sha256)
{
	return json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "name", kind, "uri", uri, "digest", "sha256", sha256,
			 "annotations", "kind", kind);
}

static json_t *manifest_resource(const struct plan_channel *pc)
{
	auto_free char *text = manifest_text(&pc->channel->files, pc->channel->name);
	auto_free char *key = xasprintf("%s/%s.json", pc->prefix, pc->digest);
	auto_free char *uri = s3_uri_format(pc->bucket, key);
	auto_free char *kind = xasprintf("data/%s", pc->channel->name);
	struct digest d = digest_of_text(text);
	auto_free char *hex = digest_hex(&d);
	json_t *j = resource(kind, uri, hex);

	json_put_str(json_object_get(j, "annotations"), "tree", pc->digest);
	json_put_int(json_object_get(j, "annotations"), "files", (json_int_t)pc->channel->files.n);
	json_put_int(json_object_get(j, "annotations"), "bytes", (json_int_t)filelist_total_bytes(&pc->channel->files));
	return j;
}

/* Everything that went into the job. They are its subjects too: the record vouches for them. */
static json_t *inputs(const struct provenance_facts *f)
{
	json_t *list = json_array();

	if (f->image->uri) {
		json_t *image = resource("image", f->image->uri, f->image->digest + strlen("sha256:"));

		/* First writer wins: an image of the same build key may carry another commit's label. */
		json_put_str(json_object_get(image, "annotations"), "builtFromCommit", f->image->first_commit);
		json_array_append_new(list, image);
	}
	if (f->source) {
		auto_free char *hex = digest_hex(f->source);
		json_t *j = resource("source", f->plan->source_uri, hex);

		json_put_str(json_object_get(j, "annotations"), "tree", f->plan->source_digest);
		json_array_append_new(list, j);
	}
	for (size_t i = 0; i < f->plan->n_channels; i++) {
		if (f->plan->channels[i].digest)
			json_array_append_new(list, manifest_resource(&f->plan->channels[i]));
	}
	return list;
}

static json_t *git_dependency(const struct git_state *g)
{
	auto_free char *uri = g->remote ? xasprintf("git+%s%s%s", g->remote, g->branch ? "@refs/heads/" : "",
						    g->branch ? g->branch : "")
					: xstrdup("git+file:.");

	return json_pack("{s:s, s:{s:s}}", "uri", uri, "digest", "gitCommit", g->commit);
}

static json_t *dependencies(const struct provenance_facts *f)
{
	json_t *list = inputs(f);
	const char *name;
	json_t *digest;

	json_array_insert_new(list, 0, git_dependency(&f->project->state));
	json_object_foreach((json_t *)f->bases, name, digest) {
		const char *text = json_string_value(digest);

		json_array_append_new(list, resource("base", name, text + (str_starts(text, "sha256:") ? 7 : 0)));
	}
	return list;
}

static json_t *string_array(const struct strlist *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->n; i++) {
		/* Names of untracked files may be any bytes; JSON has only text. */
		auto_free char *text = str_printable(l->v[i]);

		json_array_append_new(array, json_string(text));
	}
	return array;
}

static json_t *git_facts(const struct provenance_facts *f)
{
	const struct git_state *g = &f->project->state;
	json_t *j = json_object();

	json_put_str(j, "commit", g->commit);
	json_put_str(j, "tree", g->tree);
	json_put_str(j, "branch", g->branch);
	json_put_str(j, "remote", g->remote);
	json_put_str(j, "subject", g->subject);
	json_object_set_new(j, "tags", string_array(&g->tags));
	json_object_set_new(j, "dirty", json_boolean(f->project->dirty.n > 0));
	json_object_set_new(j, "dirtyFiles", string_array(&f->project->dirty));
	json_object_set_new(j, "otherChanges", string_array(&g->changes));
	json_object_set_new(j, "untrackedFiles", string_array(&f->project->untracked));
	json_put_str(j, "snapshotCommit", f->snapshot_commit);
	json_put_str(j, "firstCommit", f->launch->first_commit);
	return j;
}

static json_t *internal_parameters(const struct provenance_facts *f)
{
	auto_free char *config = digest_hex(&f->project->config.digest);
	json_t *j = json_object();

	json_put_str(j, "job", f->launch->job_name);
	json_put_str(j, "attempt", f->launch->attempt);
	json_put_str(j, "requestKey", f->plan->request_key);
	json_put_str(j, "buildKey", f->plan->build_key);
	json_put_str(j, "imageTag", f->plan->image_tag);
	json_put_str(j, "configuration", config);
	json_put_str(j, "environment", f->project->config.environment);
	json_put_str(j, "status", "InProgress");
	json_object_set_new(j, "git", git_facts(f));
	return j;
}

static json_t *run_details(const struct provenance_facts *f)
{
	auto_free char *time = str_time_iso(f->now_ms / 1000);
	json_t *versions = json_object();

	json_put_str(versions, "smpipe", SMPIPE_VERSION);
	json_put_str(versions, "libcurl", http_library());
	json_put_str(versions, "libarchive", archive_library());
	json_put_str(versions, "gzip", gzip_library());
	json_put_str(versions, "libgit2", git_library());
	return json_pack("{s:{s:s, s:o}, s:{s:s, s:s}}", "builder", "id", BUILDER_ID, "version", versions, "metadata",
			 "invocationId", f->launch->job_arn, "startedOn", time);
}

json_t *provenance_statement(const struct provenance_facts *f)
{
	auto_free char *build_type = xasprintf(BUILD_TYPE, job_form(f->plan->kind)->kind);

	return json_pack("{s:s, s:o, s:s, s:{s:{s:s, s:{s:O}, s:o, s:o}, s:o}}", "_type",
			 "https://in-toto.io/Statement/v1", "subject", inputs(f), "predicateType",
			 "https://slsa.dev/provenance/v1", "predicate", "buildDefinition", "buildType", build_type,
			 "externalParameters", "request", f->launch->request, "internalParameters",
			 internal_parameters(f), "resolvedDependencies", dependencies(f), "runDetails", run_details(f));
}

static json_t *metrics_of_job(const json_t *job)
{
	json_t *metrics = json_object();
	size_t i;
	json_t *m;

	json_array_foreach(json_object_get(job, "FinalMetricDataList"), i, m)
		json_object_set(metrics, json_str(m, "MetricName"), json_object_get(m, "Value"));
	return metrics;
}

static void replace_model(json_t *subjects, json_t *model)
{
	size_t i;
	json_t *subject;

	json_array_foreach(subjects, i, subject) {
		if (str_eq(json_str(subject, "name"), "model")) {
			json_array_set_new(subjects, i, model);
			return;
		}
	}
	json_array_append_new(subjects, model);
}

/* What both kinds of jobs have. */
static void add_end(json_t *statement, const struct provenance_outcome *o, const char *end_member)
{
	json_t *internal = (json_t *)provenance_internal(statement);
	json_t *metadata = (json_t *)json_at(statement, "predicate", "runDetails", "metadata", NULL);
	auto_free char *end = job_time(o->job, end_member);

	json_put_str(internal, "status", remote_job_status(o->job));
	json_put_str(internal, "failureReason", json_str(o->job, "FailureReason"));
	json_put_str(metadata, "finishedOn", end);
	if (o->model_uri) {
		auto_free char *hex = digest_hex(o->model);
		json_t *model = resource("model", o->model_uri, hex);

		json_put_int(json_object_get(model, "annotations"), "bytes", (json_int_t)o->model_bytes);
		replace_model(json_object_get(statement, "subject"), model);
	}
}

void provenance_add_outcome(json_t *statement, const struct provenance_outcome *o)
{
	json_t *internal = (json_t *)provenance_internal(statement);

	add_end(statement, o, "TrainingEndTime");
	json_put_str(internal, "secondaryStatus", json_str(o->job, "SecondaryStatus"));
	json_put_int(internal, "trainingSeconds", json_integer_value(json_object_get(o->job, "TrainingTimeInSeconds")));
	if (job_billable_seconds(o->job) >= 0)
		json_put_int(internal, "billableSeconds", job_billable_seconds(o->job));
	json_object_set_new(internal, "metrics", metrics_of_job(o->job));
}

void provenance_add_tuning(json_t *statement, const struct provenance_outcome *o, const struct provenance_tuning *t)
{
	json_t *internal = (json_t *)provenance_internal(statement), *metrics = json_object();

	add_end(statement, o, "HyperParameterTuningEndTime");
	if (t->metric)
		json_object_set_new(metrics, t->metric, json_real(t->objective));
	json_put_int(internal, "billableSeconds", t->billable_seconds);
	if (t->spot_saving_percent)
		json_put_int(internal, "spotSavingPercent", t->spot_saving_percent);
	json_object_set_new(internal, "metrics", metrics);
	json_object_set(internal, "tuning", (json_t *)t->board);
}

enum job_kind provenance_kind(const json_t *statement)
{
	return remote_job_kind(provenance_request(statement));
}

const json_t *provenance_tuning(const json_t *statement)
{
	return json_object_get(provenance_internal(statement), "tuning");
}

const json_t *provenance_internal(const json_t *statement)
{
	return json_at(statement, "predicate", "buildDefinition", "internalParameters", NULL);
}

const json_t *provenance_request(const json_t *statement)
{
	return json_at(statement, "predicate", "buildDefinition", "externalParameters", "request", NULL);
}

const char *provenance_job(const json_t *statement)
{
	return json_str(provenance_internal(statement), "job");
}

const char *provenance_commit(const json_t *statement)
{
	return json_str(json_object_get(provenance_internal(statement), "git"), "commit");
}

const char *provenance_status(const json_t *statement)
{
	return json_str(provenance_internal(statement), "status");
}

const char *provenance_subject(const json_t *statement, const char *kind, const char **ret_uri)
{
	size_t i;
	json_t *subject;

	json_array_foreach(json_object_get(statement, "subject"), i, subject) {
		if (!str_eq(json_str(subject, "name"), kind))
			continue;
		if (ret_uri)
			*ret_uri = json_str(subject, "uri");
		return json_str(json_object_get(subject, "digest"), "sha256");
	}
	return NULL;
}
