/*
 * Frames as evidence, as src/network/rows/frame-lists.ts: many short lists in a pool. A row keeps where its list begins and
 * ends, so that a frame is added without a look at the first.
 */
#ifndef LISTS_H
#define LISTS_H

#include "decode.h"
#include "table.h"

enum { MAX_LISTED = 64, MAX_ENTRIES = 1 << 17 };

struct entry {
	uint32_t number;
	int32_t offset, length;
	uint32_t next;
};

/* Entries from 1 on; 0 is none. */
struct list {
	uint32_t head, tail, count;
};

struct pool {
	struct entry *entries;
	uint32_t used, capacity, free, refused;
};

static COLD uint32_t pool_take_new(struct pool *pool)
{
	if (pool->used + 1 >= pool->capacity) {
		if (pool->capacity >= MAX_ENTRIES) {
			pool->refused++;
			return 0;
		}
		pool->capacity = pool->capacity == 0 ? 256 : pool->capacity * 2;
		pool->entries = realloc(pool->entries, pool->capacity * sizeof *pool->entries);
		if (pool->entries == NULL) {
			fprintf(stderr, "loop: out of memory\n");
			exit(1);
		}
	}
	return ++pool->used;
}

static inline void list_append(struct pool *pool, struct list *list, uint32_t number, int32_t offset, int32_t length)
{
	struct entry *entry;
	uint32_t at;
	if (list->count >= MAX_LISTED)
		return;
	if (pool->free != 0) {
		at = pool->free;
		pool->free = pool->entries[at].next;
	} else if (pool->used + 1 < pool->capacity) {
		at = ++pool->used;
	} else if ((at = pool_take_new(pool)) == 0) {
		return;
	}
	entry = &pool->entries[at];
	entry->number = number;
	entry->offset = offset;
	entry->length = length;
	entry->next = 0;
	if (list->count++ == 0)
		list->head = at;
	else
		pool->entries[list->tail].next = at;
	list->tail = at;
}

/* The header in `layer` as evidence. */
static inline void list_layer(struct pool *pool, struct list *list, const struct frame *f, int layer)
{
	list_append(pool, list, f->number, f->offsets[layer], f->ends[layer] - f->offsets[layer]);
}

static inline void list_release(struct pool *pool, struct list *list)
{
	if (list->count == 0)
		return;
	pool->entries[list->tail].next = pool->free;
	pool->free = list->head;
	memset(list, 0, sizeof *list);
}

/* Whether a count is one of 1, 2, 4, 8 …: when most things are told. */
static inline int is_power(uint32_t count)
{
	return (count & (count - 1)) == 0;
}

#endif
