/*
 * What every frame adds to the tables, as src/network/network.ts: the headers included here are its tables by subject,
 * for the frames that the corpora have. Rules ask them; here nobody does.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "arp.h"
#include "copies.h"
#include "datagrams.h"
#include "flows.h"
#include "fragments.h"
#include "icmp.h"
#include "neighbors.h"
#include "tunnels.h"
#include "unheard.h"

/* An IPv4 packet behind a link header. */
static inline void observe_ipv4(const struct frame *f, const struct link *link, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	if (!link->is_copy) {
		if ((be16(p + 6) & 0x3fff) != 0)
			fragment_ipv4(f, layer, link->segment);
		if (paths_refused > 0 && (p[6] & 0x40) != 0)
			packets_on_refused_paths++;
		if (moves.rows > 0 && !link->is_group)
			moves_packet(f, layer, link);
	}
	station_uses(link, be32(p + 12), p[8]);
	if (contested_count > 0)
		binding_deliver(link, ipv4_number(be32(p + 16)));
}

static inline void observe_ipv6(const struct frame *f, const struct link *link, int layer, int count)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	int32_t source = station_uses6(link, p + 8, p[7]);
	int inner = layer + 1;
	if (contested_count > 0)
		binding_deliver(link, ipv6_number(p + 24));
	for (; inner < count && f->kinds[inner] == EXTENSION; inner++)
		if (!link->is_copy)
			fragment_ipv6(f, layer, inner, link->segment);
	if (inner < count && f->kinds[inner] == ICMPV6)
		resolve_neighbor(f, link, inner, layer, source);
}

/* The VLAN tags behind a link header, from `layer` on; returns the layer behind them. */
static inline int observe_tags(const struct frame *f, struct link *link, int layer, int count)
{
	int first = layer;
	for (; layer < count && f->kinds[layer] == VLAN; layer++) {
		const uint8_t *p = f->bytes + f->offsets[layer];
		int id = be16(p) & 0xfff;
		if (id != 0) {
			if ((link->segment = child_segment(TAGGED, link->segment, id)) < 0)
				return count;
			note_tpid(link->segment, be16(p - 2));
		}
		if (id == 0 || layer > first)
			tag_note(f, layer, link->segment, layer > first, link->from);
	}
	return layer;
}

/* An Ethernet header, its tags, and the packet in it; returns the layer behind. */
static inline int observe_link(const struct frame *f, struct link *link, struct way *way, int at, int count)
{
	const uint8_t *p = f->bytes + f->offsets[at];
	int layer, kind;
	link->to = mac_at(p);
	link->from = mac_at(p + 6);
	link->is_group = link->to.high & 0x100;
	link->is_outermost = at == 0;
	layer = observe_tags(f, link, at + 1, count);
	if (link->segment < 0)
		return count;
	stations_observe(f, link);
	if (way->tunnel != NULL) {
		inside_observe(f, at, count, way, link);
		way->tunnel = NULL;
	}
	kind = layer < count ? f->kinds[layer] : NONE;
	if (!link->is_copy && !link->is_group) {
		if (at == 0 && f->direction != 2)
			unheard_observe(f, layer, link);
		if (kind == IPV4 || kind == IPV6)
			datagrams_observe(f, layer, link);
	}
	switch (kind) {
	case ARP: resolve_arp(f, link, layer); break;
	case IPV4: observe_ipv4(f, link, layer); break;
	case IPV6: observe_ipv6(f, link, layer, count); break;
	default: return layer;
	}
	return layer + 1;
}

static inline void observe(const struct frame *f)
{
	struct link link = { 0 };
	struct way way = { NULL, 0 };
	int count = f->layers < f->quoted_from ? f->layers : f->quoted_from, layer = 0;
	int32_t inner;
	if (f->time >= ripe_at)
		ripen(f->time);
	if (f->time >= refresh_ripe_at)
		refresh_ripen(f->time);
	observe_quality(f);
	AT(segments, segment, 0)->directions |= 1 << f->direction;
	if (count > 0 && f->statuses[count - 1] != OK)
		count--;
	if (count == 0)
		return;
	link.is_copy = copies_observe(f, 0);
	while (layer < count && link.segment >= 0) {
		switch (f->kinds[layer]) {
		case ETHERNET:
			layer = observe_link(f, &link, &way, layer, count);
			continue;
		case TCP:
			if (!link.is_copy)
				tcp_observe(f, layer, &link);
			break;
		case UDP:
			if (layer + 1 < count && f->kinds[layer + 1] == DATA)
				stranger_observe(f, layer, link.segment);
			break;
		case ICMP: icmp_observe(f, &link, layer); break;
		case ICMPV6: icmpv6_observe(f, &link, layer); break;
		case VXLAN:
			AT(stations, station, link.sender)->traits |= TUNNELS;
			inner = child_segment(TUNNELLED, link.segment, be32(f->bytes + f->offsets[layer] + 4) >> 8);
			if (inner >= 0)
				way = tunnel_observe(f, layer, count, link.segment, inner);
			link.segment = inner;
			break;
		default: break;
		}
		layer++;
	}
	if (f->quoted_from != MAX_LAYERS && link.segment >= 0)
		tunnel_error(f);
}

static void network_init(void)
{
	segments_init();
	stations_init();
	INIT(unheards, unheard, MAX_UNHEARD, unheard_forget);
	resolutions_init();
	refreshes_init();
	claims_init();
	probes_init();
	neighbors_init();
	fragments_init();
	icmp_init();
	flows_init();
	tunnels_init();
}

/* What the end of a capture decides. */
static void network_finish(void)
{
	resolutions_finish();
	refreshes_finish();
	icmp_finish();
	handshakes_finish();
	streams_finish();
	unheard_finish();
	pings_finish();
}

#endif
