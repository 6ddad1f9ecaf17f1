#ifndef SMPIPE_PIPELINE_CONFIG_YAML_H
#define SMPIPE_PIPELINE_CONFIG_YAML_H

/* Between the parts of the reader of smpipe.yaml: config.c, config_yaml.c, config_yaml_value.c. */

#include <yaml.h>

#include "pipeline/config.h"

#define CONFIG_MAX_DEPTH 32

struct reader {
	yaml_document_t document;
	struct config *config;
};

/* Fill c->values and the positions. */
int config_yaml_parse(const char *text, size_t n, struct config *c, struct err *err);
/* One value as a hyperparameter (config.h); c is for complaints only. *ret is a new reference. */
int config_yaml_value(const char *text, size_t n, struct config *c, json_t **ret, struct err *err);

void config_add_position(struct config *c, const char *path, int line, int column);
int config_error_at(const struct config *c, struct err *err, int line, int column, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* ERR_CONFIG at the node. Returns -1. */
int reader_complain(const struct reader *r, const yaml_node_t *node, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
const char *reader_scalar(const yaml_node_t *node);
bool reader_is_plain(const yaml_node_t *node);
/* Whether a scalar holds no NUL. */
bool reader_is_whole(const yaml_node_t *node);

/* SCHEMA_VALUE and SCHEMA_RAW. *ret is a new reference. */
int reader_read_value(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err);
int reader_read_raw(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err);

#endif
