/*
 * credential_process: a program that prints credentials. Started without a shell, so that a profile is no script; its
 * output is limited in size and time and never quoted.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/creds_source.h"
#include "base/json.h"
#include "base/str.h"
#include "base/words.h"

#define MAX_OUTPUT_BYTES (64 * 1024)
#define TIME_LIMIT_MS    INT64_C(120000)
#define SLICE_MS         50
#define END_SLICE_MS     2 /* its pipe is closed: it is about to end */

extern char **environ;

struct process {
	const struct sys *sys;
	const char *profile;
	pid_t pid;
	int fd;
	struct str out;
	bool is_over; /* its end of the pipe is closed */
	int status;
	bool is_reaped;
};

static void process_release(struct process *p)
{
	if (p->out.s)
		explicit_bzero(p->out.s, p->out.cap);
	str_release(&p->out);
	mem_close_p(&p->fd);
	if (p->pid > 0 && !p->is_reaped) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
}

/* Neither our descriptors nor our signal settings are its business; what it says on stderr may be a secret. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int out_fd)
{
	sigset_t none, standard;

	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGINT);
	sigaddset(&standard, SIGTERM);
	sigaddset(&standard, SIGPIPE);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) ||
	       posix_spawnattr_setsigmask(attributes, &none) || posix_spawnattr_setsigdefault(attributes, &standard) ||
	       posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
	       posix_spawn_file_actions_adddup2(actions, out_fd, STDOUT_FILENO) ||
	       posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ||
	       posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int start(struct process *p, char **argv, struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	auto_close int write_fd = -1;
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	p->fd = ends[0];
	write_fd = ends[1];
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	code = prepare(&actions, &attributes, write_fd);
	if (!code)
		code = posix_spawnp(&p->pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (!code)
		return 0;
	p->pid = 0;
	errno = code;
	err_errno(err, "start the credential_process of profile '%s', '%s'", p->profile, argv[0]);
	err->code = ERR_AUTH;
	return -1;
}

/* Read what is there; at the end is_over is set. */
static int drain(struct process *p, struct err *err)
{
	char buffer[4096];
	ssize_t n = read(p->fd, buffer, sizeof(buffer));

	if (n < 0 && errno != EINTR)
		return err_errno(err, "read from the credential_process of profile '%s'", p->profile);
	if (n == 0)
		p->is_over = true;
	if (n > 0)
		str_add_mem(&p->out, buffer, (size_t)n);
	explicit_bzero(buffer, sizeof(buffer));
	if (p->out.len > MAX_OUTPUT_BYTES)
		return err_set(err, ERR_AUTH, "the credential_process of profile '%s' printed more than %d bytes",
			       p->profile, MAX_OUTPUT_BYTES);
	return 0;
}

/* One slice of waiting. A child of the process may hold the pipe open for ever: the end of the process itself counts.
 */
static int step(struct process *p, struct err *err)
{
	struct pollfd ready = { .fd = p->is_over ? -1 : p->fd, .events = POLLIN };

	if (!p->is_reaped && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->is_reaped = true;
	if (poll(&ready, 1, p->is_reaped ? 0 : p->is_over ? END_SLICE_MS : SLICE_MS) > 0)
		return drain(p, err);
	if (p->is_reaped)
		p->is_over = true;
	return 0;
}

static int finish(struct process *p, struct err *err)
{
	int64_t end_ms = p->sys->ticks_ms(p->sys) + TIME_LIMIT_MS;

	while (!p->is_over || !p->is_reaped) {
		if (sys_check_cancelled(err) < 0 || step(p, err) < 0)
			return -1;
		if (p->sys->ticks_ms(p->sys) > end_ms)
			return err_set(err, ERR_AUTH,
				       "the credential_process of profile '%s' gave no answer within %d s", p->profile,
				       (int)(TIME_LIMIT_MS / 1000));
	}
	if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0)
		return 0;
	err_set(err, ERR_AUTH, "the credential_process of profile '%s' ended with %s %d", p->profile,
		WIFEXITED(p->status) ? "exit code" : "signal",
		WIFEXITED(p->status) ? WEXITSTATUS(p->status) : WTERMSIG(p->status));
	return err_hint(err, "run it by hand to see what it says");
}

static int take_output(struct process *p, struct creds_context *c, struct creds *ret, struct err *err)
{
	static const struct creds_keys keys = {
		"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId", true,
	};
	auto_free char *what = xasprintf("the output of the credential_process of profile '%s'", p->profile);
	auto_free char *source = xasprintf("profile '%s' (credential_process)", p->profile);
	auto_creds_json *j = creds_json(&p->out, what, err);
	const json_t *version;

	if (!j)
		return -1;
	version = json_object_get(j, "Version");
	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return err_set(err, ERR_INVALID, "%s is not of version 1", what);
	if (creds_take(j, &keys, what, source, ret, err) < 0)
		return -1;
	if (!ret->account_id)
		ret->account_id = xstrdup_or_null(creds_profile_get(c, p->profile, "aws_account_id"));
	return 0;
}

int creds_from_process(struct creds_context *c, const char *profile, struct creds *ret, struct err *err)
{
	__attribute__((cleanup(process_release))) struct process p = {
		.sys = c->options->sys,
		.profile = profile,
		.fd = -1,
	};
	auto_strlist argv = { 0 };

	if (words_split(&argv, creds_profile_get(c, profile, "credential_process")) < 0 || argv.n == 0)
		return err_set(err, ERR_CONFIG, "the credential_process of profile '%s' has an open quote or no words",
			       profile);
	strlist_take(&argv, NULL);
	if (start(&p, argv.v, err) < 0)
		return -1;
	argv.n--;
	if (finish(&p, err) < 0 || take_output(&p, c, ret, err) < 0) {
		if (err->code == ERR_INVALID)
			err->code = ERR_AUTH;
		return -1;
	}
	return 1;
}
