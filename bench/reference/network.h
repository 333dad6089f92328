/*
 * What src/network keeps, for the frames that the corpora have: segments, stations, addresses, bindings, copies,
 * and per frame the same entries in them. ARP and neighbor discovery are in resolver.h.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "copies.h"
#include "decode.h"
#include "table.h"

#define NEVER INT64_MIN

struct segment {
	struct key key; /* kind, parent or port, id, 0 */
	int32_t depth, base;
	uint32_t directions;
};

struct station {
	struct key key; /* segment, high, low, 0 */
	uint32_t sent, doubled, received, directions;
};

struct address {
	struct key key; /* 128 bits; IPv4 mapped into IPv6 */
};

struct binding {
	struct key key; /* segment, high, low, address */
	uint32_t claims, sourced, delivered, before;
};

enum segment_kind { PORT = 1, TAGGED, TUNNELLED };
enum claim_kind { REQUESTED = 1, REPLIED = 2, ANNOUNCED = 4, SOURCED = 8, ASKED = 16 };

struct mac {
	int32_t high, low;
};

/* What is known of the Ethernet header at hand. */
struct link {
	int32_t segment;
	struct mac from, to;
	int is_group, is_copy;
};

/* IPv4 packets that passed lately: what their like adds to stations and bindings is there already. */
enum { RECENT_SLOTS = 1 << 12, LONGEST_ON_WIRE = 1522 };

struct recent {
	struct mac from, to;
	uint32_t source;
	int32_t segment; /* and 1: 0 is an empty slot */
};

static struct recent recents[RECENT_SLOTS];
static uint64_t snapped, disordered, oversized;
static int64_t latest = INT64_MIN, longest_back;
static int shortest = INT32_MAX, longest;

static struct table segments, stations, addresses, bindings;
static uint32_t contested_count;
static uint64_t same_mac;

static inline struct mac mac_at(const uint8_t *p)
{
	struct mac mac = { be16(p), (int32_t)be32(p + 2) };
	return mac;
}

static inline int same(struct mac a, struct mac b)
{
	return a.high == b.high && a.low == b.low;
}

static inline int32_t ipv4_number(uint32_t address)
{
	void *row = table_add(&addresses, sizeof(struct address), key_of(0, 0, 0xffff, (int32_t)address));
	return table_row(&addresses, sizeof(struct address), row);
}

static inline int32_t ipv6_number(const uint8_t *p)
{
	struct key key = { load64(p), load64(p + 8) };
	return table_row(&addresses, sizeof(struct address), table_add(&addresses, sizeof(struct address), key));
}

static inline int32_t child_segment(enum segment_kind kind, int32_t parent, int32_t id)
{
	struct key key = key_of(kind, parent, id, 0);
	struct segment *segment = table_find(&segments, sizeof *segment, key);
	if (segment == NULL) {
		const struct segment *above = (struct segment *)segments.rows_at + parent;
		int32_t depth = above->depth + 1, base = above->base;
		if (segments.rows == segments.maximum)
			return -1;
		segment = table_insert(&segments, key);
		segment->depth = depth;
		segment->base = base;
	}
	return table_row(&segments, sizeof *segment, segment);
}

static inline struct binding *binding_claim(const struct link *link, struct mac mac, int32_t address, unsigned claim)
{
	struct binding *binding =
		table_add(&bindings, sizeof *binding, key_of(link->segment, mac.high, mac.low, address));
	binding->claims |= claim;
	return binding;
}

static inline void binding_source(const struct link *link, int32_t address)
{
	binding_claim(link, link->from, address, SOURCED)->sourced++;
}

static inline void binding_deliver(const struct link *link, int32_t address)
{
	struct binding *binding =
		table_find(&bindings, sizeof *binding, key_of(link->segment, link->to.high, link->to.low, address));
	if (binding != NULL)
		binding->delivered++;
}

static inline int is_recent(const struct link *link, uint32_t source)
{
	uint64_t h = mix((uint32_t)link->from.low ^ (uint64_t)source << 32 ^ 0xa0761d6478bd642fULL,
			 (uint32_t)link->to.low ^ (uint64_t)(uint32_t)link->segment << 32 ^ 0xe7037ed1a0b428dbULL);
	struct recent *r = &recents[h & (RECENT_SLOTS - 1)];
	if (r->source == source && r->segment == link->segment + 1 && same(r->from, link->from) && same(r->to, link->to))
		return 1;
	r->source = source;
	r->segment = link->segment + 1;
	r->from = link->from;
	r->to = link->to;
	return 0;
}

static inline void station_receives(const struct link *link)
{
	struct station *station =
		table_add(&stations, sizeof *station, key_of(link->segment, link->to.high, link->to.low, 0));
	station->received++;
}

/* What the capture shows of its own making, as src/network/capture-quality.ts. */
static inline void observe_quality(const struct frame *f)
{
	if (f->end < f->wire_length) {
		snapped++;
		if (f->end < shortest)
			shortest = f->end;
	}
	if (f->time > latest) {
		latest = f->time;
	} else if (latest - f->time > 100000000) {
		disordered++;
		if (latest - f->time > longest_back)
			longest_back = latest - f->time;
	}
	if (f->wire_length > LONGEST_ON_WIRE) {
		oversized++;
		if (f->wire_length > longest)
			longest = f->wire_length;
	}
}

#include "resolver.h"

static inline void observe_ip(const struct frame *f, const struct link *link, int layer, int count)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	int inner = layer + 1;
	if (f->kinds[layer] == IPV4) {
		if (is_recent(link, be32(p + 12)) && contested_count == 0)
			return;
		if (!link->is_group)
			station_receives(link);
		binding_source(link, ipv4_number(be32(p + 12)));
		if (contested_count > 0)
			binding_deliver(link, ipv4_number(be32(p + 16)));
		return;
	}
	binding_source(link, ipv6_number(p + 8));
	if (contested_count > 0)
		binding_deliver(link, ipv6_number(p + 24));
	while (inner < count && f->kinds[inner] == EXTENSION)
		inner++;
	if (inner < count && f->kinds[inner] == ICMPV6)
		resolve_neighbor(f, link, inner, layer);
}

/* An Ethernet header, its tags, and the packet in it; returns the layer behind. */
static inline int observe_link(const struct frame *f, struct link *link, int layer, int count)
{
	static struct key last_key;
	static struct station *last_station;
	static char *last_rows;
	const uint8_t *p = f->bytes + f->offsets[layer];
	struct station *station;
	struct key key;
	link->to = mac_at(p);
	link->from = mac_at(p + 6);
	link->is_group = link->to.high & 0x100;
	for (layer++; layer < count && f->kinds[layer] == VLAN; layer++) {
		int id = be16(f->bytes + f->offsets[layer]) & 0xfff;
		if (id != 0 && (link->segment = child_segment(TAGGED, link->segment, id)) < 0)
			return count;
	}
	key = key_of(link->segment, link->from.high, link->from.low, 0);
	if (last_rows == stations.rows_at && last_key.low == key.low && last_key.high == key.high)
		station = last_station;
	else
		station = table_add(&stations, sizeof *station, key);
	last_key = key;
	last_station = station;
	last_rows = stations.rows_at;
	station->sent++;
	station->doubled += link->is_copy;
	station->directions |= 1;
	if (!link->is_group && same(link->from, link->to))
		same_mac++;
	if (layer < count && f->kinds[layer] == IPV4) {
		observe_ip(f, link, layer, count);
		return layer + 1;
	}
	if (!link->is_group)
		station_receives(link);
	if (layer == count)
		return layer;
	switch (f->kinds[layer]) {
	case ARP:
		resolve_arp(f, link, layer);
		return layer + 1;
	case IPV6:
		observe_ip(f, link, layer, count);
		return layer + 1;
	default:
		return layer;
	}
}

static void network_init(void)
{
	struct segment *port;
	table_init(&segments, sizeof(struct segment), 1 << 16, NULL);
	table_init(&stations, sizeof(struct station), 1 << 17, NULL);
	table_init(&addresses, sizeof(struct address), 1 << 17, NULL);
	table_init(&bindings, sizeof(struct binding), 1 << 17, NULL);
	resolver_init();
	/* A pcap file has one interface: its segment is row 0. */
	port = table_insert(&segments, key_of(PORT, 0, 0, 0));
	port->base = 0;
}

static inline void observe(const struct frame *f)
{
	struct link link = { 0 };
	int count = f->layers < f->quoted_from ? f->layers : f->quoted_from, layer = 0;
	if (f->time >= ripe_at)
		ripen(f->time);
	observe_quality(f);
	((struct segment *)segments.rows_at)->directions |= 1;
	if (count > 0 && f->statuses[count - 1] != OK)
		count--;
	if (count == 0)
		return;
	link.is_copy = copies_observe(f, 0);
	while (layer < count && link.segment >= 0) {
		if (f->kinds[layer] == ETHERNET) {
			layer = observe_link(f, &link, layer, count);
		} else {
			if (f->kinds[layer] == VXLAN)
				link.segment = child_segment(TUNNELLED, link.segment,
							     be32(f->bytes + f->offsets[layer] + 4) >> 8);
			layer++;
		}
	}
}

#endif
