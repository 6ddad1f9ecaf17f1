/* What a release says about its commit. */

#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "pipeline/git_internal.h"

void git_state_release(struct git_state *s)
{
	free(s->commit);
	free(s->tree);
	free(s->branch);
	free(s->remote);
	free(s->subject);
	strlist_release(&s->tags);
	strlist_release(&s->changes);
	*s = (struct git_state){ 0 };
}

int git_head_commit(struct git *g, git_commit **ret, struct err *err)
{
	auto_of(git_reference) *head = NULL;
	git_object *object = NULL;
	int rc = git_repository_head(&head, g->repo);

	if (rc == 0)
		rc = git_reference_peel(&object, head, GIT_OBJECT_COMMIT);
	if (rc < 0)
		return git_refuse(err, rc, "read the commit of HEAD in '%s'", g->workdir);
	*ret = (git_commit *)object;
	return 0;
}

static char *oid_text(const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1];

	return xstrdup(git_oid_tostr(hex, sizeof(hex), id));
}

static int read_commit(struct git *g, struct git_state *s, struct err *err)
{
	auto_of(git_commit) *commit = NULL;
	const char *subject;

	if (git_head_commit(g, &commit, err) < 0)
		return -1;
	subject = git_commit_summary(commit);
	s->commit = oid_text(git_commit_id(commit));
	s->tree = oid_text(git_commit_tree_id(commit));
	s->subject = str_printable(subject ? subject : "");
	s->commit_time = git_commit_time(commit);
	return 0;
}

static int read_branch(struct git *g, struct git_state *s, struct err *err)
{
	auto_of(git_reference) *head = NULL;
	int rc = git_repository_head(&head, g->repo);

	if (rc < 0)
		return git_refuse(err, rc, "read HEAD in '%s'", g->workdir);
	if (git_reference_is_branch(head))
		s->branch = str_printable(git_reference_shorthand(head));
	return 0;
}

/* Where the part behind user and password begins in what follows "://". */
static const char *skip_userinfo(const char *rest)
{
	const char *end = rest + strcspn(rest, "/?#");
	const char *at = memrchr(rest, '@', (size_t)(end - rest));
	const char *colon = memchr(rest, ':', (size_t)(end - rest));

	if (at)
		return at + 1;
	/* "user:pass/word@host": a ':' that no port follows shows that a password was cut at its '/'. */
	if (colon && strspn(colon + 1, "0123456789") != (size_t)(end - colon - 1) && (at = strrchr(end, '@')))
		return at + 1;
	return rest;
}

/* The URL without what may be secret. User names of ssh are no secret, and "git@" is part of how it is said. */
static char *scrub_url(const char *url)
{
	const char *rest = strstr(url, "://");
	const char *host;
	size_t scheme;
	bool is_ssh;

	if (!rest)
		return str_printable(url);
	rest += 3;
	scheme = (size_t)(rest - url);
	host = skip_userinfo(rest);
	is_ssh = str_starts(url, "ssh") || str_starts(url, "git+ssh");
	if (is_ssh && host > rest) {
		size_t user = strcspn(rest, ":@");
		auto_free char *text = xasprintf("%.*s%.*s@%s", (int)scheme, url, (int)user, rest, host);

		return str_printable(text);
	}
	/* A query or fragment of a clone URL can only be a token. */
	auto_free char *text = xasprintf("%.*s%.*s", (int)scheme, url, (int)strcspn(host, "?#"), host);

	return str_printable(text);
}

static int read_remote(struct git *g, struct git_state *s, struct err *err)
{
	auto_of(git_remote) *remote = NULL;
	git_strarray names = { 0 };
	int rc = git_remote_lookup(&remote, g->repo, "origin");

	if (rc == GIT_ENOTFOUND) {
		rc = git_remote_list(&names, g->repo);
		if (rc == 0 && names.count)
			rc = git_remote_lookup(&remote, g->repo, names.strings[0]);
		git_strarray_dispose(&names);
	}
	if (rc < 0)
		return git_refuse(err, rc, "read the remotes of '%s'", g->workdir);
	if (remote && git_remote_url(remote))
		s->remote = scrub_url(git_remote_url(remote));
	return 0;
}

static int read_tags(struct git *g, struct git_state *s, struct err *err)
{
	auto_of(git_reference_iterator) *refs = NULL;
	int rc = git_reference_iterator_glob_new(&refs, g->repo, "refs/tags/*");

	while (rc == 0) {
		auto_of(git_reference) *ref = NULL;
		auto_of(git_object) *target = NULL;
		auto_free char *id = NULL;

		rc = git_reference_next(&ref, refs);
		/* A tag of a tree or blob points at no commit. */
		if (rc < 0 || git_reference_peel(&target, ref, GIT_OBJECT_COMMIT) < 0)
			continue;
		id = oid_text(git_object_id(target));
		if (str_eq(id, s->commit))
			strlist_take(&s->tags, str_printable(git_reference_shorthand(ref)));
	}
	if (rc != GIT_ITEROVER)
		return git_refuse(err, rc, "read the tags of '%s'", g->workdir);
	strlist_sort(&s->tags);
	return 0;
}

/* libgit2 looks in the worktree's own folder, but the list of shallow commits is common to all worktrees. */
static bool is_shallow(struct git *g)
{
	auto_free char *path = fs_join(git_repository_commondir(g->repo), "shallow");
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

static int read_changes(struct git *g, struct git_state *s, struct err *err)
{
	git_changes_release(&g->seen);
	g->has_seen = false;
	if (git_read_changes(g, g->prefix, &g->seen, err) < 0)
		return -1;
	g->has_seen = true;
	for (size_t i = 0; i < g->seen.all.n; i++)
		strlist_add(&s->changes, g->seen.all.v[i] + strlen(g->prefix));
	s->untracked = g->seen.untracked;
	return 0;
}

int git_read_state(struct git *g, struct git_state *ret, struct err *err)
{
	struct git_state s = { 0 };

	if (read_commit(g, &s, err) < 0 || read_branch(g, &s, err) < 0 || read_remote(g, &s, err) < 0 ||
	    read_tags(g, &s, err) < 0 || read_changes(g, &s, err) < 0) {
		git_state_release(&s);
		return -1;
	}
	s.is_shallow = is_shallow(g);
	*ret = s;
	return 0;
}
