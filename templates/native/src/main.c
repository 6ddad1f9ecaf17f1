/*
 * The program of the training container: read what SageMaker laid out, train, and leave the model
 * where it is fetched.
 */
#include "contract.h"
#include "dataset.h"
#include "hyperparameters.h"
#include "model.h"
#include "trainer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct job {
	struct contract contract;
	struct hyperparameters hp;
	struct schema schema;
	struct dataset train, val, test;
	struct model model;
};

/* SageMaker stops a job with SIGTERM and waits two minutes; the model saved by then is kept. */
static volatile sig_atomic_t is_stopping;

static void on_terminate(int signal)
{
	(void)signal;
	is_stopping = 1;
}

static void catch_terminate(void)
{
	struct sigaction action = { .sa_handler = on_terminate, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
}

static int read_channel(struct job *job, const char *channel, struct dataset *data, struct failure *failure)
{
	struct contract_path folder = contract_channel(&job->contract, channel);

	if (dataset_read(data, &job->schema, folder.text, failure) < 0)
		return -1;
	printf("channel=%s rows=%zu\n", channel, data->n_rows);
	return 0;
}

static int read_inputs(struct job *job, struct failure *failure)
{
	struct contract_path hyperparameters = contract_hyperparameters(&job->contract);

	if (hyperparameters_read(&job->hp, hyperparameters.text, failure) < 0)
		return -1;
	printf("lr=%g epochs=%u batch_size=%u l2=%g seed=%u\n", job->hp.lr, job->hp.epochs, job->hp.batch_size,
	       job->hp.l2, job->hp.seed);
	if (read_channel(job, "train", &job->train, failure) < 0 || read_channel(job, "val", &job->val, failure) < 0)
		return -1;
	if (contract_has_channel(&job->contract, "test"))
		return read_channel(job, "test", &job->test, failure);
	return 0;
}

/* Only the training data say what standard means: the model must not know the others. */
static void standardise(struct job *job)
{
	model_init(&job->model, job->schema.n_features, job->schema.n_classes);
	dataset_measure(&job->train, job->model.mean, job->model.deviation);
	dataset_standardise(&job->train, job->model.mean, job->model.deviation);
	dataset_standardise(&job->val, job->model.mean, job->model.deviation);
	dataset_standardise(&job->test, job->model.mean, job->model.deviation);
}

/* One line for people and for the regular expressions in smpipe.yaml, and a row for plots. */
static int report_epoch(const struct job *job, unsigned epoch, FILE *table, struct failure *failure)
{
	double train_loss = trainer_evaluate(&job->model, &job->train).loss;
	struct score val = trainer_evaluate(&job->model, &job->val);

	if (!isfinite(train_loss))
		return fail(failure, "the loss is no longer finite after epoch %u: try a smaller lr than %g", epoch,
			    job->hp.lr);
	printf("epoch=%u train_loss=%.6f val_loss=%.6f f1_score/val=%.6f auroc/val=%.6f\n", epoch, train_loss, val.loss,
	       val.f1, val.auroc);
	fprintf(table, "%u,%.6f,%.6f,%.6f,%.6f\n", epoch, train_loss, val.loss, val.f1, val.auroc);
	return 0;
}

static int run_epochs(struct job *job, FILE *table, struct failure *failure)
{
	struct trainer trainer;
	unsigned epoch = 0;
	int status = 0;

	fputs("epoch,train_loss,val_loss,val_f1_score,val_auroc\n", table);
	trainer_init(&trainer, &job->model, &job->train, &job->hp);
	while (status == 0 && epoch < job->hp.epochs && !is_stopping) {
		trainer_epoch(&trainer);
		status = report_epoch(job, ++epoch, table, failure);
	}
	trainer_release(&trainer);
	if (status == 0 && is_stopping)
		printf("stopped by SIGTERM after epoch %u of %u\n", epoch, job->hp.epochs);
	return status;
}

static int train(struct job *job, struct failure *failure)
{
	static const char name[] = "output/data/metrics.csv";
	FILE *table = contract_create(&job->contract, name, failure);

	if (!table)
		return -1;

	/* The epochs before a failure are worth having, too. */
	int status = run_epochs(job, table, failure);
	struct failure of_table;

	if (contract_close(&job->contract, name, table, &of_table) < 0 && status == 0)
		return fail(failure, "%s", of_table.reason);
	return status;
}

static int save(const struct job *job, struct failure *failure)
{
	static const char name[] = "model/model.txt";
	FILE *file = contract_create(&job->contract, name, failure);

	if (!file)
		return -1;
	model_write(&job->model, &job->schema, file);
	if (contract_close(&job->contract, name, file, failure) < 0)
		return -1;
	printf("saved %s\n", name);
	return 0;
}

static void report_test(const struct job *job)
{
	if (job->test.n_rows == 0)
		return;

	struct score test = trainer_evaluate(&job->model, &job->test);

	printf("f1_score/test=%.6f auroc/test=%.6f\n", test.f1, test.auroc);
}

static int run(struct job *job, struct failure *failure)
{
	if (read_inputs(job, failure) < 0)
		return -1;
	standardise(job);
	if (train(job, failure) < 0 || save(job, failure) < 0)
		return -1;
	report_test(job);
	return 0;
}

static void release(struct job *job)
{
	schema_release(&job->schema);
	dataset_release(&job->train);
	dataset_release(&job->val);
	dataset_release(&job->test);
	model_release(&job->model);
}

int main(int argc, char **argv)
{
	struct job job = { 0 };
	struct failure failure;

	/* SageMaker starts the image with the one word `train`. */
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "train") != 0)) {
		fprintf(stderr, "usage: %s [train]\n", argv[0]);
		return 2;
	}
	/* The job's log is followed line by line while it runs. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	catch_terminate();

	int status = contract_init(&job.contract, &failure);

	if (status == 0 && (status = run(&job, &failure)) < 0)
		contract_report(&job.contract, &failure);
	if (status < 0)
		fprintf(stderr, "%s\n", failure.reason);
	release(&job);
	return status < 0 ? 1 : 0;
}
