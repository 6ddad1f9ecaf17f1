#include "pipeline/image_uri.h"

#include <string.h>

#include "base/mem.h"
#include "ecr/reference.h"

/* The caret of reference_parse() stands below the reference; here it stands below the line of smpipe.yaml. */
static int wrong_reference(const struct config *c, struct err *err)
{
	auto_free char *words = xstrndup(err->msg, strcspn(err->msg, "\n"));
	const char *caret = strrchr(err->msg, '\n');
	size_t offset = caret ? strspn(caret + 1, " ") : 0;

	/* The parser indents by two. */
	return config_error_inside(c, err, "image.uri", offset > 2 ? offset - 2 : 0, "%s", words);
}

int image_uri_pinned(const struct config *c, char **ret, struct err *err)
{
	const char *uri = config_str(c, "image.uri");
	auto_reference reference = { 0 };

	if (reference_parse(uri, &reference, err) < 0)
		return wrong_reference(c, err);
	if (!reference.digest) {
		config_error(c, err, "image.uri", "'%s' is not pinned: a tag can be moved", uri);
		return err_hint(err, "write it with its digest: repository@sha256:…");
	}
	*ret = reference_format(reference.host, reference.repository, NULL, reference.digest);
	return 0;
}
