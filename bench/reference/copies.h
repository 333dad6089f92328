/*
 * The reflection detector of src/network/copies.ts: frames that come again at the same port within 100 ms,
 * from the destination MAC to the end of the packet, without VLAN tags and padding.
 */
#ifndef COPIES_H
#define COPIES_H

#include "decode.h"

enum { COPY_SLOTS = 1 << 15, COPY_HEAD = 128, COPY_STEP = 64 };
#define COPY_WINDOW 100000000LL

struct copy {
	uint64_t key;
	int64_t first, last;
	uint32_t first_number, last_number;
	int32_t base;
	uint32_t count;
};

static struct copy copies[COPY_SLOTS];
static uint64_t copies_seen;

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Sixteen bytes a multiplication. */
static inline uint64_t frame_hash(const struct frame *f, int at, int end)
{
	const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
	const uint8_t *p = f->bytes;
	int head = end - at > COPY_HEAD ? at + COPY_HEAD : end;
	uint64_t h = mix(load64(p) ^ k0, (load32(p + 8) | (uint64_t)(end - at) << 32) ^ k1);
	for (; at + 16 <= head; at += 16)
		h = mix(load64(p + at) ^ k0 ^ h, load64(p + at + 8) ^ k1);
	if (at + 8 <= head) {
		h = mix(load64(p + at) ^ k0 ^ h, k1);
		at += 8;
	}
	for (; at < head; at++)
		h = (h ^ p[at]) * k1;
	for (; at + 4 <= end; at += COPY_STEP)
		h = (h ^ load32(p + at)) * k1;
	return h ^ h >> 32;
}

/* Whether the frame is a copy; else it is remembered. */
static inline int copies_observe(const struct frame *f, int32_t base)
{
	struct copy *c;
	uint64_t key;
	int layer = 1, end = f->end;
	if (f->layers == 0 || f->statuses[0] != OK)
		return 0;
	while (layer < f->layers && f->kinds[layer] == VLAN)
		layer++;
	if (layer < f->layers) {
		if (f->kinds[layer] == ARP)
			end = f->ends[layer];
		else if (f->kinds[layer] == IPV4 || f->kinds[layer] == IPV6)
			end = f->limits[layer];
	}
	key = frame_hash(f, f->ends[layer - 1], end);
	c = &copies[key & (COPY_SLOTS - 1)];
	if (c->key == key && c->base == base && c->first_number != 0 && f->time - c->last <= COPY_WINDOW &&
	    f->time >= c->first - COPY_WINDOW) {
		c->count++;
		c->last = f->time;
		c->last_number = f->number;
		copies_seen++;
		return 1;
	}
	c->key = key;
	c->base = base;
	c->count = 0;
	c->first_number = f->number;
	c->first = c->last = f->time;
	return 0;
}

#endif
