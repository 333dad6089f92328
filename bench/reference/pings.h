/*
 * Echo requests and their replies by run of `ping`, as src/network/icmp/pings.ts and double-replies.ts. A row remembers where
 * the other tables have the same ping (see echoes.h too): one look-up a packet.
 */
#ifndef PINGS_H
#define PINGS_H

#include "stations.h"

enum { MAX_PINGS = 1 << 12, RING = 16, SEEN_AGAIN = 1 << 8, FREE_SLOT = -1, ANSWERED_SLOT = -2 };
#define PATIENCE (900 * MILLISECONDS)
#define SAME_PING (200 * MILLISECONDS)

/* A cache line of what each packet touches, one of sequence numbers, and what is rare. */
struct ping {
	struct key key; /* segment, source, destination, identifier */
	struct mac to;
	uint32_t requests, replies;
	uint8_t head, told;
	uint16_t direction;
	int32_t early; /* sequence number of a reply before its request */
	uint32_t identifier, doubles, echo, latest; /* rows of the other tables and 1 */
	uint32_t latest_era, hops;
	int32_t sequences[RING]; /* that wait, or what else the slot holds */
	int64_t early_time, first, strange_time;
	uint32_t lost, lost_run, longest, gaps, errors, around, strange;
	int32_t stranger;
	struct mac around_by;
	struct list list, strange_list, around_list;
	uint32_t spare[7];
};

/* When the request in a slot came, and where; the latest one's is the time of the ping's latest request. */
struct ping_slot {
	int64_t time;
	uint32_t number;
	int32_t offset;
};

/* The latest ping of (segment, source, identifier). */
struct identifier {
	struct key key;
	uint32_t ping;
	uint32_t spare[3];
};

/* Requests that were answered twice; sequence numbers with 1 added. */
struct doubled {
	struct key key; /* as of `ping` */
	uint32_t asked, asked_id, replied, replied_id;
	struct mac by;
	int64_t reply_time;
	uint32_t request_number, reply_number;
	int32_t offset;
	uint32_t repeats;
	int64_t first, last;
	struct list list;
	uint32_t count;
};

static struct table pings, identifiers, doubles;
static struct ping_slot ping_slots[MAX_PINGS][RING];
static struct pool icmp_lists, doubled_lists;
static uint64_t pings_lost, pings_strange, answered_twice, pings_around, pings_refused;

/* An echo request or reply over IPv4 or IPv6. */
struct echo {
	int32_t source, destination; /* of the request; rows of `addresses` */
	int id, sequence, hops, identification; /* the latter of IPv4, else -1 */
	int layer;
};

static void ping_forget(uint32_t row)
{
	struct ping *ping = AT(pings, ping, row);
	list_release(&icmp_lists, &ping->list);
	list_release(&icmp_lists, &ping->strange_list);
	list_release(&icmp_lists, &ping->around_list);
}

/* Requests that wait for their reply. */
static uint32_t ping_need(uint32_t row)
{
	const struct ping *ping = AT(pings, ping, row);
	uint32_t waiting = 0, i;
	for (i = 0; i < RING; i++)
		waiting += ping->sequences[i] >= 0;
	return waiting;
}

static void doubled_forget(uint32_t row)
{
	list_release(&doubled_lists, &AT(doubles, doubled, row)->list);
}

static __attribute__((noinline)) struct ping *ping_begin(struct key key, uint32_t hash)
{
	struct ping *ping = INSERT_BY(pings, ping, key, hash);
	memset(ping->sequences, 0xff, sizeof ping->sequences);
	ping->early = FREE_SLOT;
	ping->early_time = NEVER;
	return ping;
}

/* Slot of the latest waiting request with this sequence number, -1 if there is none. */
static inline int slot_of(const struct ping *ping, int sequence)
{
	uint32_t i;
	for (i = 1; i <= RING; i++)
		if (ping->sequences[(ping->head - i) & (RING - 1)] == sequence)
			return (int)((ping->head - i) & (RING - 1));
	return -1;
}

static COLD void ping_loses(struct ping *ping, const struct ping_slot *slot)
{
	ping->lost++;
	if (++ping->lost_run > ping->longest)
		ping->longest = ping->lost_run;
	ping->gaps += ping->lost_run == 2;
	list_append(&icmp_lists, &ping->list, slot->number, slot->offset, 8);
	if (ping->lost >= 2 && is_power(ping->lost)) {
		ping->told = 1;
		pings_lost++;
	}
}

static inline void ping_request(struct ping *ping, const struct frame *f, const struct link *link,
				const struct echo *echo)
{
	uint32_t row = NUMBER(pings, ping, ping);
	struct ping_slot *slot;
	struct identifier *identifier;
	struct key key;
	int at = slot_of(ping, echo->sequence);
	if (at >= 0 && f->time - ping_slots[row][at].time < SAME_PING &&
	    f->time - ping_slots[row][at].time > -SAME_PING) {
		ping->direction |= SEEN_AGAIN;
		return;
	}
	if (ping->requests++ == 0)
		ping->first = f->time;
	ping->hops = echo->hops;
	ping->to = link->to;
	ping->direction |= 1 << f->direction;
	key = key_of(link->segment, echo->source, echo->id, 0);
	identifier = HINTED(identifiers, identifier, ping->identifier, key);
	if (identifier == NULL) {
		identifier = ADD(identifiers, identifier, key);
		ping->identifier = NUMBER(identifiers, identifier, identifier) + 1;
	}
	identifier->ping = row;
	at = ping->head;
	slot = &ping_slots[row][at];
	ping->head = (ping->head + 1) & (RING - 1);
	/* What is in the slot makes room: a request that still waits is lost if it waited long enough. */
	if (ping->sequences[at] == ANSWERED_SLOT)
		ping->lost_run = 0;
	else if (ping->sequences[at] != FREE_SLOT && f->time - slot->time >= PATIENCE)
		ping_loses(ping, slot);
	ping->sequences[at] = echo->sequence;
	if (ping->early == echo->sequence && f->time - ping->early_time <= 10 * MILLISECONDS)
		ping->sequences[at] = ANSWERED_SLOT;
	slot->time = f->time;
	slot->number = f->number;
	slot->offset = f->offsets[echo->layer];
}

/* A reply from an address that was not asked: to a request that waits, sent to somebody else. */
static COLD int ping_from_stranger(const struct frame *f, const struct link *link, const struct echo *echo)
{
	struct identifier *identifier = FIND(identifiers, identifier,
					     key_of(link->segment, echo->source, echo->id, 0));
	const struct ping_slot *slot;
	struct ping *ping;
	int at;
	if (identifier == NULL)
		return 0;
	ping = AT(pings, ping, identifier->ping);
	if ((int32_t)(uint32_t)ping->key.low != link->segment || (int32_t)(ping->key.low >> 32) != echo->source ||
	    (int32_t)(ping->key.high >> 32) != echo->id)
		return 0;
	at = slot_of(ping, echo->sequence);
	slot = &ping_slots[identifier->ping][at & (RING - 1)];
	if (at < 0 || f->time - slot->time > PATIENCE)
		return 0;
	ping->sequences[at] = ANSWERED_SLOT;
	ping->stranger = echo->destination;
	ping->strange++;
	ping->strange_time = f->time;
	list_append(&icmp_lists, &ping->strange_list, slot->number, slot->offset, 8);
	list_append(&icmp_lists, &ping->strange_list, f->number, slot->offset, 8);
	pings_strange += is_power(ping->strange);
	return 1;
}

/* A reply from another hardware address than requests go to. */
static COLD void ping_goes_around(struct ping *ping, int at, const struct frame *f, struct mac from, int layer)
{
	const struct ping_slot *slot = &ping_slots[NUMBER(pings, ping, ping)][at];
	ping->around_by = from;
	ping->around++;
	pings_around++;
	list_append(&icmp_lists, &ping->around_list, slot->number, slot->offset, 8);
	list_append(&icmp_lists, &ping->around_list, f->number, f->offsets[layer], 8);
}

static inline void ping_reply(struct ping *ping, const struct frame *f, const struct link *link,
			      const struct echo *echo)
{
	int at = slot_of(ping, echo->sequence);
	ping->replies++;
	if (at >= 0) {
		ping->sequences[at] = ANSWERED_SLOT;
		if (ping->to.high >= 0 && !same(ping->to, link->from))
			ping_goes_around(ping, at, f, link->from, echo->layer);
	} else {
		ping->early = echo->sequence;
		ping->early_time = f->time;
	}
}

static inline struct doubled *doubled_of(struct ping *ping, uint32_t hash, int is_request)
{
	struct doubled *d = HINTED(doubles, doubled, ping->doubles, ping->key);
	if (d != NULL)
		return d;
	d = FIND_BY(doubles, doubled, ping->key, hash);
	if (d == NULL && is_request)
		d = INSERT_BY(doubles, doubled, ping->key, hash);
	ping->doubles = d == NULL ? 0 : NUMBER(doubles, doubled, d) + 1;
	return d;
}

static inline void doubled_request(struct doubled *d, const struct frame *f, const struct echo *echo)
{
	uint32_t sequence = (uint32_t)echo->sequence + 1, id = (uint32_t)echo->identification;
	/* The pinging host itself sent it twice. */
	d->repeats += d->asked == sequence && d->asked_id != id;
	d->asked = sequence;
	d->asked_id = id;
	d->request_number = f->number;
}

static COLD void doubled_second(struct doubled *d, const struct frame *f, int32_t offset)
{
	list_append(&doubled_lists, &d->list, d->request_number, offset, 8);
	list_append(&doubled_lists, &d->list, d->reply_number, d->offset, 8);
	list_append(&doubled_lists, &d->list, f->number, offset, 8);
	if (d->count++ == 0)
		d->first = f->time;
	d->last = f->time;
	/* A third reply to the same request adds nothing. */
	d->replied = 0;
	answered_twice += is_power(d->count);
}

static inline void doubled_reply(struct doubled *d, const struct frame *f, const struct link *link,
				 const struct echo *echo)
{
	uint32_t sequence = (uint32_t)echo->sequence + 1, id = (uint32_t)echo->identification;
	int32_t offset = f->offsets[echo->layer];
	if (d->asked != sequence)
		return;
	if (d->replied == sequence && id != 0 && d->replied_id != 0 && d->replied_id != id &&
	    same(d->by, link->from) && f->time - d->reply_time <= SECONDS) {
		doubled_second(d, f, offset);
		return;
	}
	d->replied = sequence;
	d->replied_id = id;
	d->by = link->from;
	d->offset = offset;
	d->reply_time = f->time;
	d->reply_number = f->number;
}

static void pings_finish(void)
{
	uint32_t row;
	for (row = 0; row < pings.rows; row++) {
		const struct ping *ping = AT(pings, ping, row);
		pings_lost += ping->told || ping->replies < ping->requests;
	}
}

static void pings_init(void)
{
	INIT(pings, ping, MAX_PINGS, ping_forget);
	pings.need_of = ping_need;
	INIT(identifiers, identifier, MAX_PINGS, NULL);
	INIT(doubles, doubled, MAX_PINGS, doubled_forget);
}

#endif
