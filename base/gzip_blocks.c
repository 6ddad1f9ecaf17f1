#include "base/gzip_blocks.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LITERALS     288
#define MAX_DISTANCES    32
#define LENGTH_CODES     19
#define LENGTH_CODE_BITS 7
#define END_OF_BLOCK     256
#define FIRST_LENGTH     257
#define PEEKED_BITS      57
/* A length's and a distance's code words with their extra bits. */
#define MAX_MATCH_BITS (15 + 5 + 15 + 13)

/* An entry of the tables: how many bits the symbol takes with those that follow it, and what it is. */
#define BITS      0x1f
#define IS_LENGTH 0x20
#define IS_END    0x40

struct stream {
	const unsigned char *p;
	size_t n;  /* bytes */
	size_t at; /* bit */
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* The next bits, at least PEEKED_BITS of them. */
static uint64_t peek(const struct stream *s)
{
	uint64_t v;

	memcpy(&v, s->p + s->at / 8, sizeof(v));
	return le64toh(v) >> s->at % 8;
}

static unsigned get(struct stream *s, unsigned bits)
{
	unsigned v = (unsigned)(peek(s) & ((1U << bits) - 1));

	s->at += bits;
	must(s->at <= 8 * s->n);
	return v;
}

typedef uint8_t (*entry_fn)(unsigned symbol, unsigned bits);

static uint8_t literal_entry(unsigned symbol, unsigned bits)
{
	unsigned extra = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4;

	if (symbol == END_OF_BLOCK)
		return (uint8_t)(bits | IS_END);
	return (uint8_t)(symbol < FIRST_LENGTH ? bits : (bits + extra) | IS_LENGTH);
}

static uint8_t distance_entry(unsigned symbol, unsigned bits)
{
	return (uint8_t)(bits + (symbol < 4 ? 0 : (symbol - 2) / 2));
}

static uint8_t length_code_entry(unsigned symbol, unsigned bits)
{
	return (uint8_t)(symbol << 3 | bits);
}

/* The code words stand in the stream with their first bit lowest: the next of the same number of bits in that order. */
static unsigned next_word(unsigned word, unsigned bits)
{
	unsigned bit = 1U << (bits - 1);

	while (word & bit)
		bit >>= 1;
	return bit ? (word & (bit - 1)) | bit : 0;
}

/*
 * Fill the table of a canonical code (section 3.2.2), indexed by the stream's next bits; returns the mask for them. The
 * words are entered by length; for each bit more the table doubles.
 */
static unsigned build(const uint8_t *lengths, unsigned n, entry_fn entry, uint8_t *table)
{
	unsigned size = 1, word = 0, longest = 0;

	for (unsigned i = 0; i < n; i++)
		longest = lengths[i] > longest ? lengths[i] : longest;
	table[0] = 0;
	for (unsigned bits = 1; bits <= longest; bits++) {
		memcpy(table + size, table, size);
		size *= 2;
		for (unsigned i = 0; i < n; i++) {
			if (lengths[i] != bits)
				continue;
			table[word] = entry(i, bits);
			word = next_word(word, bits);
		}
	}
	return size - 1;
}

/* The lengths of both codes, run-length coded by a code of their own (section 3.2.7). */
static void read_lengths(struct stream *s, uint8_t *lengths, unsigned n)
{
	static const uint8_t order[LENGTH_CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t own[LENGTH_CODES] = { 0 }, table[1 << LENGTH_CODE_BITS];
	unsigned n_own = get(s, 4) + 4, mask;

	for (unsigned i = 0; i < n_own; i++)
		own[order[i]] = (uint8_t)get(s, 3);
	mask = build(own, LENGTH_CODES, length_code_entry, table);
	for (unsigned i = 0; i < n;) {
		unsigned e = table[peek(s) & mask], symbol = e >> 3, repeat = 1;

		must(e != 0 && (symbol != 16 || i > 0));
		s->at += e & 7;
		if (symbol >= 16)
			repeat = symbol == 16 ? 3 + get(s, 2) : symbol == 17 ? 3 + get(s, 3) : 11 + get(s, 7);
		must(repeat <= n - i);
		memset(lengths + i, symbol < 16 ? (int)symbol : symbol == 16 ? lengths[i - 1] : 0, repeat);
		i += repeat;
	}
}

static void skip_codes(struct stream *s, const struct gzip_blocks *b, unsigned literal_mask, unsigned distance_mask)
{
	unsigned e;

	do {
		uint64_t next = peek(s);
		unsigned used = 0;

		/* Several literals, as long as a match would still be whole. */
		do {
			e = b->literals[next >> used & literal_mask];
			must(e != 0);
			used += e & BITS;
		} while (e < IS_LENGTH && used <= PEEKED_BITS - MAX_MATCH_BITS);
		if (e & IS_LENGTH) {
			unsigned d = b->distances[next >> used & distance_mask];

			must(d != 0);
			used += d;
		}
		s->at += used;
		must(s->at <= 8 * s->n);
	} while (!(e & IS_END));
}

static void skip_dynamic(struct stream *s, struct gzip_blocks *b)
{
	unsigned n_literals = get(s, 5) + 257, n_distances = get(s, 5) + 1;
	uint8_t lengths[MAX_LITERALS + MAX_DISTANCES];

	must(n_literals <= MAX_LITERALS);
	read_lengths(s, lengths, n_literals + n_distances);
	skip_codes(s, b, build(lengths, n_literals, literal_entry, b->literals),
		   build(lengths + n_literals, n_distances, distance_entry, b->distances));
}

/* Section 3.2.6. */
static void skip_fixed(struct stream *s, struct gzip_blocks *b)
{
	uint8_t lengths[MAX_LITERALS + MAX_DISTANCES];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	memset(lengths + MAX_LITERALS, 5, MAX_DISTANCES);
	skip_codes(s, b, build(lengths, MAX_LITERALS, literal_entry, b->literals),
		   build(lengths + MAX_LITERALS, MAX_DISTANCES, distance_entry, b->distances));
}

static void skip_stored(struct stream *s)
{
	unsigned length;

	s->at = (s->at + 7) / 8 * 8;
	length = get(s, 16);
	s->at += 16 + 8 * (size_t)length;
}

void gzip_blocks_find_last(struct gzip_blocks *b, const unsigned char *deflated, size_t n, size_t *ret_begin,
			   size_t *ret_end)
{
	struct stream s = { deflated, n, 0 };
	bool is_last;

	do {
		unsigned type;

		*ret_begin = s.at;
		is_last = get(&s, 1);
		type = get(&s, 2);
		must(type < 3);
		if (type == 0)
			skip_stored(&s);
		else if (type == 1)
			skip_fixed(&s, b);
		else
			skip_dynamic(&s, b);
		must(s.at <= 8 * n);
	} while (!is_last);
	*ret_end = s.at;
}
