/*
 * Requests by unicast, with which a host makes sure of a neighbour, as src/network/neighbors/refreshes.ts. A row of `resolutions`
 * knows the refresh with the same key, so that an ARP reply finds both with one look-up.
 */
#ifndef REFRESHES_H
#define REFRESHES_H

#include "resolutions.h"

enum { MAX_REFRESHES = 1 << 14, MAX_RIPENING_REFRESHES = 1024 };

struct refresh {
	struct key key; /* segment << 16 | high, low, spa, tpa */
	int64_t first, last, answer;
	struct mac to;
	uint32_t run, told, sent;
	struct list list;
	int32_t source; /* who solicits, and 1; 0 for ARP */
	uint32_t spare;
};

static struct table refreshes;
static struct pool refresh_lists;
static struct { uint32_t row; int64_t last; } ripening_refreshes[MAX_RIPENING_REFRESHES];
static int ripening_refresh_count;
static int64_t refresh_ripe_at = INT64_MAX;
static uint64_t neighbors_lost, neighbors_back, solicited_refreshes;

static void refresh_forget(uint32_t row)
{
	list_release(&refresh_lists, &AT(refreshes, refresh, row)->list);
}

static COLD struct refresh *refresh_begin(struct key key, uint32_t hash)
{
	struct refresh *refresh = INSERT_BY(refreshes, refresh, key, hash);
	struct resolution *r = FIND_BY(resolutions, resolution, key, hash);
	refresh->last = refresh->answer = NEVER;
	if (r != NULL)
		r->refresh = NUMBER(refreshes, refresh, refresh) + 1;
	return refresh;
}

/* A new resolution: what is known of its refreshes. */
static COLD struct resolution *resolution_with_refresh(struct key key, uint32_t hash)
{
	struct resolution *r = resolution_begin(key, hash);
	struct refresh *refresh = FIND_BY(refreshes, refresh, key, hash);
	if (refresh != NULL)
		r->refresh = NUMBER(refreshes, refresh, refresh) + 1;
	return r;
}

static void refresh_reset(struct refresh *refresh)
{
	list_release(&refresh_lists, &refresh->list);
	refresh->run = refresh->told = 0;
}

static COLD void refresh_ripen(int64_t time)
{
	int i, kept = 0;
	refresh_ripe_at = INT64_MAX;
	for (i = 0; i < ripening_refresh_count; i++) {
		struct refresh *refresh = AT(refreshes, refresh, ripening_refreshes[i].row);
		int64_t last = ripening_refreshes[i].last;
		if (last + SECONDS > time) {
			if (last + SECONDS < refresh_ripe_at)
				refresh_ripe_at = last + SECONDS;
			ripening_refreshes[kept++] = ripening_refreshes[i];
		} else if (refresh->run >= RUN_REQUESTS && refresh->last == last) {
			refresh->told = 1;
			neighbors_lost++;
		}
	}
	ripening_refresh_count = kept;
}

static COLD void refresh_ripen_later(const struct refresh *refresh)
{
	if (ripening_refresh_count == MAX_RIPENING_REFRESHES)
		return;
	ripening_refreshes[ripening_refresh_count].row = NUMBER(refreshes, refresh, refresh);
	ripening_refreshes[ripening_refresh_count++].last = refresh->last;
	if (refresh->last + SECONDS < refresh_ripe_at)
		refresh_ripe_at = refresh->last + SECONDS;
}

/* A request by unicast to the frame's receiver. */
static struct refresh *refresh_request(const struct link *link, struct key key, const struct place *place)
{
	uint32_t hash = key_hash(key);
	struct refresh *refresh = FIND_BY(refreshes, refresh, key, hash);
	int64_t gap;
	if (refresh == NULL)
		refresh = refresh_begin(key, hash);
	gap = place->time - refresh->last;
	/* The same request, seen at another port. */
	if (gap < SAME_REQUEST && gap > -SAME_REQUEST)
		return refresh;
	if (refresh->run > 0 && (gap < RETRY_MIN || gap > RETRY_MAX || !same(refresh->to, link->to))) {
		if (refresh->told)
			return refresh;
		refresh_reset(refresh);
	}
	if (refresh->run == 0) {
		refresh->first = place->time;
		refresh->sent = AT(stations, station, link->receiver)->sent;
	}
	refresh->to = link->to;
	refresh->last = place->time;
	list_place(&refresh_lists, &refresh->list, place);
	if (++refresh->run >= RUN_REQUESTS)
		refresh_ripen_later(refresh);
	return refresh;
}

/* A neighbor solicitation by unicast. Kernels ask so from another address than by multicast: the target stands for it. */
static COLD void refresh_solicit(const struct link *link, int32_t source, int32_t target, const struct place *place)
{
	struct key key = key_of((int32_t)((uint32_t)link->segment << 16) | link->from.high, link->from.low, target, target);
	struct refresh *refresh = refresh_request(link, key, place);
	solicited_refreshes++;
	if (refresh->source == 0)
		refresh->source = source + 1;
}

static inline void refresh_answered(struct refresh *refresh, int64_t time)
{
	refresh->answer = time;
	if (refresh->told) {
		/* After a longer time what was told stays: it was lost, and came back. */
		if (time - refresh->last > 5 * SECONDS)
			return;
		neighbors_back++;
	}
	refresh_reset(refresh);
}

/* An answer to who asked, whose resolution is `r`. */
static inline void refresh_answer(const struct resolution *r, int64_t time)
{
	struct refresh *refresh = HINTED(refreshes, refresh, r->refresh, r->key);
	if (refresh != NULL)
		refresh_answered(refresh, time);
}

/* The same of neighbor discovery. */
static COLD void refresh_solicited(int32_t segment, struct mac mac, int32_t target, int64_t time)
{
	struct refresh *refresh = FIND(refreshes, refresh, key_of((int32_t)((uint32_t)segment << 16) | mac.high, mac.low,
								  target, target));
	if (refresh != NULL)
		refresh_answered(refresh, time);
}

static void refreshes_finish(void)
{
	uint32_t row;
	for (row = 0; row < refreshes.rows; row++)
		neighbors_lost += AT(refreshes, refresh, row)->run >= RUN_REQUESTS;
}

static void refreshes_init(void)
{
	INIT(refreshes, refresh, MAX_REFRESHES, refresh_forget);
}

#endif
