#ifndef SMPIPE_S3_TRANSFER_INTERNAL_H
#define SMPIPE_S3_TRANSFER_INTERNAL_H

/* What s3/transfer (the loop), s3/transfer_upload (an object's steps) and s3/transfer_piece (one body) share. */

#include "base/hashers.h"
#include "s3/multipart.h"
#include "s3/parts.h"
#include "s3/pump.h"
#include "s3/transfer.h"

/* A body that small goes out in one write with its headers, from memory. libcurl's MAX_INITIAL_POST_SIZE. */
#define INLINE_BYTES ((uint64_t)64 * 1024 - 1)

struct engine;

/* One object on its way. */
struct upload {
	struct engine *engine;
	struct transfer_item item;
	int fd; /* of the file, while it is sent from there; else -1 */
	struct file_stamp stamp;
	struct s3_multipart m;        /* n is 0 for an object that is sent as it is */
	uint32_t n_planned, n_stored; /* parts given out; there */
	uint64_t stored_bytes;
	bool is_own;         /* the multipart upload was begun by this run */
	bool may_have_twins; /* CreateMultipartUpload was sent more than once */
	bool is_void;        /* the multipart upload is not to be had any more: its pieces are dropped */
	bool is_anew;        /* … and this is the second one */
	struct s3_checksum whole;
	struct digest
		*parts; /* of what was read, where the entry has the digest of its parts' digests, but not those */
	struct s3_checksum found; /* of an object that lies there and may be this one; NONE: there is none */
	struct str complete_body;
	struct s3_call call; /* about the object as a whole, one at a time */
	struct err lost;     /* why a look has to decide */
	struct upload *next_planned;
	struct upload *next, *previous; /* all that are under way */
};

/* One body on its way: an object, or a part of it. */
struct piece {
	struct hash_task hash; /* first */
	struct upload *of;
	uint32_t part;
	struct s3_checksum checksum;
	uint64_t n_read, n_counted; /* of the attempt that runs */
	char *sha256_hex;           /* signs the bytes; NULL: nobody knows it */
	struct s3_call call;
	struct piece *next, *previous; /* all that there are */
};

struct engine {
	struct s3 *s3;
	const struct transfer *spec;
	struct s3_pump *pump;
	struct hashers *hashers;
	struct upload *uploads; /* under way */
	int n_uploads;
	struct upload *planned_first, *planned_last; /* those with parts to give out */
	struct piece *pieces;
	int n_pieces, n_hashing;
	struct s3_uploads cut_off; /* uploads of earlier runs */
	bool has_looked;           /* … which were looked for */
	bool has_all;              /* there is no next item */
	bool has_failed;
	struct err err;
	uint64_t done_bytes;
	int64_t reported_ms;
	struct transfer_result result;
};

/* The first failure counts; err is emptied. */
void engine_fail(struct engine *e, struct err *err);
/* Bytes that went out, or (negative) have to go again. */
void engine_count(struct engine *e, int64_t bytes, const char *name);

/* Begin with the next object; takes over what item owns. */
void upload_begin(struct engine *e, struct transfer_item *item);
/* Give out the next part of an object that is in the list of those with parts left. */
void upload_give_part(struct upload *u);
/* A piece of the object is there. */
void upload_piece_stored(struct upload *u, struct piece *p);
/* Only a checksum of the whole tells whether the object lies there: true when the piece with it needs no more sending.
 */
bool upload_settle(struct upload *u, struct piece *p);
/*
 * Whether err says that another program completed, dropped or overwrote what this one sends too. The object is begun
 * anew then, once, in an upload of its own, as soon as every piece was dropped.
 */
bool upload_is_lost(struct upload *u, const struct err *err);
/*
 * Whether an answer tells that the upload, which an earlier run began, has another encryption than is asked for. It is
 * begun anew then in the same way.
 */
bool upload_is_otherwise(struct upload *u, const struct http_response *resp);
void upload_drop_piece(struct upload *u, struct piece *p);
/* The answer to the piece that is the whole object was lost. */
void upload_look(struct upload *u, struct err *lost);
void upload_free(struct upload *u);

/* Hash and send one part, or with m.n 0 the whole. */
void piece_begin(struct upload *u, uint32_t part);
void piece_hashed(struct piece *p);
void piece_free(struct piece *p);

#endif
