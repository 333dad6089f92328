/*
 * Neighbor discovery as src/network/neighbors/resolver.ts sorts it, and which station has an IPv6 address by what it tells
 * (neighbor-holders.ts). Of routers (routers.ts) only how often they advertised is counted.
 */
#ifndef NEIGHBORS_H
#define NEIGHBORS_H

#include "answers.h"

enum { MAX_SOLICITORS = 1 << 14, MAX_HOLDERS = 1 << 14 };
enum advertisement_flag { OVERRIDE = 0x20, SOLICITED = 0x40 };

struct solicitor {
	struct key key; /* segment, asker, target */
	struct mac mac;
};

struct holder {
	struct key key; /* segment, address */
	struct mac mac, other;
	int64_t changed;
	uint32_t contested;
};

static struct table solicitors, holders;
static uint64_t routers_advertised, holders_changed, holders_announced;

/* Neighbor solicitation and advertisement; `ip` is the layer of the IPv6 header, `source` the number of its source. */
static void neighbor_resolves(const struct frame *f, const struct link *link, int layer, int ip, int32_t source)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *header = f->bytes + f->offsets[ip];
	struct place place;
	struct solicitor *s;
	struct mac to;
	int32_t target, asker;
	place = place_of(f, layer);
	target = ipv6_number(p + 8);
	if (p[0] == 135) {
		/* From the unspecified address it is duplicate address detection, which silence answers. */
		if ((load64(header + 8) | load64(header + 16)) == 0) {
			if (!link->is_copy)
				dad_probe(link->segment, link->from, target, &place);
			return;
		}
		/* As with ARP, a unicast solicitation only refreshes what the station knows already. */
		if (!link->is_group) {
			if (!link->is_copy)
				refresh_solicit(link, source, target, &place);
			return;
		}
		s = ADD(solicitors, solicitor, key_of(link->segment, source, target, 0));
		s->mac = link->from;
		request(link, link->from, source, target, &place);
		return;
	}
	if (!link->is_copy && dad_probes.rows > 0)
		dad_advertise(link->segment, link->from, target, &place);
	if ((p[4] & SOLICITED) == 0)
		return;
	asker = ipv6_number(header + 24);
	/* Whose solicitation this answers; before one was seen it can only be the frame's destination. */
	s = FIND(solicitors, solicitor, key_of(link->segment, asker, target, 0));
	to = s != NULL ? s->mac : link->to;
	answer(link, to, asker, target, link->from, &place);
	if (solicited_refreshes > 0 && !link->is_copy)
		refresh_solicited(link->segment, to, target, f->time);
}

/* Another station has the address now. */
static COLD void holder_changes(struct holder *holder, struct mac mac, int64_t time)
{
	struct mac before = holder->mac;
	holder->mac = mac;
	if ((before.high | before.low) == 0)
		return;
	if (same(holder->other, mac) && time - holder->changed <= ALTERNATION)
		holder->contested = 1;
	holder->other = before;
	holder->changed = time;
	holders_changed++;
}

/* A solicitation tells who has its source, an advertisement that may override who has its target. */
static inline void holders_observe(const struct frame *f, const struct link *link, int layer, int ip, int32_t source)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	int is_advertisement = p[0] == 136;
	int32_t address = source;
	struct holder *holder;
	/* Another hardware address than its frame's is a proxy's or a bond's: nobody's claim. */
	if (f->ends[layer] - f->offsets[layer] >= 32 && (p[24] == 1 || p[24] == 2) &&
	    !same(mac_at(p + 26), link->from))
		return;
	if (is_advertisement) {
		if ((p[4] & OVERRIDE) == 0)
			return;
		address = ipv6_number(p + 8);
	} else if (be32(f->bytes + f->offsets[ip] + 8) == 0) {
		return;
	}
	holder = ADD(holders, holder, key_of(link->segment, address, 0, 0));
	if (!same(holder->mac, link->from))
		holder_changes(holder, link->from, f->time);
	holders_announced += is_advertisement && (p[4] & SOLICITED) == 0;
}

/* An ICMPv6 header; `ip` is the layer of the IPv6 header, `source` the number of its source. */
static void resolve_neighbor(const struct frame *f, const struct link *link, int layer, int ip, int32_t source)
{
	int type = f->bytes[f->offsets[layer]];
	if (type == 134 && !link->is_copy)
		routers_advertised++;
	if (type != 135 && type != 136)
		return;
	neighbor_resolves(f, link, layer, ip, source);
	if (!link->is_copy)
		holders_observe(f, link, layer, ip, source);
}

static void neighbors_init(void)
{
	INIT(solicitors, solicitor, MAX_SOLICITORS, NULL);
	INIT(holders, holder, MAX_HOLDERS, NULL);
}

#endif
