#include <stdio.h>

#include "base/archive.h"
#include "base/gzip.h"
#include "base/http.h"
#include "cmd/cmd.h"
#include "pipeline/git.h"

int cmd_version(struct cmd *cmd, struct err *err)
{
	(void)err;
	printf("smpipe %s\n", SMPIPE_VERSION);
	if (opt_has(&cmd->opts, OPT_VERBOSE))
		printf("%s\n%s\n%s\n%s\njansson %s\n", http_library(), archive_library(), gzip_library(), git_library(),
		       jansson_version_str());
	return 0;
}
