#ifndef SMPIPE_TESTS_UNIT_SHELL_H
#define SMPIPE_TESTS_UNIT_SHELL_H

/* Running scripts, so that a program that everybody trusts can be the judge. For tests only. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

/* Run a script in folder; its output is a new string. A script that does not end with 0 ends the test. */
static inline char *shell(const char *folder, const char *script)
{
	const char *argv[] = { "sh", "-euc", script, NULL };
	posix_spawn_file_actions_t actions;
	auto_str out = { 0 };
	char buffer[4096];
	int ends[2], status;
	pid_t pid;
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, folder);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	assert_int_equal(posix_spawn(&pid, "/bin/sh", &actions, NULL, (char **)argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while ((n = read(ends[0], buffer, sizeof(buffer))) > 0)
		str_add_mem(&out, buffer, (size_t)n);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("script ended with status %d: %s", status, script);
	return str_detach(&out);
}

/* The same without output. */
static inline void run(const char *folder, const char *script)
{
	free(shell(folder, script));
}

#endif
