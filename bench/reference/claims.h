/*
 * Which station claims an address, as src/network/neighbors/claims.ts, and the addresses that changed from one station to another
 * (moves.ts). Who goes on sending to the old one is only counted.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "resolutions.h"

enum { MAX_CLAIMS = 1 << 16, MAX_MOVES = 1 << 12, UNASKED_ANSWERS = 2 };
#define ALTERNATION (60 * SECONDS)

/* The first cache line is what a claim touches that changes nothing. */
struct claim {
	struct key key; /* segment, address */
	int64_t last, request, reply_time, refreshed;
	struct mac holder;
	uint8_t has_holder, contested, noted; /* claims of the holder that its binding has already */
	uint32_t era; /* of `noted` */
	struct mac reply, reply_to; /* a second line, for answers */
	uint32_t reply_number;
	int32_t reply_offset;
	struct mac other;
	int64_t other_last, change_time;
	uint32_t unasked, unasked_number, changes, silent_changes;
	struct mac unasked_by;
	struct list list;
	uint32_t spare[11];
};

struct move {
	struct key key; /* segment, address; the address is the row of `addresses` */
	int64_t time;
	struct mac from, to;
	uint32_t number, announced;
};

static struct table claims, moves;
static uint64_t contests, double_answers, usurped, changed, sent_to_old;

static void claim_forget(uint32_t row)
{
	list_release(&claim_lists, &AT(claims, claim, row)->list);
}

static COLD struct claim *claim_begin(struct key key, uint32_t hash)
{
	struct claim *c = INSERT_BY(claims, claim, key, hash);
	c->other_last = c->request = c->reply_time = c->refreshed = NEVER;
	return c;
}

static inline struct claim *claim_of(int32_t segment, int32_t address)
{
	struct key key = key_of(segment, address, 0, 0);
	uint32_t hash = key_hash(key);
	struct claim *c = FIND_BY(claims, claim, key, hash);
	return c != NULL ? c : claim_begin(key, hash);
}

/* Somebody asks for the address: the answers that follow belong to this request. */
static inline void claim_asked(int32_t segment, int32_t address, int64_t time)
{
	struct claim *c = claim_of(segment, address);
	c->request = time;
	c->unasked = 0;
	c->reply_time = NEVER;
}

/* Somebody asks by unicast. */
static inline void claim_refreshed(int32_t segment, int32_t address, int64_t time)
{
	struct claim *c = FIND(claims, claim, key_of(segment, address, 0, 0));
	if (c == NULL)
		return;
	c->refreshed = time;
	c->unasked = 0;
}

static COLD void contest(struct claim *c, struct binding *binding, struct binding *rival)
{
	contested_count += !c->contested;
	c->contested = 1;
	if (binding->before == 0)
		binding->before = binding->sourced + 1;
	if (rival->before == 0)
		rival->before = rival->sourced + 1;
}

/* Another answer to the request that was answered by another station. */
static COLD void claim_contradicted(struct claim *c, int32_t segment, struct mac mac, int32_t address,
				    const struct place *place)
{
	struct binding *binding = binding_find(segment, mac, address), *rival = binding_find(segment, c->reply, address);
	if (binding == NULL || rival == NULL)
		return;
	if (!c->contested) {
		contest(c, binding, rival);
		list_append(&claim_lists, &c->list, c->reply_number, c->reply_offset, place->length);
		list_place(&claim_lists, &c->list, place);
	}
	double_answers++;
}

static inline void claim_reply(struct claim *c, int32_t segment, struct mac mac, int32_t address, struct mac to,
			       const struct place *place)
{
	int is_second = place->time - c->request <= LATE && c->reply_time != NEVER;
	if (c->contested)
		list_place(&claim_lists, &c->list, place);
	/* An answer to another station is one to another question, which was not seen. */
	if (is_second && same(c->reply_to, to) && !same(c->reply, mac))
		claim_contradicted(c, segment, mac, address, place);
	if (!is_second) {
		c->reply = mac;
		c->reply_offset = place->offset;
		c->reply_to = to;
		c->reply_time = place->time;
		c->reply_number = place->number;
	}
}

static COLD void move_note(const struct claim *c, const struct place *place)
{
	struct move *move = ADD(moves, move, c->key);
	move->from = c->other;
	move->to = c->holder;
	move->time = place->time;
	move->number = place->number;
	move->announced = 0;
	changed++;
}

/* A unicast IPv4 packet while there are addresses that moved. */
static COLD void moves_packet(const struct frame *f, int layer, const struct link *link)
{
	struct move *move = FIND(moves, move,
				 key_of(link->segment, ipv4_number(be32(f->bytes + f->offsets[layer] + 16)), 0, 0));
	if (move != NULL && same(move->from, link->to) && f->time >= move->time)
		sent_to_old++;
}

/* Another station than the one before claims the address. */
static COLD void claim_changes(struct claim *c, int32_t segment, struct mac mac, int32_t address, enum claim_kind kind,
			       const struct place *place)
{
	int alternates = same(c->other, mac) && place->time - c->other_last <= ALTERNATION;
	struct binding *binding = binding_find(segment, mac, address), *rival = binding_find(segment, c->holder, address);
	c->other = c->holder;
	c->other_last = c->last;
	c->holder = mac;
	c->noted = 0;
	if (place->time - c->change_time > ALTERNATION)
		c->changes = c->silent_changes = 0;
	c->change_time = place->time;
	c->changes++;
	c->silent_changes += kind != ANNOUNCED;
	if (alternates && binding != NULL && rival != NULL) {
		contest(c, binding, rival);
		list_place(&claim_lists, &c->list, place);
		contests++;
	}
	move_note(c, place);
}

/* A station claims an address; `to` is whom an answer is for. */
static inline struct claim *claim_address(int32_t segment, struct mac mac, int32_t address, enum claim_kind kind,
					  struct mac to, const struct place *place)
{
	struct claim *c = claim_of(segment, address);
	int is_holder = c->has_holder && same(c->holder, mac);
	/* The binding has it already, as long as none was given up. */
	if (!is_holder || (c->noted & kind) == 0 || c->era != bindings.evicted) {
		binding_claim(segment, mac, address, kind);
		c->noted = (is_holder && c->era == bindings.evicted ? c->noted : 0) | kind;
		c->era = bindings.evicted;
	}
	if (kind == REPLIED)
		claim_reply(c, segment, mac, address, to, place);
	if (!c->has_holder) {
		c->has_holder = 1;
		c->holder = mac;
		c->other_last = NEVER;
	} else if (!is_holder) {
		claim_changes(c, segment, mac, address, kind, place);
		c->noted = kind;
	}
	c->last = place->time;
	return c;
}

/* A station answers what `to` did not ask. */
static COLD void claim_unasked(int32_t segment, struct mac mac, int32_t address, struct mac to,
			       const struct place *place)
{
	struct claim *c = claim_address(segment, mac, address, REPLIED, to, place);
	struct binding *binding, *rival;
	/* Without a request in the capture nothing shows that requests would be seen here. */
	if (c->request == NEVER || place->time - c->refreshed <= LATE)
		return;
	if (c->unasked == 0) {
		c->unasked_number = place->number;
		c->unasked_by = mac;
	} else if (!same(c->unasked_by, mac)) {
		return;
	}
	if (++c->unasked < UNASKED_ANSWERS || (c->other.high | c->other.low) == 0)
		return;
	rival = binding_find(segment, c->other, address);
	binding = binding_find(segment, mac, address);
	if (rival == NULL || binding == NULL || rival == binding)
		return;
	if (!c->contested) {
		contest(c, binding, rival);
		list_append(&claim_lists, &c->list, c->unasked_number, place->offset, place->length);
		list_place(&claim_lists, &c->list, place);
	}
	usurped++;
}

/* The holder announces it: whoever goes on sending to the old one did not hear. */
static COLD void move_announced(const struct claim *c)
{
	struct move *move = FIND(moves, move, c->key);
	if (move != NULL && same(move->to, c->holder)) {
		move->announced = 1;
		move->time = c->last;
	}
}

static void claims_init(void)
{
	INIT(claims, claim, MAX_CLAIMS, claim_forget);
	INIT(moves, move, MAX_MOVES, NULL);
}

#endif
