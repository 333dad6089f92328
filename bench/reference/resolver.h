/*
 * ARP and neighbor discovery as src/network sorts them: resolution runs and their answers, who claims an address,
 * announcements, probes. Included by network.h, which holds the tables of stations and addresses.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#define MILLISECONDS 1000000LL
#define SECONDS 1000000000LL

enum { MAX_LISTED = 64, MAX_ENTRIES = 1 << 17, MAX_ROWS = 1 << 16, RUN_REQUESTS = 3, SWEEP_TARGETS = 20 };

/* Frames as evidence: short lists in one pool, named by their first entry; 0 is the empty list. */
struct entry {
	uint32_t number;
	int32_t offset, length;
	uint32_t next, tail, count;
};

/* Where the header that counts lies. */
struct place {
	int64_t time;
	uint32_t number;
	int32_t offset, length;
};

struct resolution {
	struct key key; /* segment << 16 | high, low, spa, tpa */
	int64_t first, last, answer;
	uint32_t run, requests, echoes, self_replies, list, self_list;
	uint8_t told, answered;
};

struct asker {
	struct key key;
	int64_t window;
	uint32_t targets, sweeps;
};

struct claim {
	struct key key; /* segment, address */
	int64_t last, other_last, request, reply_time;
	struct mac holder, other, reply;
	uint32_t reply_number, list;
	int32_t reply_offset;
	uint8_t contested, has_holder;
};

struct announcement {
	struct key key;
	int64_t first, last;
	uint32_t count, list, zero_tha, kernel_gaps, replies;
};

struct probe {
	struct key key;
	int64_t time;
	uint32_t number, answer_number;
	struct mac holder;
	int32_t offset;
	uint8_t answered;
};

struct solicitor {
	struct key key; /* segment, asker, target */
	struct mac mac;
};

static struct entry entries[MAX_ENTRIES];
static uint32_t used_entries = 1, free_entries;
static struct table resolutions, askers, claims, announcements, probes, solicitors;
static struct { int32_t row; int64_t at; } ripening[MAX_ROWS];
static int ripening_count;
static int64_t ripe_at = INT64_MAX;
static uint64_t unanswered, answered_late, contests, announced, probes_answered;

static void list_append(uint32_t *list, const struct place *place)
{
	uint32_t at;
	if (*list != 0 && entries[*list].count >= MAX_LISTED)
		return;
	if (free_entries != 0) {
		at = free_entries;
		free_entries = entries[at].next;
	} else if (used_entries < MAX_ENTRIES) {
		at = used_entries++;
	} else {
		return;
	}
	entries[at].number = place->number;
	entries[at].offset = place->offset;
	entries[at].length = place->length;
	entries[at].next = 0;
	if (*list == 0) {
		*list = at;
		entries[at].count = 0;
	} else {
		entries[entries[*list].tail].next = at;
	}
	entries[*list].tail = at;
	entries[*list].count++;
}

static void list_release(uint32_t *list)
{
	if (*list == 0)
		return;
	entries[entries[*list].tail].next = free_entries;
	free_entries = *list;
	*list = 0;
}

static void forget_resolution(uint32_t row)
{
	struct resolution *r = (struct resolution *)resolutions.rows_at + row;
	list_release(&r->list);
	list_release(&r->self_list);
}

static void forget_claim(uint32_t row)
{
	list_release(&((struct claim *)claims.rows_at)[row].list);
}

static void forget_announcement(uint32_t row)
{
	list_release(&((struct announcement *)announcements.rows_at)[row].list);
}

static void resolver_init(void)
{
	table_init(&resolutions, sizeof(struct resolution), MAX_ROWS, forget_resolution);
	table_init(&askers, sizeof(struct asker), MAX_ROWS, NULL);
	table_init(&claims, sizeof(struct claim), MAX_ROWS, forget_claim);
	table_init(&announcements, sizeof(struct announcement), 1 << 15, forget_announcement);
	table_init(&probes, sizeof(struct probe), 1 << 14, NULL);
	table_init(&solicitors, sizeof(struct solicitor), MAX_ROWS, NULL);
}

static void drop_run(struct resolution *r)
{
	list_release(&r->list);
	list_release(&r->self_list);
	r->requests = r->echoes = r->self_replies = 0;
}

static void settle(struct resolution *r)
{
	r->run = 0;
	r->answered = 1;
	if (r->told) {
		r->told = 0;
		answered_late++;
	}
	drop_run(r);
}

static void report(struct resolution *r)
{
	r->told = 1;
	unanswered++;
}

static void ripen(int64_t time)
{
	int i, kept = 0;
	ripe_at = INT64_MAX;
	for (i = 0; i < ripening_count; i++) {
		struct resolution *r = (struct resolution *)resolutions.rows_at + ripening[i].row;
		if (ripening[i].at > time) {
			if (ripening[i].at < ripe_at)
				ripe_at = ripening[i].at;
			ripening[kept++] = ripening[i];
		} else if (r->run >= RUN_REQUESTS) {
			report(r);
		}
	}
	ripening_count = kept;
}

static void resolutions_finish(void)
{
	uint32_t row;
	for (row = 0; row < resolutions.rows; row++) {
		struct resolution *r = (struct resolution *)resolutions.rows_at + row;
		if (r->run >= 2)
			report(r);
	}
}

static void count_target(const struct link *link, struct mac mac, int64_t time)
{
	struct asker *asker = table_add(&askers, sizeof *asker, key_of(link->segment, mac.high, mac.low, 0));
	if (asker->targets == 0 || time - asker->window > 10 * SECONDS) {
		asker->window = time;
		asker->targets = 0;
	}
	if (++asker->targets > SWEEP_TARGETS)
		asker->sweeps = 1;
}

static struct resolution *resolution_of(const struct link *link, struct mac mac, int32_t spa, int32_t tpa)
{
	struct key key = key_of(link->segment << 16 | mac.high, mac.low, spa, tpa);
	struct resolution *r = table_find(&resolutions, sizeof *r, key);
	if (r == NULL) {
		r = table_insert(&resolutions, key);
		r->last = r->answer = NEVER;
	}
	return r;
}

static void resolution_request(const struct link *link, struct mac mac, int32_t spa, int32_t tpa,
			       const struct place *place)
{
	struct resolution *r = resolution_of(link, mac, spa, tpa);
	int64_t time = place->time, gap = 0;
	if (r->last == NEVER) {
		count_target(link, mac, time);
	} else {
		gap = time - r->last;
		if (gap < 200 * MILLISECONDS && gap > -200 * MILLISECONDS) {
			if (r->run > 0)
				list_append(&r->list, place);
			r->echoes++;
			return;
		}
	}
	if (r->run == 0 || gap > 5 * SECONDS || gap < 0) {
		if (r->run >= RUN_REQUESTS || r->told) {
			report(r);
		} else {
			drop_run(r);
			r->first = time;
		}
		r->run = 0;
		r->answered = 0;
	}
	r->last = time;
	r->run++;
	r->requests++;
	list_append(&r->list, place);
	if (r->answer != NEVER && time - r->answer <= 10 * MILLISECONDS) {
		settle(r);
	} else if (r->run == RUN_REQUESTS && ripening_count < MAX_ROWS) {
		ripening[ripening_count].row = table_row(&resolutions, sizeof *r, r);
		ripening[ripening_count++].at = time + SECONDS;
		if (time + SECONDS < ripe_at)
			ripe_at = time + SECONDS;
	}
}

static void resolution_answer(const struct link *link, struct mac to, int32_t spa, int32_t tpa,
			      const struct place *place, int to_self)
{
	struct resolution *r = resolution_of(link, to, spa, tpa);
	if (to_self && !link->is_copy) {
		r->self_replies++;
		list_append(&r->self_list, place);
		return;
	}
	r->answer = place->time;
	if (r->run > 0 && place->time - r->last <= 2 * SECONDS)
		settle(r);
}

static struct claim *claim_of(const struct link *link, int32_t address)
{
	struct key key = key_of(link->segment, address, 0, 0);
	struct claim *c = table_find(&claims, sizeof *c, key);
	if (c == NULL) {
		c = table_insert(&claims, key);
		c->other_last = c->request = c->reply_time = NEVER;
	}
	return c;
}

static void contest(struct claim *c, struct binding *binding, struct binding *rival)
{
	contested_count += !c->contested;
	c->contested = 1;
	if (binding->before == 0)
		binding->before = binding->sourced + 1;
	if (rival->before == 0)
		rival->before = rival->sourced + 1;
}

static struct binding *binding_find(const struct link *link, struct mac mac, int32_t address)
{
	return table_find(&bindings, sizeof(struct binding), key_of(link->segment, mac.high, mac.low, address));
}

static void claim_reply(const struct link *link, struct claim *c, struct binding *binding, struct mac mac,
			int32_t address, const struct place *place)
{
	int is_second = c->request != NEVER && c->reply_time != NEVER && place->time - c->request <= 2 * SECONDS;
	struct binding *rival;
	if (c->contested)
		list_append(&c->list, place);
	if (is_second && !same(c->reply, mac) && (rival = binding_find(link, c->reply, address)) != NULL) {
		if (!c->contested) {
			struct place first = { 0, c->reply_number, c->reply_offset, place->length };
			contest(c, binding, rival);
			list_append(&c->list, &first);
			list_append(&c->list, place);
		}
		contests++;
	}
	if (!is_second) {
		c->reply = mac;
		c->reply_offset = place->offset;
		c->reply_time = place->time;
		c->reply_number = place->number;
	}
}

static void claim_address(const struct link *link, struct mac mac, int32_t address, enum claim_kind kind,
			  const struct place *place)
{
	struct binding *binding = binding_claim(link, mac, address, kind), *rival;
	struct claim *c = claim_of(link, address);
	if (kind == REPLIED)
		claim_reply(link, c, binding, mac, address, place);
	if (!c->has_holder) {
		c->has_holder = 1;
		c->holder = mac;
		c->other_last = NEVER;
	} else if (!same(c->holder, mac)) {
		int alternates = same(c->other, mac) && c->other_last != NEVER &&
				 place->time - c->other_last <= 60 * SECONDS;
		rival = binding_find(link, c->holder, address);
		c->other = c->holder;
		c->other_last = c->last;
		c->holder = mac;
		if (alternates && rival != NULL) {
			contest(c, binding, rival);
			list_append(&c->list, place);
			contests++;
		}
	}
	c->last = place->time;
}

static void announce(const struct link *link, struct mac mac, int32_t address, const struct place *place, int is_reply,
		     int zero_tha)
{
	struct announcement *a =
		table_add(&announcements, sizeof *a, key_of(link->segment, mac.high, mac.low, address));
	int64_t gap = place->time - a->last;
	int is_new = a->count == 0;
	if (!is_new && gap < 200 * MILLISECONDS && gap > -200 * MILLISECONDS)
		return;
	if (is_new || gap > 10 * SECONDS || gap < 0) {
		if (a->count < 2) {
			list_release(&a->list);
			a->count = a->zero_tha = a->kernel_gaps = a->replies = 0;
			a->first = place->time;
		}
	} else if (gap >= 1005 * MILLISECONDS && gap <= 1060 * MILLISECONDS) {
		a->kernel_gaps++;
	}
	a->last = place->time;
	a->count++;
	a->zero_tha += zero_tha;
	a->replies += is_reply;
	list_append(&a->list, place);
	announced += a->count == 2;
}

static void probe(const struct link *link, struct mac mac, int32_t address, const struct place *place)
{
	struct probe *p = table_add(&probes, sizeof *p, key_of(link->segment, mac.high, mac.low, address));
	p->time = place->time;
	p->offset = place->offset;
	if (!p->answered)
		p->number = place->number;
}

static void probe_answer(const struct link *link, struct mac to, int32_t address, struct mac holder,
			 const struct place *place)
{
	struct probe *p = table_find(&probes, sizeof *p, key_of(link->segment, to.high, to.low, address));
	if (p == NULL || place->time - p->time > 2 * SECONDS || p->answered || same(holder, to))
		return;
	p->answered = 1;
	p->holder = holder;
	p->answer_number = place->number;
	probes_answered++;
}

static struct place place_of(const struct frame *f, int layer)
{
	struct place place = { f->time, f->number, f->offsets[layer], f->ends[layer] - f->offsets[layer] };
	return place;
}

static void resolve_arp(const struct frame *f, const struct link *link, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	struct place place = place_of(f, layer);
	struct mac sha, tha;
	uint32_t spa_bits, tpa_bits;
	int32_t spa, tpa;
	int operation = be16(p + 6);
	if (be16(p + 2) != 0x0800 || be16(p + 4) != 0x0604 || be16(p) == 0 || (operation != 1 && operation != 2))
		return;
	sha = mac_at(p + 8);
	tha = mac_at(p + 18);
	spa_bits = be32(p + 14);
	tpa_bits = be32(p + 24);
	tpa = ipv4_number(tpa_bits);
	if (operation == 1 && spa_bits == 0) {
		if (!link->is_copy)
			probe(link, sha, tpa, &place);
		return;
	}
	spa = ipv4_number(spa_bits);
	if (spa_bits == tpa_bits || (operation == 2 && link->is_group)) {
		if (link->is_copy || spa_bits == 0)
			return;
		announce(link, sha, spa, &place, operation == 2, (tha.high | tha.low) == 0);
		claim_address(link, sha, spa, ANNOUNCED, &place);
	} else if (operation == 2) {
		resolution_answer(link, tha, tpa, spa, &place, same(tha, sha));
		probe_answer(link, tha, spa, sha, &place);
		if (!link->is_copy)
			claim_address(link, sha, spa, REPLIED, &place);
	} else {
		if (!link->is_copy)
			claim_address(link, sha, spa, REQUESTED, &place);
		if (!link->is_group)
			return;
		if (!link->is_copy) {
			struct claim *c;
			binding_claim(link, sha, tpa, ASKED);
			c = claim_of(link, tpa);
			c->request = f->time;
			c->reply_time = NEVER;
		}
		resolution_request(link, sha, spa, tpa, &place);
	}
}

static void resolve_neighbor(const struct frame *f, const struct link *link, int layer, int ip)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *header = f->bytes + f->offsets[ip];
	struct place place;
	struct solicitor *s;
	struct mac to = link->to;
	int32_t target, asker;
	if (p[0] != 135 && p[0] != 136)
		return;
	place = place_of(f, layer);
	target = ipv6_number(p + 8);
	if (p[0] == 135) {
		if (!link->is_group || (load64(header + 8) | load64(header + 16)) == 0)
			return;
		asker = ipv6_number(header + 8);
		s = table_add(&solicitors, sizeof *s, key_of(link->segment, asker, target, 0));
		s->mac = link->from;
		resolution_request(link, link->from, asker, target, &place);
		return;
	}
	if ((p[4] & 0x40) == 0)
		return;
	asker = ipv6_number(header + 24);
	s = table_find(&solicitors, sizeof *s, key_of(link->segment, asker, target, 0));
	if (s != NULL)
		to = s->mac;
	resolution_answer(link, to, asker, target, &place, same(to, link->from));
}

#endif
