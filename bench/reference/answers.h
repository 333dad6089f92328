/* Questions and answers, by ARP or neighbor discovery, in the tables of the headers included here. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "claims.h"
#include "probes.h"
#include "refreshes.h"

static inline struct key resolution_key(int32_t segment, struct mac mac, int32_t spa, int32_t tpa)
{
	return key_of((int32_t)((uint32_t)segment << 16) | mac.high, mac.low, spa, tpa);
}

/* An answer to (`to`, spa) about tpa. Returns whether nobody asked for it. */
static inline int answer(const struct link *link, struct mac to, int32_t spa, int32_t tpa, struct mac from,
			 const struct place *place)
{
	struct key key = resolution_key(link->segment, to, spa, tpa);
	uint32_t hash = key_hash(key);
	struct resolution *r = FIND_BY(resolutions, resolution, key, hash);
	int unasked = is_unasked(r, place->time);
	if (r == NULL)
		r = resolution_with_refresh(key, hash);
	resolution_answer(r, place, same(to, from), link->is_copy);
	if (!link->is_copy)
		refresh_answer(r, place->time);
	return unasked;
}

static inline struct resolution *request(const struct link *link, struct mac mac, int32_t spa, int32_t tpa,
					 const struct place *place)
{
	struct key key = resolution_key(link->segment, mac, spa, tpa);
	uint32_t hash = key_hash(key);
	struct resolution *r = FIND_BY(resolutions, resolution, key, hash);
	if (r == NULL)
		r = resolution_with_refresh(key, hash);
	resolution_request(r, link, mac, place);
	return r;
}

#endif
