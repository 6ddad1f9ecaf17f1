#ifndef SMPIPE_PIPELINE_PROJECT_H
#define SMPIPE_PIPELINE_PROJECT_H

/*
 * What a release is made of on this machine: smpipe.yaml, the commit, and the files of context, source and data with
 * their digests. Reading it changes nothing and needs neither network nor credentials.
 */

#include <stdbool.h>

#include "base/filelist.h"
#include "pipeline/config.h"
#include "pipeline/git.h"
#include "s3/snapshot.h"

enum channel_kind {
	CHANNEL_LOCAL,       /* a path on this machine: a snapshot of it is uploaded */
	CHANNEL_S3,          /* what an s3:// path names is used as it is */
	CHANNEL_FILE_SYSTEM, /* EFS or FSx for Lustre */
	CHANNEL_DATASET,     /* a data set of a hub */
};

struct channel {
	const char *name;       /* borrowed from the configuration */
	const json_t *settings; /* the mapping in smpipe.yaml; borrowed */
	enum channel_kind kind;
	const char *path; /* of the local and S3 kinds: as written, without file://; borrowed */
	/* When local: */
	struct scan_options scan;    /* what of it is taken */
	struct filelist files;       /* sorted and hashed */
	struct snapshot_facts facts; /* of reading them */
	struct digest tree;
};

struct project {
	struct config config;
	struct git *git;
	struct git_state state;
	char *state_dir; /* <root>/.smpipe */

	bool builds_image; /* else image.uri is used, or image.algorithm_name, or the job is serverless and has none */
	struct filelist context; /* when builds_image: sorted and hashed */
	struct digest context_tree;
	char *dockerfile;     /* path within the context */
	struct strlist bases; /* images that the Dockerfile starts from */

	bool packs_source;    /* code from this machine is packed; else there is none, or it lies in S3 */
	bool delivers_source; /* there is code to deliver, packed here or lying in S3 */
	struct filelist source;
	struct digest source_tree;

	struct channel *channels;
	size_t n_channels;

	struct strlist dirty;     /* files that feed this release and differ from the commit, sorted */
	struct strlist untracked; /* files that are packed or built in though git does not track them, sorted */

	const struct report *report; /* told how far reading the channels is; may be NULL; set after project_open */
};

#define auto_project __attribute__((cleanup(project_release))) struct project

/* What kind of channel the settings of name make. ERR_CONFIG. *ret borrows from both. */
int channel_open(const struct config *c, const char *name, const json_t *settings, struct channel *ret,
		 struct err *err);

/* Configuration and commit only. file NULL: discover. */
int project_open(const char *file, const char *environment, struct project *ret, struct err *err);

/* The files and their digests. Some classes of bad input and their words: ecr/context.h, s3/pack.h, s3/snapshot.h. */
int project_read_files(struct project *p, struct err *err);

/* What smpipe.yaml says of the channels; no file is read. */
int project_open_channels(struct project *p, struct err *err);

/*
 * Read one local channel. Digests come from its index below .smpipe where that vouches for them (s3/index.h), what was
 * read is not kept.
 */
int project_read_channel(const struct project *p, struct channel *c, struct err *err);

/* Keep what reading the local channels took, so that the next time is quicker. Small channels are not worth it. */
int project_keep_indexes(const struct project *p, struct err *err);
/* A file of the channel was not what its digest said: the next time all are read. */
void project_forget_index(const struct project *p, const struct channel *c);

/* Only the files of the source archive; the rest stays unread. */
int project_read_source(struct project *p, struct err *err);

/* ERR_CONFIG that names the dirty files, unless allow_dirty. */
int project_check_clean(const struct project *p, bool allow_dirty, struct err *err);

/* Make .smpipe with its .gitignore. */
int project_make_state_dir(const struct project *p, struct err *err);

void project_release(struct project *p);

#endif
