/*
 * IP datagrams that passed lately, known again behind a router by a smaller TTL, as src/network/ip/datagrams.ts; of those
 * that go round (routing-loops.ts) only how often is counted.
 */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include "stations.h"

enum { DATAGRAM_SLOTS = 1 << 12 };

/* Half a cache line. */
struct datagram {
	uint64_t hash;
	int64_t time;
	uint32_t number;
	int32_t low;
	uint16_t high; /* the latest sender, with `low` */
	uint8_t ttl, sightings; /* up to 255 */
	uint32_t spare;
};

/* Of those that were seen more than once: the senders before, the latest first; high is -1 for none. */
struct datagram_way {
	struct mac senders[2];
	uint32_t number_before;
	uint8_t circles;
};

static struct datagram datagrams[DATAGRAM_SLOTS] __attribute__((aligned(64)));
static struct datagram_way datagram_ways[DATAGRAM_SLOTS];
static uint64_t datagrams_again, circling, circling_sightings;

static COLD void datagram_again(struct datagram *d, const struct frame *f, const struct link *link, int ttl)
{
	struct datagram_way *way = &datagram_ways[d - datagrams];
	struct mac before = { d->high, d->low };
	int comes_back;
	datagrams_again++;
	if (d->sightings == 1) {
		way->senders[0].high = way->senders[1].high = -1;
		way->circles = 0;
	}
	d->sightings += d->sightings < 255;
	/* A station that took but one off had it from itself: two devices with one MAC. */
	if (same(before, link->from))
		comes_back = d->ttl - ttl > 1;
	else
		comes_back = same(way->senders[0], link->from) || same(way->senders[1], link->from);
	if (comes_back && d->sightings > 2) {
		circling += !way->circles;
		way->circles = 1;
		circling_sightings++;
	}
	way->senders[1] = way->senders[0];
	way->senders[0] = before;
	way->number_before = d->number;
	d->ttl = (uint8_t)ttl;
	d->high = (uint16_t)link->from.high;
	d->low = link->from.low;
	d->number = f->number;
	d->time = f->time;
}

/* A unicast packet whose IP header is at `layer`. Hashed: what stays the same on the way, and eight bytes behind. */
static inline void datagrams_observe(const struct frame *f, int layer, const struct link *link)
{
	const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
	const uint8_t *p = f->bytes + f->offsets[layer];
	int end = f->ends[layer], ttl;
	struct datagram *d;
	uint64_t h, rest = end + 8 <= f->limits[layer] ? load64(f->bytes + end) : 0;
	if (f->kinds[layer] == IPV4) {
		/* Total length and identification, flags and fragment offset, protocol; addresses. */
		uint64_t about = load32(p + 2) | (uint64_t)(uint16_t)be16(p + 6) << 32 | (uint64_t)p[9] << 48;
		h = mix(about ^ k0, load64(p + 12) ^ k1);
		ttl = p[8];
	} else {
		uint64_t about = load32(p + 4) & 0xffffff;
		h = mix(load64(p + 8) ^ k0 ^ about, load64(p + 16) ^ k1);
		h ^= mix(load64(p + 24) ^ k1, load64(p + 32) ^ k0);
		ttl = p[7];
	}
	h = mix(h ^ k1, rest ^ k0 ^ (uint64_t)(uint32_t)link->segment << 32);
	d = &datagrams[h & (DATAGRAM_SLOTS - 1)];
	if (d->hash == h && f->time - d->time <= 10 * SECONDS) {
		/* The same TTL is a copy, a larger one is out of order or sent anew. */
		if (ttl < d->ttl)
			datagram_again(d, f, link, ttl);
		return;
	}
	d->hash = h;
	d->time = f->time;
	d->high = (uint16_t)link->from.high;
	d->low = link->from.low;
	d->ttl = (uint8_t)ttl;
	d->sightings = 1;
	d->number = f->number;
}

#endif
