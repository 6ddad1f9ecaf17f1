#include "cmd/cmd.h"
int cmd_get(struct cmd *cmd, struct err *err)
{
	(void)cmd;
	return err_set(err, ERR_USAGE, "not yet");
}
