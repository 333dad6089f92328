/* What the tables hold at the end, by name and in a fixed order: for test/bench/loop.test.ts, and as a check by eye. */
#ifndef COUNTS_H
#define COUNTS_H

#include "network.h"

static void count(const char *name, uint64_t value)
{
	printf("%s %llu\n", name, (unsigned long long)value);
}

static void count_table(const char *name, const struct table *table)
{
	printf("%s %u\n%s.evicted %u\n", name, table->rows, name, table->evicted);
}

/* Adds `expression` up over the rows of a table, as `x`. */
#define SUM(name, table, type, expression) do { \
	uint64_t sum = 0; \
	uint32_t row; \
	for (row = 0; row < (table).rows; row++) { \
		const struct type *x = AT(table, type, row); \
		sum += (uint64_t)(expression); \
	} \
	count(name, sum); \
} while (0)

static void count_stations(void)
{
	count_table("segments", &segments);
	SUM("segments.depth", segments, segment, x->depth);
	count_table("tags", &tags);
	SUM("tags.frames", tags, tag, x->count);
	SUM("tags.shared", tags, tag, x->shared);
	SUM("tags.listed", tags, tag, x->list.count);
	count("tags.told", tagged);
	count_table("stations", &stations);
	SUM("stations.sent", stations, station, x->sent);
	SUM("stations.doubled", stations, station, x->doubled);
	SUM("stations.received", stations, station, x->received);
	SUM("stations.traits", stations, station, x->traits);
	count_table("addresses", &addresses);
	count_table("bindings", &bindings);
	SUM("bindings.claims", bindings, binding, x->claims);
	SUM("bindings.ttl", bindings, binding, x->ttl);
	count_table("unheard", &unheards);
	SUM("unheard.frames", unheards, unheard, x->count);
	SUM("unheard.between", unheards, unheard, x->between);
	SUM("unheard.listed", unheards, unheard, x->list.count);
	count("unheard.told", unheard_told);
	count("copies", copies_reflected + copies_others);
	count("datagrams.circling", circling);
	count("snapped", snapped.count);
	count("oversized", oversized.count);
	count("sameMac", same_mac);
}

static void count_resolutions(void)
{
	count_table("resolutions", &resolutions);
	SUM("resolutions.run", resolutions, resolution, x->run);
	SUM("resolutions.requests", resolutions, resolution, x->requests - x->recovered);
	SUM("resolutions.echoes", resolutions, resolution, x->echoes);
	SUM("resolutions.strays", resolutions, resolution, x->strays);
	SUM("resolutions.answered", resolutions, resolution, x->answer != NEVER);
	SUM("resolutions.repeats", resolutions, resolution, x->repeats);
	SUM("resolutions.listed", resolutions, resolution, x->list.count);
	count("resolutions.unanswered", unanswered);
	count("resolutions.askedAgain", asked_again);
	count_table("refreshes", &refreshes);
	SUM("refreshes.run", refreshes, refresh, x->run);
	SUM("refreshes.sentBefore", refreshes, refresh, x->sent);
	count("refreshes.lost", neighbors_lost);
	count_table("claims", &claims);
	SUM("claims.changes", claims, claim, x->changes);
	SUM("claims.held", claims, claim, x->has_holder);
	count("claims.contested", contested_count);
	count("claims.told", contests + double_answers + usurped);
	count("moves", moves.rows);
	count("announcements", announcements.rows);
	count("solicitors", solicitors.rows);
	count("probes.answered", probes_answered + dad_answered);
	count("arpSenders.told", arp_from_other);
}

static void count_pings(void)
{
	count_table("pings", &pings);
	SUM("pings.requests", pings, ping, x->requests);
	SUM("pings.replies", pings, ping, x->replies);
	SUM("pings.lost", pings, ping, x->lost);
	SUM("pings.strange", pings, ping, x->strange);
	SUM("pings.around", pings, ping, x->around);
	SUM("pings.hops", pings, ping, x->hops);
	count("pings.lostTold", pings_lost);
	count("identifiers", identifiers.rows);
	SUM("doubleReplies.doubled", doubles, doubled, x->count);
	SUM("doubleReplies.repeats", doubles, doubled, x->repeats);
	count_table("echoes", &size_echoes);
	SUM("echoes.requests", size_echoes, size_echo, x->requests);
	SUM("echoes.replies", size_echoes, size_echo, x->replies);
	SUM("echoes.size", size_echoes, size_echo, x->size);
	SUM("echoes.listed", size_echoes, size_echo, x->list.count);
	count("echoes.told", echoes_unanswered);
	count("icmpErrors", icmp_errors.rows);
	count("pathMtus", paths_refused);
	count("fragments", fragmented.rows);
}

/* The longest packet that arrived from one address at another, in any connection. */
struct delivered {
	struct key key; /* place, source, destination */
	int32_t longest;
	uint32_t spare;
};

static void count_delivered(void)
{
	static struct table all;
	uint32_t row;
	int at;
	INIT(all, delivered, 2 * MAX_FLOWS, NULL);
	for (row = 0; row < flows.rows; row++) {
		const struct flow *flow = AT(flows, flow, row);
		uint64_t lower = flow->key.low >> 32, higher = (uint32_t)flow->key.high;
		for (at = 0; at < 2; at++) {
			struct key key = { (uint32_t)flow->key.low | (at == 0 ? lower : higher) << 32,
					   at == 0 ? higher : lower };
			struct delivered *d = ADD(all, delivered, key);
			if (flow->ends[at].delivered > d->longest)
				d->longest = flow->ends[at].delivered;
		}
	}
	SUM("flows.delivered", all, delivered, x->longest);
}

static void count_flows(void)
{
	count_table("flows", &flows);
	SUM("flows.sent", flows, flow, (uint64_t)x->ends[0].sent + x->ends[1].sent);
	count_delivered();
	SUM("flows.state", flows, flow, x->state);
	count("handshakes", handshakes.rows);
	count("retransmissions", retransmissions.rows);
	count("windows", windows.rows);
	count("resets", resets.rows);
	count_table("tunnels", &tunnels);
	SUM("tunnels.frames", tunnels, tunnel, x->frames);
	SUM("tunnels.group", tunnels, tunnel, x->group);
	SUM("tunnels.malformed", tunnels, tunnel, x->malformed);
	SUM("tunnels.oneSource", tunnels, tunnel, x->sources == 1);
	SUM("tunnels.listed", tunnels, tunnel, x->list.count);
	count("tunnels.told", tunnelled);
	count_table("tunnelStations", &insiders);
	SUM("tunnelStations.right", insiders, insider, x->right);
	SUM("tunnelStations.wrong", insiders, insider, x->wrong);
	SUM("tunnelStations.heard", insiders, insider, x->heard != 0);
	SUM("tunnelStations.heardSince", insiders, insider, x->heard_since);
	count("tunnelStations.told", misdirected);
	count("tunnelErrors", tunnel_errors);
}

#endif
