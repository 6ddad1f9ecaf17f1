#include "contract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int contract_init(struct contract *contract, struct failure *failure)
{
	const char *base = getenv("SAGEMAKER_BASE_DIR");

	if (!base || !*base)
		base = "/opt/ml";
	if (strlen(base) >= sizeof(contract->base))
		return fail(failure, "SAGEMAKER_BASE_DIR is too long");
	memcpy(contract->base, base, strlen(base) + 1);
	return 0;
}

static struct contract_path join(const struct contract *contract, const char *folder, const char *name,
				 const char *ending)
{
	struct contract_path path;

	snprintf(path.text, sizeof(path.text), "%s/%s%s%s", contract->base, folder, name, ending);
	return path;
}

struct contract_path contract_hyperparameters(const struct contract *contract)
{
	return join(contract, "input/config/", "hyperparameters.json", "");
}

struct contract_path contract_channel(const struct contract *contract, const char *channel)
{
	return join(contract, "input/data/", channel, "");
}

bool contract_has_channel(const struct contract *contract, const char *channel)
{
	struct contract_path path = contract_channel(contract, channel);
	struct stat st;

	return stat(path.text, &st) == 0 && S_ISDIR(st.st_mode);
}

static int make_parents(const struct contract_path *path, struct failure *failure)
{
	struct contract_path folder = *path;

	for (char *slash = strchr(folder.text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder.text, 0777) < 0 && errno != EEXIST)
			return fail(failure, "make folder '%s': %s", folder.text, strerror(errno));
		*slash = '/';
	}
	return 0;
}

FILE *contract_create(const struct contract *contract, const char *name, struct failure *failure)
{
	struct contract_path path = join(contract, "", name, ".new");

	if (make_parents(&path, failure) < 0)
		return NULL;

	FILE *file = fopen(path.text, "w");

	if (!file)
		fail(failure, "create '%s': %s", path.text, strerror(errno));
	return file;
}

int contract_close(const struct contract *contract, const char *name, FILE *file, struct failure *failure)
{
	struct contract_path unfinished = join(contract, "", name, ".new");
	struct contract_path path = join(contract, "", name, "");
	bool is_broken = ferror(file);

	/* A full disk may show only here. */
	if (fclose(file) != 0 || is_broken)
		return fail(failure, "write '%s': %s", path.text, strerror(errno));
	if (rename(unfinished.text, path.text) < 0)
		return fail(failure, "rename '%s' to '%s': %s", unfinished.text, path.text, strerror(errno));
	return 0;
}

void contract_report(const struct contract *contract, const struct failure *failure)
{
	struct failure ignored;
	FILE *file = contract_create(contract, "output/failure", &ignored);

	if (!file)
		return;
	fprintf(file, "%s\n", failure->reason);
	contract_close(contract, "output/failure", file, &ignored);
}
