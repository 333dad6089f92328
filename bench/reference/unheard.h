/*
 * Unicast to stations that are not heard meanwhile, as src/network/neighbors/unheard.ts: a row describes the run of frames since
 * the destination was last heard as a source, or paused a second.
 */
#ifndef UNHEARD_H
#define UNHEARD_H

#include "stations.h"

enum { MAX_UNHEARD = 1 << 14, LISTED_FROM = 16, LISTED_TO = 32, TOLD_FROM = 64 };

struct unheard {
	struct key key; /* segment, high, low, 0 */
	int64_t first, last;
	uint32_t count, heard, between, number;
	struct mac sender;
	uint32_t station;
	int32_t address;
	struct list list;
	uint32_t spare[13];
};

static struct table unheards;
static struct pool unheard_lists;
static uint64_t unheard_told;

static void unheard_forget(uint32_t row)
{
	list_release(&unheard_lists, &AT(unheards, unheard, row)->list);
}

static COLD struct unheard *unheard_of(const struct link *link)
{
	struct station *station = AT(stations, station, link->receiver);
	struct unheard *u = FIND(unheards, unheard, station->key);
	if (u == NULL) {
		u = INSERT(unheards, unheard, station->key);
		u->station = link->receiver;
		u->heard = station->sent;
	}
	station->unheard = NUMBER(unheards, unheard, u) + 1;
	return u;
}

static COLD int32_t unheard_address(const struct frame *f, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	if (layer < f->layers && f->kinds[layer] == IPV4)
		return ipv4_number(be32(p + 16));
	return layer < f->layers && f->kinds[layer] == IPV6 ? ipv6_number(p + 24) : -1;
}

/* A unicast frame that did not go out here; its packet is in `layer`. */
static inline void unheard_observe(const struct frame *f, int layer, const struct link *link)
{
	const struct station *station = AT(stations, station, link->receiver);
	struct unheard *u = HINTED(unheards, unheard, station->unheard, station->key);
	uint32_t count;
	if (u == NULL) {
		u = unheard_of(link);
		station = AT(stations, station, link->receiver);
	}
	if (station->sent != u->heard || f->time - u->last > SECONDS || u->count == 0) {
		u->between += station->sent != u->heard;
		u->heard = station->sent;
		u->count = 1;
		u->sender = link->from;
		u->first = u->last = f->time;
		u->number = f->number;
		return;
	}
	count = ++u->count;
	u->last = f->time;
	if (count < LISTED_FROM)
		return;
	if (count == LISTED_FROM) {
		list_release(&unheard_lists, &u->list);
		u->address = unheard_address(f, layer);
	}
	if (count < LISTED_TO)
		list_append(&unheard_lists, &u->list, f->number, 0, f->ends[0]);
	else if (count >= TOLD_FROM && is_power(count))
		unheard_told++;
}

static void unheard_finish(void)
{
	uint32_t row;
	for (row = 0; row < unheards.rows; row++)
		unheard_told += AT(unheards, unheard, row)->count >= TOLD_FROM;
}

#endif
