/*
 * Where SageMaker puts things into a training container and looks for results.
 *
 *   input/config/hyperparameters.json   what the job was started with
 *   input/data/<channel>/               the files of a channel
 *   model/                              becomes model.tar.gz
 *   output/data/                        becomes output.tar.gz
 *   output/failure                      why the job failed
 *
 * https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "failure.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct contract {
	char base[PATH_MAX / 2];
};

struct contract_path {
	char text[PATH_MAX];
};

/*
 * The base is /opt/ml, or what SAGEMAKER_BASE_DIR says: so the program runs, and is tested, outside
 * a container.
 */
int contract_init(struct contract *contract, struct failure *failure);

struct contract_path contract_hyperparameters(const struct contract *contract);
struct contract_path contract_channel(const struct contract *contract, const char *channel);

/* Was the job started with this channel? */
bool contract_has_channel(const struct contract *contract, const char *channel);

/*
 * Open a file below the base for writing ("model/model.txt"), making its folders. It gets its name
 * only with contract_close(): what SageMaker packs is a whole file or none.
 */
FILE *contract_create(const struct contract *contract, const char *name, struct failure *failure);
int contract_close(const struct contract *contract, const char *name, FILE *file, struct failure *failure);

/*
 * Tell SageMaker why: the reason as the only line of output/failure. There is nobody left to tell if
 * that fails.
 */
void contract_report(const struct contract *contract, const struct failure *failure);

#endif
