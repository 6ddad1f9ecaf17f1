#ifndef SMPIPE_CMD_SHOW_TUNING_H
#define SMPIPE_CMD_SHOW_TUNING_H

/* What `smpipe show` tells of a tuning job besides what every record has. */

#include <jansson.h>

/* Strategy, objective and ranges as they were sent; at the end each training job with its values, and the best. */
void show_tuning(const json_t *statement);

#endif
