/*
 * VXLAN as the network below sees it, and the stations inside: behind which tunnel end each was heard, and to which one
 * frames for it are sent. As src/network/tunnels/tunnels.ts, tunnel-stations.ts and tunnel-reader.ts; errors (tunnel-errors.ts)
 * are only counted.
 */
#ifndef TUNNELS_H
#define TUNNELS_H

#include "stations.h"

enum { MAX_WAYS = 1 << 12, MAX_INSIDERS = 1 << 16, AT_HAND = 1 << 12, FIRST_USER_PORT = 1024 };
enum flaw { NO_VNI = 1, RESERVED = 2, GROUP_POLICY = 4, GENERIC = 8, NOT_ETHERNET = 16 };

struct tunnel {
	struct key key; /* outer segment << 16 | port, source, destination, VNI */
	int64_t last;
	uint32_t frames, group, sources;
	struct mac source; /* inside */
	struct list list;
	int32_t inner;
	int64_t first;
	uint32_t malformed, flaws, tagged, fragmented;
	struct list malformed_list, tagged_list, fragmented_list;
	uint32_t spare;
};

/* A station inside a tunnel; tunnel ends are rows of `addresses` and 1. */
struct insider {
	struct key key; /* inner segment, high, low, 0 */
	int64_t heard_time;
	uint32_t heard, sent_to, right, wrong;
	uint32_t heard_number, heard_since;
	int64_t first, last;
	struct list list;
	int32_t ip;
	uint32_t spare[10];
};

/* The tunnel that a packet names, before its addresses are looked up; row + 1, 0 is empty. */
struct hand {
	uint32_t from, to, place, vni, row;
};

/* The tunnel around the Ethernet header at hand. */
struct way {
	struct tunnel *tunnel; /* NULL where there is none, or no whole frame inside */
	int32_t segment; /* inside */
};

static struct table tunnels, insiders;
static struct pool tunnel_lists;
static struct hand hands[AT_HAND];
static uint64_t tunnelled, misdirected, tunnel_errors;

static void tunnel_forget(uint32_t row)
{
	struct tunnel *t = AT(tunnels, tunnel, row);
	memset(hands, 0, sizeof hands);
	list_release(&tunnel_lists, &t->list);
	list_release(&tunnel_lists, &t->malformed_list);
	list_release(&tunnel_lists, &t->tagged_list);
	list_release(&tunnel_lists, &t->fragmented_list);
}

static void insider_forget(uint32_t row)
{
	list_release(&tunnel_lists, &AT(insiders, insider, row)->list);
}

/* The IP header in front of a layer, -1 if there is none. */
static inline int ip_before(const struct frame *f, int layer)
{
	int ip = layer - 1;
	while (ip >= 0 && f->kinds[ip] == EXTENSION)
		ip--;
	return ip >= 0 && (f->kinds[ip] == IPV4 || f->kinds[ip] == IPV6) ? ip : -1;
}

static COLD struct tunnel *tunnel_add(const struct frame *f, int ip, int32_t place, int32_t vni, int32_t inner)
{
	const uint8_t *p = f->bytes + f->offsets[ip];
	int is_ipv4 = f->kinds[ip] == IPV4;
	int32_t source = is_ipv4 ? ipv4_number(be32(p + 12)) : ipv6_number(p + 8);
	int32_t destination = is_ipv4 ? ipv4_number(be32(p + 16)) : ipv6_number(p + 24);
	struct tunnel *t = ADD(tunnels, tunnel, key_of(place, source, destination, vni));
	if (t->frames == 0) {
		t->inner = inner;
		t->first = f->time;
	}
	return t;
}

static inline struct tunnel *tunnel_of(const struct frame *f, int ip, int32_t place, int32_t vni, int32_t inner)
{
	const uint8_t *p = f->bytes + f->offsets[ip];
	uint32_t from = be32(p + 12), to = be32(p + 16);
	struct tunnel *t;
	struct hand *hand;
	if (f->kinds[ip] != IPV4)
		return tunnel_add(f, ip, place, vni, inner);
	hand = &hands[mix(from | (uint64_t)to << 32, ((uint32_t)place | (uint64_t)(uint32_t)vni << 32) ^
							     0xe7037ed1a0b428dbULL) & (AT_HAND - 1)];
	if (hand->row != 0 && hand->from == from && hand->to == to && hand->place == (uint32_t)place &&
	    hand->vni == (uint32_t)vni)
		return AT(tunnels, tunnel, hand->row - 1);
	t = tunnel_add(f, ip, place, vni, inner);
	hand->from = from;
	hand->to = to;
	hand->place = (uint32_t)place;
	hand->vni = (uint32_t)vni;
	hand->row = NUMBER(tunnels, tunnel, t) + 1;
	return t;
}

static inline void tunnel_count(struct tunnel *t, const struct frame *f, int layer)
{
	t->frames++;
	t->last = f->time;
	list_layer(&tunnel_lists, &t->list, f, layer);
	/* With more tunnels than there is room for, only the end of the capture tells. */
	if (is_power(t->frames) && tunnels.evicted == 0)
		tunnelled++;
}

static COLD unsigned header_flaws(const uint8_t *p)
{
	uint32_t word = be32(p), known = 0x08000000;
	unsigned flaws = (word & 0x08000000) == 0 ? NO_VNI : 0;
	if ((word & 0x80000000) != 0) {
		flaws |= GROUP_POLICY;
		known |= 0x8048ffff;
	}
	if ((word & 0x04000000) != 0) {
		flaws |= GENERIC;
		known |= 0x373000ff;
	}
	return (word & ~known) != 0 || p[7] != 0 ? flaws | RESERVED : flaws;
}

static inline unsigned inner_flaws(const struct frame *f, int layer, int count)
{
	const uint8_t *p;
	if (layer >= count)
		return f->end < f->wire_length || layer >= MAX_LAYERS ? 0 : NOT_ETHERNET;
	p = f->bytes + f->offsets[layer];
	/* No station has a group address or none at all. */
	return (p[6] & 1) != 0 || (be16(p + 6) == 0 && be32(p + 8) == 0) ? NOT_ETHERNET : 0;
}

/* Whether the outer packet is the first of several fragments. */
static inline int is_first_fragment(const struct frame *f, int ip, int udp)
{
	int layer;
	if (f->kinds[ip] == IPV4)
		return (f->bytes[f->offsets[ip] + 6] & 0x20) != 0;
	for (layer = ip + 1; layer < udp; layer++)
		if (f->bytes[f->offsets[layer - 1] + (f->kinds[layer - 1] == IPV6 ? 6 : 0)] == 44)
			return f->bytes[f->offsets[layer] + 3] & 1;
	return 0;
}

/* A VXLAN header at `layer` that carries the segment `inner`. */
static inline struct way tunnel_observe(const struct frame *f, int layer, int count, int32_t segment, int32_t inner)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *udp = f->bytes + f->offsets[layer - 1], *tag;
	int ip = ip_before(f, layer - 1), ethernet = layer + 1, port = be16(udp + 2);
	struct way way = { NULL, inner };
	struct tunnel *t;
	unsigned flaws;
	/* A program may have the port by accident as source; only what is sent to it is VXLAN. */
	if (ip < 0 || udp_ports[port] != VXLAN)
		return way;
	flaws = be32(p) == 0x08000000 && p[7] == 0 ? 0 : header_flaws(p);
	flaws |= inner_flaws(f, ethernet, count);
	if ((flaws & (NO_VNI | NOT_ETHERNET)) != 0 && be16(udp) < FIRST_USER_PORT)
		return way;
	t = tunnel_of(f, ip, (int32_t)((uint32_t)segment << 16) | port, (int32_t)(be32(p + 4) >> 8), inner);
	tunnel_count(t, f, layer);
	if (is_first_fragment(f, ip, layer - 1)) {
		t->fragmented++;
		list_layer(&tunnel_lists, &t->fragmented_list, f, ip);
	}
	if (flaws != 0) {
		t->flaws |= flaws;
		t->malformed++;
		list_layer(&tunnel_lists, &t->malformed_list, f, layer);
	}
	if (ethernet >= count || (flaws & NOT_ETHERNET) != 0)
		return way;
	tag = f->bytes + f->offsets[ethernet] + 14;
	if (ethernet + 1 < count && f->kinds[ethernet + 1] == VLAN && (be16(tag) & 0xfff) != 0) {
		t->tagged++;
		list_layer(&tunnel_lists, &t->tagged_list, f, ethernet + 1);
	}
	way.tunnel = t;
	return way;
}

static inline struct insider *insider_of(int32_t segment, struct mac mac, struct station *station)
{
	struct key key = key_of(segment, mac.high, mac.low, 0);
	struct insider *i = HINTED(insiders, insider, station->tunnelled, key);
	if (i == NULL) {
		i = ADD(insiders, insider, key);
		station->tunnelled = NUMBER(insiders, insider, i) + 1;
	}
	return i;
}

static inline void insider_restart(struct insider *i)
{
	list_release(&tunnel_lists, &i->list);
	i->right = i->wrong = i->heard_since = 0;
	i->ip = 0;
}

/* A frame for a station was sent to a tunnel end behind which it was not heard. */
static COLD void insider_misdirected(struct insider *i, const struct frame *f, int layer, uint32_t end, int count)
{
	if (i->sent_to != end) {
		/* Sent to several ends: flooded, or its place is being learned. */
		i->sent_to = end;
		insider_restart(i);
	}
	if (i->wrong == 0)
		i->first = f->time;
	i->last = f->time;
	list_layer(&tunnel_lists, &i->list, f, layer);
	if (++i->wrong > 1 && is_power(i->wrong) && insiders.evicted == 0)
		misdirected++;
	if (layer + 1 < count && f->kinds[layer + 1] == IPV4)
		i->ip = ipv4_number(be32(f->bytes + f->offsets[layer + 1] + 16)) + 1;
}

/* The Ethernet header inside, at `layer`. */
static inline void inside_observe(const struct frame *f, int layer, int count, const struct way *way,
				  const struct link *link)
{
	struct tunnel *t = way->tunnel;
	uint32_t from = (uint32_t)(t->key.low >> 32) + 1, to = (uint32_t)t->key.high + 1;
	struct insider *i = insider_of(way->segment, link->from, AT(stations, station, link->sender));
	t->group += link->is_group != 0;
	if (t->sources == 0) {
		t->sources = 1;
		t->source = link->from;
	} else if (!same(t->source, link->from)) {
		t->sources = 2;
	}
	if (i->heard != from) {
		/* It moved, or speaks for the first time: what was sent before went by what was known then. */
		i->heard = from;
		insider_restart(i);
	} else if (i->wrong > 0) {
		i->heard_since++;
	}
	i->heard_number = f->number;
	i->heard_time = f->time;
	if (link->is_group)
		return;
	i = insider_of(way->segment, link->to, AT(stations, station, link->receiver));
	if (i->heard == to)
		i->right++;
	/* What leaves the very end behind which the station is, is a copy for a collector. */
	else if (i->heard != from)
		insider_misdirected(i, f, layer, to, count);
}

/* A UDP header whose payload nobody decodes: noted if it has the shape of VXLAN. */
static inline void stranger_observe(const struct frame *f, int layer, int32_t segment)
{
	const uint8_t *p = f->bytes + f->ends[layer];
	int type, ip, port = be16(f->bytes + f->offsets[layer] + 2);
	if (f->limits[layer] - f->ends[layer] < 22 || be32(p) != 0x08000000 || p[7] != 0 || (p[14] & 1) != 0)
		return;
	type = be16(p + 20);
	ip = ip_before(f, layer);
	if (ip < 0 || (type != 0x0800 && type != 0x0806 && type != 0x8100 && type != 0x86dd))
		return;
	tunnel_count(tunnel_add(f, ip, (int32_t)((uint32_t)segment << 16) | port, (int32_t)(be32(p + 4) >> 8), -1), f, layer);
}

/* An ICMP error. */
static COLD void tunnel_error(const struct frame *f)
{
	int udp = f->quoted_from + 1;
	while (udp < f->layers && f->kinds[udp] == EXTENSION)
		udp++;
	if (udp < f->layers && f->kinds[udp] == UDP && f->statuses[udp] == OK &&
	    udp_ports[be16(f->bytes + f->offsets[udp] + 2)] == VXLAN)
		tunnel_errors++;
}

static void tunnels_init(void)
{
	INIT(tunnels, tunnel, MAX_WAYS, tunnel_forget);
	INIT(insiders, insider, MAX_INSIDERS, insider_forget);
}

#endif
