/*
 * The table of src/network: rows found by the four 32-bit words they begin with, dense in the order of their arrival,
 * behind an index with open addressing and linear probing; grows by doubling, then gives up its oldest row.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	char *rows_at; /* each begins with its key, 16 bytes */
	uint32_t *index; /* row + 1, 0 is free */
	uint32_t mask, rows, capacity, maximum, stride, victim;
	uint64_t evicted;
	void (*on_evict)(uint32_t row);
};

struct key {
	uint64_t low, high;
};

/* One multiplication to 128 bits, as in wyhash: cheaper than four of 32 bits. */
static inline uint32_t key_hash(struct key key)
{
	__uint128_t m = (__uint128_t)(key.low ^ 0xa0761d6478bd642fULL) * (key.high ^ 0xe7037ed1a0b428dbULL);
	uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64);
	return (uint32_t)(h ^ h >> 32);
}

static inline uint32_t table_home(const struct table *t, uint32_t row)
{
	return key_hash(*(const struct key *)(t->rows_at + (size_t)row * t->stride)) & t->mask;
}

static void table_reserve(struct table *t, uint32_t capacity)
{
	uint32_t slots = 1, row;
	while (slots < capacity * 2)
		slots <<= 1;
	t->capacity = capacity;
	t->rows_at = realloc(t->rows_at, (size_t)capacity * t->stride);
	free(t->index);
	t->index = calloc(slots, sizeof *t->index);
	if (t->rows_at == NULL || t->index == NULL) {
		fprintf(stderr, "loop: out of memory\n");
		exit(1);
	}
	t->mask = slots - 1;
	for (row = 0; row < t->rows; row++) {
		uint32_t slot = table_home(t, row);
		while (t->index[slot] != 0)
			slot = (slot + 1) & t->mask;
		t->index[slot] = row + 1;
	}
}

static void table_init(struct table *t, uint32_t stride, uint32_t maximum, void (*on_evict)(uint32_t))
{
	memset(t, 0, sizeof *t);
	t->stride = stride;
	t->maximum = maximum;
	t->on_evict = on_evict;
	table_reserve(t, 64);
}

/* Closes the gap as Knuth's algorithm R (6.4). */
static void table_unlink(struct table *t, uint32_t row)
{
	uint32_t gap = table_home(t, row), next;
	while (t->index[gap] != row + 1)
		gap = (gap + 1) & t->mask;
	for (next = (gap + 1) & t->mask; t->index[next] != 0; next = (next + 1) & t->mask) {
		uint32_t home = table_home(t, t->index[next] - 1);
		if (((next - home) & t->mask) < ((next - gap) & t->mask))
			continue;
		t->index[gap] = t->index[next];
		gap = next;
	}
	t->index[gap] = 0;
}

static __attribute__((noinline)) void *table_insert(struct table *t, struct key key)
{
	uint32_t row, slot;
	char *cells;
	if (t->rows < t->maximum) {
		if (t->rows == t->capacity)
			table_reserve(t, t->capacity * 2 < t->maximum ? t->capacity * 2 : t->maximum);
		row = t->rows++;
	} else {
		row = t->victim;
		t->victim = (row + 1) % t->maximum;
		t->evicted++;
		if (t->on_evict != NULL)
			t->on_evict(row);
		table_unlink(t, row);
	}
	cells = t->rows_at + (size_t)row * t->stride;
	memset(cells, 0, t->stride);
	memcpy(cells, &key, sizeof key);
	slot = key_hash(key) & t->mask;
	while (t->index[slot] != 0)
		slot = (slot + 1) & t->mask;
	t->index[slot] = row + 1;
	return cells;
}

static inline struct key key_of(int32_t a, int32_t b, int32_t c, int32_t d)
{
	struct key key = { (uint32_t)a | (uint64_t)(uint32_t)b << 32, (uint32_t)c | (uint64_t)(uint32_t)d << 32 };
	return key;
}

/* The row with this key, NULL if there is none. `stride` is the table's, given again so that it is a constant. */
static inline void *table_find(const struct table *t, uint32_t stride, struct key key)
{
	uint32_t slot = key_hash(key) & t->mask, row;
	while ((row = t->index[slot]) != 0) {
		struct key *found = (struct key *)(t->rows_at + (size_t)(row - 1) * stride);
		if (found->low == key.low && found->high == key.high)
			return found;
		slot = (slot + 1) & t->mask;
	}
	return NULL;
}

/* The row with this key, made if there is none; rows move when one is made. */
static inline void *table_add(struct table *t, uint32_t stride, struct key key)
{
	void *row = table_find(t, stride, key);
	return row != NULL ? row : table_insert(t, key);
}

static inline int32_t table_row(const struct table *t, uint32_t stride, const void *row)
{
	return (int32_t)(((const char *)row - t->rows_at) / stride);
}

#endif
