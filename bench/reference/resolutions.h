/*
 * Who asks for which address and whether an answer comes, as src/network/neighbors/resolutions.ts, sweeps.ts and repeats.ts; the
 * requests by unicast that refresh what is known (refreshes.ts) are in refreshes.h.
 */
#ifndef RESOLUTIONS_H
#define RESOLUTIONS_H

#include "stations.h"

enum { MAX_RESOLUTIONS = 1 << 16, MAX_RIPENING = 4096, RUN_REQUESTS = 3, SWEEP_TARGETS = 20 };
#define SAME_REQUEST (200 * MILLISECONDS)
#define RETRY_MIN (900 * MILLISECONDS)
#define RETRY_MAX (1200 * MILLISECONDS)
#define RUN_GAP (5 * SECONDS)
#define EARLY (10 * MILLISECONDS)
#define LATE (2 * SECONDS)

/* Where the header that counts lies. */
struct place {
	int64_t time;
	uint32_t number;
	int32_t offset, length;
};

/* The first cache line is what an answer touches; then what a request does; then the rest. */
struct resolution {
	struct key key; /* segment << 16 | high, low, spa, tpa */
	int64_t last, answer, repeated_answer;
	uint32_t run, repeats, answer_number;
	uint32_t refresh; /* row of `refreshes` and 1 */
	uint8_t told, recovered, answers_only, has_asked;
	uint32_t request_number;
	int64_t first, self_reply, repeats_first;
	uint32_t requests, echoes, retries, exact, asked_era;
	struct list list;
	uint32_t self_replies, early_self_replies, strays, spare;
	struct list self_list, stray_list, repeat_list;
	uint32_t filler[5];
};

struct asker {
	struct key key; /* segment, high, low, 0 */
	int64_t window;
	uint32_t targets, sweeps;
};

static struct table resolutions, askers;
static struct pool claim_lists, stray_lists;
static struct { uint32_t row; int64_t at; } ripening[MAX_RIPENING];
static int ripening_count;
static int64_t ripe_at = INT64_MAX;
static uint64_t unanswered, answered_late, asked_again;

static inline struct place place_of(const struct frame *f, int layer)
{
	struct place place = { f->time, f->number, f->offsets[layer], f->ends[layer] - f->offsets[layer] };
	return place;
}

static inline void list_place(struct pool *pool, struct list *list, const struct place *place)
{
	list_append(pool, list, place->number, place->offset, place->length);
}

static void resolution_forget(uint32_t row)
{
	struct resolution *r = AT(resolutions, resolution, row);
	list_release(&claim_lists, &r->list);
	list_release(&claim_lists, &r->self_list);
	list_release(&claim_lists, &r->repeat_list);
	list_release(&stray_lists, &r->stray_list);
}

static COLD struct resolution *resolution_begin(struct key key, uint32_t hash)
{
	struct resolution *r = INSERT_BY(resolutions, resolution, key, hash);
	r->last = r->answer = r->repeated_answer = r->self_reply = NEVER;
	return r;
}

static COLD void count_target(const struct link *link, struct mac mac, int64_t time)
{
	struct asker *asker = ADD(askers, asker, key_of(link->segment, mac.high, mac.low, 0));
	if (asker->targets == 0 || time - asker->window > 10 * SECONDS) {
		asker->window = time;
		asker->targets = 0;
	}
	if (++asker->targets > SWEEP_TARGETS)
		asker->sweeps = 1;
}

static COLD void repeats_again(struct resolution *r, int64_t gap, const struct place *place)
{
	r->repeats++;
	r->exact += gap > SECONDS - 5 * MILLISECONDS && gap < SECONDS + 5 * MILLISECONDS;
	list_place(&claim_lists, &r->repeat_list, place);
	asked_again++;
}

static inline void repeats_reset(struct resolution *r)
{
	list_release(&claim_lists, &r->repeat_list);
	r->repeats = r->exact = r->answers_only = 0;
}

/* A request; `last` is still the one before. */
static inline void repeats_request(struct resolution *r, const struct place *place)
{
	int64_t gap = place->time - r->last;
	int was_answered = r->repeated_answer >= r->last - EARLY;
	if (r->answers_only)
		repeats_reset(r);
	if (was_answered && gap >= RETRY_MIN && gap <= RETRY_MAX) {
		if (r->repeats == 0) {
			r->repeats_first = r->last;
			list_append(&claim_lists, &r->repeat_list, r->request_number, place->offset, place->length);
			list_append(&claim_lists, &r->repeat_list, r->answer_number, place->offset, place->length);
		}
		repeats_again(r, gap, place);
	} else {
		repeats_reset(r);
	}
	r->request_number = place->number;
}

static inline void repeats_answer(struct resolution *r, const struct place *place)
{
	int64_t before = r->repeated_answer, gap = place->time - before;
	if (gap < SAME_REQUEST && gap > -SAME_REQUEST)
		return;
	r->repeated_answer = place->time;
	if (r->last == NEVER) {
		if (gap >= RETRY_MIN && gap <= RETRY_MAX) {
			if (r->repeats == 0) {
				r->repeats_first = before;
				list_append(&claim_lists, &r->repeat_list, r->answer_number, place->offset,
					    place->length);
			}
			r->answers_only = 1;
			repeats_again(r, gap, place);
		} else {
			repeats_reset(r);
		}
	} else if (r->repeats > 0) {
		list_place(&claim_lists, &r->repeat_list, place);
	}
	r->answer_number = place->number;
}

static inline void resolution_drop(struct resolution *r)
{
	list_release(&claim_lists, &r->list);
	r->requests = r->echoes = r->retries = r->recovered = 0;
}

static COLD void resolution_report(struct resolution *r)
{
	r->told = 1;
	unanswered++;
}

/* An answer ends the run. */
static inline void settle(struct resolution *r)
{
	uint32_t before = r->run - 1;
	r->run = 0;
	if (before >= RUN_REQUESTS)
		resolution_report(r);
	else
		answered_late += r->told;
	r->told = 0;
	resolution_drop(r);
	list_release(&claim_lists, &r->self_list);
	r->self_replies = r->early_self_replies = 0;
}

static COLD void ripen(int64_t time)
{
	int i, kept = 0;
	ripe_at = INT64_MAX;
	for (i = 0; i < ripening_count; i++) {
		struct resolution *r = AT(resolutions, resolution, ripening[i].row);
		if (ripening[i].at > time) {
			if (ripening[i].at < ripe_at)
				ripe_at = ripening[i].at;
			ripening[kept++] = ripening[i];
		} else if (r->run >= RUN_REQUESTS) {
			resolution_report(r);
		}
	}
	ripening_count = kept;
}

static COLD void ripen_later(const struct resolution *r, int64_t time)
{
	if (ripening_count == MAX_RIPENING)
		return;
	ripening[ripening_count].row = NUMBER(resolutions, resolution, r);
	ripening[ripening_count++].at = time + SECONDS;
	if (time + SECONDS < ripe_at)
		ripe_at = time + SECONDS;
}

/* A request to a group from `mac`. */
static void resolution_request(struct resolution *r, const struct link *link, struct mac mac,
			       const struct place *place)
{
	int64_t time = place->time, gap = time - r->last;
	if (r->last == NEVER) {
		count_target(link, mac, time);
		list_release(&stray_lists, &r->stray_list);
		r->strays = 0;
	} else if (gap < SAME_REQUEST && gap > -SAME_REQUEST) {
		if (r->run > 0)
			list_place(&claim_lists, &r->list, place);
		r->echoes++;
		return;
	}
	repeats_request(r, place);
	if (r->run == 0 || gap > RUN_GAP || gap < 0) {
		if (r->run >= RUN_REQUESTS || r->told) {
			resolution_report(r);
		} else {
			/* Before the first request there can only be answers that overtook it. */
			if (r->last != NEVER)
				resolution_drop(r);
			r->first = time;
		}
		r->run = 0;
	} else if (gap >= RETRY_MIN && gap <= RETRY_MAX) {
		r->retries++;
	}
	r->last = time;
	r->run++;
	r->requests++;
	list_place(&claim_lists, &r->list, place);
	r->early_self_replies += time - r->self_reply <= EARLY;
	if (time - r->answer <= EARLY)
		settle(r);
	else if (r->run == RUN_REQUESTS)
		ripen_later(r, time);
}

/* Whether an answer that comes now is one that nobody asked for, or that was given already; r may be NULL. */
static inline int is_unasked(const struct resolution *r, int64_t time)
{
	if (r == NULL || time - r->last > LATE)
		return 1;
	return r->answer >= r->last - EARLY && time - r->answer > SAME_REQUEST;
}

static void resolution_answer(struct resolution *r, const struct place *place, int to_self, int is_copy)
{
	if (to_self && !is_copy) {
		/* What was sent before the run is another exchange's. */
		if (r->run == 0 && place->time - r->self_reply > RUN_GAP) {
			list_release(&claim_lists, &r->self_list);
			r->self_replies = r->early_self_replies = 0;
		}
		r->self_reply = place->time;
		r->self_replies++;
		list_place(&claim_lists, &r->self_list, place);
		return;
	}
	r->answer = place->time;
	if (r->last == NEVER && !is_copy) {
		r->strays++;
		list_place(&stray_lists, &r->stray_list, place);
	}
	repeats_answer(r, place);
	if (r->run > 0 && place->time - r->last <= LATE)
		settle(r);
}

static void resolutions_finish(void)
{
	uint32_t row;
	for (row = 0; row < resolutions.rows; row++)
		if (AT(resolutions, resolution, row)->run >= 2)
			resolution_report(AT(resolutions, resolution, row));
}

static void resolutions_init(void)
{
	INIT(resolutions, resolution, MAX_RESOLUTIONS, resolution_forget);
	INIT(askers, asker, 1 << 16, NULL);
}

#endif
