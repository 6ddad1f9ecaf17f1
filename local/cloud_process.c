#include "local/cloud.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/http.h"
#include "base/json.h"
#include "base/str.h"
#include "local/cloud_state.h"
#include "local/faults.h"
#include "local/dispatch.h"

#define HEALTH_TIMEOUT_MS 2000
#define UP_TIMEOUT_MS     10000
#define DOWN_TIMEOUT_MS   15000
#define POLL_MS           50
#define LOG_TAIL_BYTES    2000
#define ATTEMPTS_MAX      3

void cloud_access_release(struct cloud_access *a)
{
	free(a->url);
	free(a->account);
	free(a->access_key_id);
	free(a->docker_host);
	secret_release(&a->secret_access_key);
	*a = (struct cloud_access){ 0 };
}

const char *cloud_docker_host(const struct cloud_options *options)
{
	const char *host = options->docker_host ? options->docker_host : getenv("DOCKER_HOST");

	return host ? host : "";
}

/* What the cloud of this folder says; NULL when nothing answers on the port, or one that has come after it. */
static json_t *ask_health(const char *real_dir, const struct cloud_state *state)
{
	auto_http *http = http_curl_new();
	auto_free char *url = xasprintf("http://127.0.0.1:%d" DISPATCH_HEALTH_PATH, state->port);
	struct http_request req = {
		.method = "GET", .url = url, .max_body_bytes = 16384, .timeout_ms = HEALTH_TIMEOUT_MS
	};
	auto_response resp = { 0 };
	auto_err ignored = { 0 };
	auto_json *health = NULL;

	if (http_send(http, &req, &resp, &ignored) < 0 || resp.status != 200)
		return NULL;
	health = json_parse(str_text(&resp.body), resp.body.len, "health", &ignored);
	if (!str_eq(json_str(health, "dir"), real_dir) ||
	    json_integer_value(json_object_get(health, "pid")) != state->pid)
		return NULL;
	return take(health);
}

int cloud_find(const char *dir, struct cloud_access *ret, struct err *err)
{
	auto_free char *real_dir = fs_realpath(dir);
	auto_cloud_state state = { 0 };
	auto_err read_err = { 0 };
	auto_json *health = NULL;

	if (!real_dir)
		return errno == ENOENT ? 0 : err_errno(err, "find folder '%s'", dir);
	if (cloud_state_read(real_dir, &state, &read_err) < 0) {
		if (read_err.code == ERR_NOT_FOUND)
			return 0;
		err_move(err, &read_err);
		return -1;
	}
	if (state.pid <= 0 || state.port <= 0 || !(health = ask_health(real_dir, &state)))
		return 0;
	*ret = (struct cloud_access){ .url = xasprintf("http://127.0.0.1:%d", state.port),
				      .account = take(state.account),
				      .access_key_id = take(state.access_key_id),
				      .secret_access_key = state.secret_access_key,
				      .pid = state.pid,
				      .docker_host = xstrdup_or_null(json_str(health, "docker_host")),
				      .idle_s = (int)json_integer_value(json_object_get(health, "idle_s")),
				      .running_jobs =
					      (int)json_integer_value(json_object_get(health, "running_jobs")) };
	state.secret_access_key = (struct secret){ 0 };
	return 1;
}

/* The process that holds the lock or held it last; 0: none, or it is dead. */
static int64_t lock_holder(const char *dir)
{
	auto_free char *path = cloud_lock_path(dir), *text = NULL, *trimmed = NULL;
	auto_err ignored = { 0 };
	int64_t pid = 0;

	if (fs_read(path, 64, &text, NULL, &ignored) < 0)
		return 0;
	trimmed = str_trim(text);
	if (!str_parse_i64(trimmed, 1, INT32_MAX, &pid) || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return 0;
	return pid;
}

static void build_arguments(struct strlist *args, const char *executable, const char *dir,
			    const struct cloud_options *o)
{
	strlist_add(args, executable);
	strlist_add(args, "local");
	strlist_add(args, "serve");
	strlist_add(args, "--dir");
	strlist_add(args, dir);
	if (o->port) {
		strlist_add(args, "--port");
		strlist_take(args, xasprintf("%d", o->port));
	}
	if (o->exit_when_idle) {
		strlist_add(args, "--idle");
		strlist_take(args, xasprintf("%d", o->idle_s));
	}
	strlist_take(args, NULL);
}

/*
 * The process outlives the command and runs other people's code in containers: of our environment it gets what it
 * needs, and none of the keys and tokens that lie there.
 */
static bool is_for_cloud(const char *variable)
{
	static const char *const names[] = {
		"PATH=",
		"HOME=",
		"TMPDIR=",
		"TZ=",
		"LANG=",
		"LC_",
		"DOCKER_HOST=",
		"LD_",
		"FAKETIME",
		"ASAN_",
		"LSAN_",
		"UBSAN_",
		FAULTS_VARIABLE "=",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(variable, names[i]))
			return true;
	return false;
}

/* DOCKER_HOST is set when the options name one. */
static void build_environment(struct strlist *env, const char *docker_host)
{
	for (char **e = environ; *e; e++)
		if (is_for_cloud(*e) && !(docker_host && str_starts(*e, "DOCKER_HOST=")))
			strlist_add(env, *e);
	if (docker_host)
		strlist_take(env, xasprintf("DOCKER_HOST=%s", docker_host));
	strlist_take(env, NULL);
}

/* Neither our descriptors nor our signal settings are the cloud's business. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int log_fd)
{
	sigset_t none, standard;

	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGINT);
	sigaddset(&standard, SIGTERM);
	sigaddset(&standard, SIGPIPE);
	sigaddset(&standard, SIGHUP);
	return posix_spawnattr_setflags(attributes,
					POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) ||
	       posix_spawnattr_setsigmask(attributes, &none) || posix_spawnattr_setsigdefault(attributes, &standard) ||
	       posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
	       posix_spawn_file_actions_adddup2(actions, log_fd, STDOUT_FILENO) ||
	       posix_spawn_file_actions_adddup2(actions, log_fd, STDERR_FILENO) ||
	       posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int spawn(const char *executable, const char *dir, const struct cloud_options *options, int log_fd,
		 pid_t *ret_pid, struct err *err)
{
	auto_strlist args = { 0 }, env = { 0 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int code;

	build_arguments(&args, executable, dir, options);
	build_environment(&env, options->docker_host);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	code = prepare(&actions, &attributes, log_fd);
	if (!code)
		code = posix_spawn(ret_pid, executable, &actions, &attributes, args.v, env.v);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (!code)
		return 0;
	errno = code;
	return err_errno(err, "start '%s'", executable);
}

/* What the process wrote since the log had `from` bytes, at most its end; new. */
static char *log_tail(int log_fd, off_t from)
{
	auto_free char *text = xcalloc(1, LOG_TAIL_BYTES + 1);
	off_t end = lseek(log_fd, 0, SEEK_END);

	if (end - from > LOG_TAIL_BYTES)
		from = end - LOG_TAIL_BYTES;
	if (pread(log_fd, text, LOG_TAIL_BYTES, from) < 0)
		text[0] = '\0';
	return str_trim(text);
}

/* Why the cloud did not come up, in the words that it wrote itself. */
static int explain(int log_fd, off_t log_from, const struct cloud_options *options, const char *dir, struct err *err)
{
	auto_free char *tail = log_tail(log_fd, log_from);
	bool is_taken = options->port && strstr(tail, "the port is taken");

	if (is_taken)
		return err_set(err, ERR_CONFLICT, "start the local cloud: port %d of 127.0.0.1 is taken",
			       options->port);
	if (*tail)
		return err_set(err, ERR_FAILED, "start the local cloud of '%s': %s", dir, tail);
	return err_set(err, ERR_FAILED, "start the local cloud of '%s': it ended without a word", dir);
}

/*
 * Whichever process got the lock is the cloud: ours, or one that somebody else started meanwhile, which ours then gave
 * way to.
 */
static int wait_until_up(const char *dir, const struct cloud_options *options, pid_t pid, int log_fd, off_t log_from,
			 struct cloud_access *ret, struct err *err)
{
	int64_t end_ms = sys_real.ticks_ms(&sys_real) + UP_TIMEOUT_MS;
	bool has_ended = false;

	for (;;) {
		int found = cloud_find(dir, ret, err);

		if (found)
			return found > 0 ? 0 : -1;
		has_ended = has_ended || waitpid(pid, NULL, WNOHANG) == pid;
		if (has_ended && (lock_holder(dir) == 0 || lock_holder(dir) == pid))
			return explain(log_fd, log_from, options, dir, err);
		if (sys_real.ticks_ms(&sys_real) > end_ms)
			return err_set(err, ERR_TIMEOUT,
				       "start the local cloud of '%s': no answer within %d s; see '%s/cloud.log'", dir,
				       UP_TIMEOUT_MS / 1000, dir);
		if (sys_check_cancelled(err) < 0)
			return -1;
		sys_real.sleep_ms(&sys_real, POLL_MS);
	}
}

static int check_port(const struct cloud_options *options, const struct cloud_access *access, struct err *err)
{
	auto_free char *wanted = xasprintf("http://127.0.0.1:%d", options->port);

	if (!options->port || str_eq(access->url, wanted))
		return 0;
	err_set(err, ERR_CONFLICT, "start the local cloud on port %d: it runs already, on '%s'", options->port,
		access->url);
	return err_hint(err, "`smpipe local down` ends it");
}

static int start(const char *executable, const char *dir, const struct cloud_options *options, struct cloud_access *ret,
		 struct err *err)
{
	auto_free char *log_path = fs_join(dir, "cloud.log");
	auto_close int log_fd = open(log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (log_fd < 0)
		return err_errno(err, "open '%s'", log_path);
	/* Ours may find the lock in the hands of a cloud that is just ending, and then end too. */
	for (int attempt = 1;; attempt++) {
		auto_err why = { 0 };
		off_t log_from = lseek(log_fd, 0, SEEK_END);
		pid_t pid;

		if (spawn(executable, dir, options, log_fd, &pid, err) < 0)
			return -1;
		if (wait_until_up(dir, options, pid, log_fd, log_from, ret, &why) == 0)
			return 0;
		if (why.code != ERR_FAILED || !strstr(why.msg, "is locked by process") || attempt == ATTEMPTS_MAX) {
			err_move(err, &why);
			return -1;
		}
	}
}

/* A job would fail there although the image was built here. */
static bool has_other_engine(const struct cloud_access *access, const struct cloud_options *options)
{
	return !access->running_jobs && !str_eq(access->docker_host, cloud_docker_host(options));
}

int cloud_up(const char *executable, const struct cloud_options *options, struct cloud_access *ret, struct err *err)
{
	auto_free char *dir = NULL;
	auto_cloud_access access = { 0 };
	struct cloud_options anew = *options;
	int found;

	if (fs_mkdir_p(options->dir, 0700, err) < 0)
		return -1;
	dir = fs_realpath(options->dir);
	if (!dir)
		return err_errno(err, "find folder '%s'", options->dir);
	found = cloud_find(dir, &access, err);
	if (found > 0 && has_other_engine(&access, options)) {
		anew.exit_when_idle = access.idle_s > 0;
		anew.idle_s = access.idle_s;
		found = cloud_down(dir, err) < 0 ? -1 : 0;
		cloud_access_release(&access);
		options = &anew;
	}
	if (found < 0 || (!found && start(executable, dir, options, &access, err) < 0) ||
	    check_port(options, &access, err) < 0)
		return -1;
	*ret = access;
	access = (struct cloud_access){ 0 };
	return 0;
}

/* The lock is free once the process is gone, whoever its parent is. */
static int wait_until_down(const char *dir, struct err *err)
{
	auto_free char *path = cloud_lock_path(dir);
	int64_t end_ms = sys_real.ticks_ms(&sys_real) + DOWN_TIMEOUT_MS;

	for (;;) {
		auto_close int fd = -1;
		auto_err held = { 0 };

		if (fs_lock(path, &fd, &held) == 0)
			return 0;
		if (held.code != ERR_CONFLICT) {
			err_move(err, &held);
			return -1;
		}
		if (sys_real.ticks_ms(&sys_real) > end_ms)
			return err_set(err, ERR_TIMEOUT, "stop the local cloud of '%s': it still runs after %d s", dir,
				       DOWN_TIMEOUT_MS / 1000);
		if (sys_check_cancelled(err) < 0)
			return -1;
		sys_real.sleep_ms(&sys_real, POLL_MS);
	}
}

int cloud_down(const char *dir, struct err *err)
{
	auto_cloud_access access = { 0 };
	int found = cloud_find(dir, &access, err);

	if (found <= 0)
		return found;
	if (kill((pid_t)access.pid, SIGTERM) < 0 && errno != ESRCH)
		return err_errno(err, "stop the local cloud, process %" PRId64, access.pid);
	return wait_until_down(dir, err) < 0 ? -1 : 1;
}
