/*
 * The table of src/network: rows found by the four 32-bit words they begin with, dense in the order of their arrival,
 * behind an index with open addressing and linear probing; grows by doubling, then gives up its oldest row. The index
 * keeps each row's hash, so that foreign rows are passed over, moved and taken out unseen.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLD __attribute__((cold, noinline))

struct key {
	uint64_t low, high;
};

struct slot {
	uint32_t hash, row; /* row + 1, 0 is free */
};

struct table {
	char *rows_at; /* each begins with its key; on a cache line's edge */
	struct slot *index;
	uint32_t mask, rows, capacity, maximum, stride, victim;
	uint32_t evicted;
	void (*on_evict)(uint32_t row);
	uint32_t (*need_of)(uint32_t row); /* how much trouble a row shows; NULL: none says it */
};

enum { CANDIDATES = 8 };

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* One multiplication to 128 bits, as in wyhash: cheaper than four of 32 bits. */
static inline uint32_t key_hash(struct key key)
{
	uint64_t h = mix(key.low ^ 0xa0761d6478bd642fULL, key.high ^ 0xe7037ed1a0b428dbULL);
	return (uint32_t)(h ^ h >> 32);
}

static inline struct key key_of(int32_t a, int32_t b, int32_t c, int32_t d)
{
	struct key key = { (uint32_t)a | (uint64_t)(uint32_t)b << 32, (uint32_t)c | (uint64_t)(uint32_t)d << 32 };
	return key;
}

static inline int key_is(const void *row, struct key key)
{
	const struct key *own = row;
	return own->low == key.low && own->high == key.high;
}

static void table_link(struct table *t, uint32_t hash, uint32_t row)
{
	uint32_t at = hash & t->mask;
	while (t->index[at].row != 0)
		at = (at + 1) & t->mask;
	t->index[at].hash = hash;
	t->index[at].row = row + 1;
}

static COLD void table_reserve(struct table *t, uint32_t capacity)
{
	uint32_t slots = 1, old_slots = t->index != NULL ? t->mask + 1 : 0, i;
	struct slot *old = t->index;
	char *rows_at;
	while (slots < capacity * 2)
		slots <<= 1;
	rows_at = aligned_alloc(64, ((size_t)capacity * t->stride + 63) & ~(size_t)63);
	t->index = calloc(slots, sizeof *t->index);
	if (rows_at == NULL || t->index == NULL) {
		fprintf(stderr, "loop: out of memory\n");
		exit(1);
	}
	if (t->rows > 0)
		memcpy(rows_at, t->rows_at, (size_t)t->rows * t->stride);
	free(t->rows_at);
	t->rows_at = rows_at;
	t->capacity = capacity;
	t->mask = slots - 1;
	for (i = 0; i < old_slots; i++)
		if (old[i].row != 0)
			table_link(t, old[i].hash, old[i].row - 1);
	free(old);
}

static void table_init(struct table *t, uint32_t stride, uint32_t maximum, void (*on_evict)(uint32_t))
{
	t->stride = stride;
	t->maximum = maximum;
	t->on_evict = on_evict;
	table_reserve(t, 64);
}

/* Closes the gap as Knuth's algorithm R (6.4). */
static void table_unlink(struct table *t, uint32_t row)
{
	uint32_t gap = key_hash(*(struct key *)(t->rows_at + (size_t)row * t->stride)) & t->mask, next;
	while (t->index[gap].row != row + 1)
		gap = (gap + 1) & t->mask;
	for (next = (gap + 1) & t->mask; t->index[next].row != 0; next = (next + 1) & t->mask) {
		if (((next - t->index[next].hash) & t->mask) < ((next - gap) & t->mask))
			continue;
		t->index[gap] = t->index[next];
		gap = next;
	}
	t->index[gap].row = 0;
}

/* Where the search for the row to give up begins: as `hash` in src/network/rows/key-table.ts, of how many there were and the bound. */
static uint32_t victims_begin(uint32_t evicted, uint32_t maximum)
{
	uint32_t h = (evicted ^ 0x2c1b3c6d) * 0x85ebca6b;
	h = ((h ^ maximum) + (h >> 15)) * 0xc2b2ae35;
	h = (h + (h >> 13)) * 0x27d4eb2f;
	h = (h + (h >> 16)) * 0x165667b1;
	return (h ^ h >> 15) & 0xfffffff;
}

static COLD uint32_t least_needed(const struct table *t)
{
	uint32_t start = victims_begin(t->evicted, t->maximum), least = start % t->maximum, need = t->need_of(least), i;
	for (i = 1; need > 0 && i < CANDIDATES; i++) {
		uint32_t row = (start + i) % t->maximum, other = t->need_of(row);
		if (other < need) {
			least = row;
			need = other;
		}
	}
	return least;
}

static __attribute__((noinline)) void *table_insert(struct table *t, struct key key, uint32_t hash)
{
	uint32_t row;
	char *cells;
	if (t->rows < t->maximum) {
		if (t->rows == t->capacity)
			table_reserve(t, t->capacity * 2 < t->maximum ? t->capacity * 2 : t->maximum);
		row = t->rows++;
	} else {
		row = t->need_of != NULL && t->need_of(t->victim) > 0 ? least_needed(t) : t->victim;
		t->victim = t->victim + 1 == t->maximum ? 0 : t->victim + 1;
		t->evicted++;
		if (t->on_evict != NULL)
			t->on_evict(row);
		table_unlink(t, row);
	}
	cells = t->rows_at + (size_t)row * t->stride;
	memset(cells, 0, t->stride);
	memcpy(cells, &key, sizeof key);
	table_link(t, hash, row);
	return cells;
}

/* The row with this key, NULL if there is none. `stride` is the table's, given again so that it is a constant. */
static inline void *table_find(const struct table *t, uint32_t stride, struct key key, uint32_t hash)
{
	uint32_t at = hash & t->mask;
	for (; t->index[at].row != 0; at = (at + 1) & t->mask) {
		char *row = t->rows_at + (size_t)(t->index[at].row - 1) * stride;
		if (t->index[at].hash == hash && key_is(row, key))
			return row;
	}
	return NULL;
}

/* The row that another table remembers (0 is none) if it still has this key, else NULL: found without a look-up. */
static inline void *table_hinted(const struct table *t, uint32_t stride, uint32_t hint, struct key key)
{
	char *row;
	if (hint == 0)
		return NULL;
	row = t->rows_at + (size_t)(hint - 1) * stride;
	return key_is(row, key) ? row : NULL;
}

/* For the tables below: `struct name` in the table `names`. Rows move when one is added to their table. */
#define AT(table, type, row) ((struct type *)(table).rows_at + (row))
#define NUMBER(table, type, row) ((uint32_t)((struct type *)(row) - (struct type *)(table).rows_at))
#define FIND(table, type, key) ((struct type *)table_find(&(table), sizeof(struct type), key, key_hash(key)))
#define FIND_BY(table, type, key, hash) ((struct type *)table_find(&(table), sizeof(struct type), key, hash))
#define HINTED(table, type, hint, key) ((struct type *)table_hinted(&(table), sizeof(struct type), hint, key))
#define INSERT(table, type, key) ((struct type *)table_insert(&(table), key, key_hash(key)))
#define INSERT_BY(table, type, key, hash) ((struct type *)table_insert(&(table), key, hash))
#define ADD(table, type, key) ((struct type *)table_add(&(table), sizeof(struct type), key))
#define INIT(table, type, maximum, on_evict) table_init(&(table), sizeof(struct type), maximum, on_evict)

/* The row with this key, made if there is none. */
static inline void *table_add(struct table *t, uint32_t stride, struct key key)
{
	uint32_t hash = key_hash(key);
	void *row = table_find(t, stride, key, hash);
	return row != NULL ? row : table_insert(t, key, hash);
}

#endif
