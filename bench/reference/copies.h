/*
 * Frames that come again at the same port within 100 ms, as src/network/link/copies.ts: from the destination MAC to the end
 * of the packet, without VLAN tags and padding. And what the capture shows of its own making (capture-quality.ts).
 */
#ifndef COPIES_H
#define COPIES_H

#include "decode.h"
#include "table.h"

enum { COPY_ROWS = 1 << 15, COPY_HEAD = 128, COPY_STEP = 64, LONGEST_ON_WIRE = 1522, MAX_EXAMPLES = 16 };
#define COPY_WINDOW (100 * MILLISECONDS)
#define DISORDER (100 * MILLISECONDS)

struct copy {
	uint64_t hash;
	int64_t first, last;
	uint32_t first_number, last_number;
	int32_t base;
	uint32_t count;
	int32_t direction;
};

/* By hash: the row, and above it more of the hash. Small enough for the cache, while rows are written one behind the other. */
static uint32_t copy_index[COPY_ROWS];
static struct copy copies[COPY_ROWS];
static uint32_t copy_next;
static uint64_t copies_reflected, copies_others;

struct examples {
	uint64_t count;
	uint32_t numbers[MAX_EXAMPLES];
};

static struct examples snapped, disordered, oversized;
static int64_t latest = NEVER, longest_back;
static int shortest = INT32_MAX, longest;

/* Sixteen bytes a multiplication, in two lanes that do not wait for each other. */
static inline uint64_t frame_hash(const struct frame *f, int at, int end, int32_t base)
{
	const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
	const uint8_t *p = f->bytes;
	int head = end - at > COPY_HEAD ? at + COPY_HEAD : end;
	uint64_t h = mix(load64(p) ^ k0, (load32(p + 8) | (uint64_t)(uint32_t)(end - at) << 32) ^ k1);
	uint64_t g = (uint64_t)(base + 1) * k0;
	for (; at + 32 <= head; at += 32) {
		h = mix(load64(p + at) ^ k0 ^ h, load64(p + at + 8) ^ k1);
		g = mix(load64(p + at + 16) ^ k0 ^ g, load64(p + at + 24) ^ k1);
	}
	if (at + 16 <= head) {
		h = mix(load64(p + at) ^ k0 ^ h, load64(p + at + 8) ^ k1);
		at += 16;
	}
	if (at + 8 <= head) {
		g = mix(load64(p + at) ^ k0 ^ g, k1);
		at += 8;
	}
	for (; at < head; at++)
		h = (h ^ p[at]) * k1;
	for (; at + 4 <= end; at += COPY_STEP)
		h = (h ^ load32(p + at)) * k1;
	return mix(h ^ k0, g ^ k1);
}

/* Whether the frame is a copy; else it is remembered. */
static inline int copies_observe(const struct frame *f, int32_t base)
{
	struct copy *c;
	uint64_t hash;
	uint32_t at, above;
	int layer = 1, end = f->end;
	while (layer < f->layers && f->kinds[layer] == VLAN)
		layer++;
	if (layer < f->layers) {
		if (f->kinds[layer] == ARP)
			end = f->ends[layer];
		else if (f->kinds[layer] == IPV4 || f->kinds[layer] == IPV6)
			end = f->limits[layer];
	}
	hash = frame_hash(f, f->ends[layer - 1], end, base);
	at = hash & (COPY_ROWS - 1);
	above = (uint32_t)(hash >> 32) & ~(uint32_t)(COPY_ROWS - 1);
	if (((copy_index[at] ^ above) & ~(uint32_t)(COPY_ROWS - 1)) == 0) {
		c = &copies[copy_index[at] & (COPY_ROWS - 1)];
		if (c->hash == hash && c->base == base && c->first_number != 0 && f->time - c->last <= COPY_WINDOW &&
		    f->time >= c->first - COPY_WINDOW) {
			c->count++;
			c->last = f->time;
			c->last_number = f->number;
			if (c->direction == 2 && f->direction == 1)
				copies_reflected++;
			else
				copies_others++;
			return 1;
		}
	}
	copy_index[at] = above | copy_next;
	c = &copies[copy_next];
	copy_next = (copy_next + 1) & (COPY_ROWS - 1);
	c->hash = hash;
	c->base = base;
	c->count = 0;
	c->direction = f->direction;
	c->first_number = c->last_number = f->number;
	c->first = c->last = f->time;
	return 0;
}

static COLD void note_example(struct examples *examples, uint32_t number)
{
	if (examples->count++ < MAX_EXAMPLES)
		examples->numbers[examples->count - 1] = number;
}

static inline void observe_quality(const struct frame *f)
{
	if (f->end < f->wire_length) {
		note_example(&snapped, f->number);
		if (f->end < shortest)
			shortest = f->end;
	}
	if (f->time > latest) {
		latest = f->time;
	} else if (latest - f->time > DISORDER) {
		note_example(&disordered, f->number);
		if (latest - f->time > longest_back)
			longest_back = latest - f->time;
	}
	if (f->wire_length > LONGEST_ON_WIRE) {
		note_example(&oversized, f->number);
		if (f->wire_length > longest)
			longest = f->wire_length;
	}
}

#endif
