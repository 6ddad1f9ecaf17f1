#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/schema.h"

int cmd_config(struct cmd *cmd, struct err *err)
{
	auto_free char *file = NULL;
	auto_config c = { 0 };

	if (opt_has(&cmd->opts, OPT_SCHEMA)) {
		json_t *schema = schema_json();

		cmd_print_json(schema);
		json_decref(schema);
		return 0;
	}
	if (opt_has(&cmd->opts, OPT_REFERENCE)) {
		auto_free char *page = schema_reference();

		fputs(page, stdout);
		return 0;
	}
	file = opt_has(&cmd->opts, OPT_FILE) ? xstrdup(opt_get(&cmd->opts, OPT_FILE)) : config_discover(err);
	if (!file || config_load(file, opt_get(&cmd->opts, OPT_ENVIRONMENT), &c, err) < 0 ||
	    cmd_set_parameters(cmd, &c, err) < 0)
		return -1;
	cmd_print_json(c.values);
	return 0;
}
