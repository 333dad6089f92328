/*
 * Stations, addresses and bindings (which station uses which address), as src/network/link/stations.ts, addresses.ts and
 * bindings.ts. A station remembers the source addresses that it used last, so that most packets are done with its row.
 */
#ifndef STATIONS_H
#define STATIONS_H

#include "segments.h"

enum { MAX_STATIONS = 1 << 17, MAX_ADDRESSES = 1 << 17, MAX_BINDINGS = 1 << 17, MAX_OWNERS = 1 << 16, OWNED = 4 };
enum trait { REFLECTED = 8, INSIDE = 16, TO_ITSELF = 32, TUNNELS = 64 };
enum claim_kind { REQUESTED = 1, REPLIED = 2, ANNOUNCED = 4, SOURCED = 8, ASKED = 16, OWN = 7 };

/* One cache line. */
struct station {
	struct key key; /* segment, high, low, 0 */
	uint32_t sent, doubled, traits, received;
	uint32_t unheard, tunnelled; /* rows of `unheards` and `insiders` and 1 */
	uint32_t source, source_number; /* its latest IPv4 source, the row of `addresses` and 1 */
	uint32_t source6_number; /* the same of IPv6 */
	uint32_t era; /* of these */
	uint32_t spare[2];
};

struct address {
	struct key key; /* 128 bits; IPv4 mapped into IPv6 */
};

struct binding {
	struct key key; /* segment, high, low, address */
	uint32_t claims, sourced, delivered, before, ttl;
	uint32_t spare[3];
};

/* The first addresses that a station claimed. */
struct owner {
	struct key key; /* segment, high, low, 0 */
	uint32_t count;
	int32_t owned[OWNED];
	uint32_t spare[3];
};

/* What is known of the Ethernet header at hand. */
struct link {
	int32_t segment;
	struct mac from, to;
	int is_group, is_copy, is_outermost;
	uint32_t sender, receiver; /* rows of `stations`; the receiver's only of unicast */
};

static struct table stations, addresses, bindings, owners;
static uint32_t contested_count;
static uint64_t same_mac, own_mac;

/* Changes when a row is given up that a station may rely on. */
static inline uint32_t binding_era(void)
{
	return bindings.evicted + addresses.evicted;
}

static inline int32_t ipv4_number(uint32_t bits)
{
	struct address *address = ADD(addresses, address, key_of(0, 0, 0xffff, (int32_t)bits));
	return (int32_t)NUMBER(addresses, address, address);
}

static inline struct key ipv6_key(const uint8_t *p)
{
	struct key key = { load64(p), load64(p + 8) };
	return key;
}

static inline int32_t ipv6_number(const uint8_t *p)
{
	struct address *address = ADD(addresses, address, ipv6_key(p));
	return (int32_t)NUMBER(addresses, address, address);
}

static inline struct binding *binding_find(int32_t segment, struct mac mac, int32_t address)
{
	return FIND(bindings, binding, key_of(segment, mac.high, mac.low, address));
}

static COLD void owner_add(int32_t segment, struct mac mac, int32_t address)
{
	struct owner *owner = ADD(owners, owner, key_of(segment, mac.high, mac.low, 0));
	uint32_t i;
	/* A binding that was given up for others comes anew. */
	for (i = 0; i < owner->count; i++)
		if (owner->owned[i] == address)
			return;
	if (owner->count < OWNED)
		owner->owned[owner->count++] = address;
}

static inline struct binding *binding_claim(int32_t segment, struct mac mac, int32_t address, unsigned claim)
{
	struct binding *binding = ADD(bindings, binding, key_of(segment, mac.high, mac.low, address));
	if ((claim & OWN) != 0 && (binding->claims & OWN) == 0)
		owner_add(segment, mac, address);
	binding->claims |= claim;
	return binding;
}

static inline void binding_source(const struct link *link, int32_t address, int ttl)
{
	struct binding *binding =
		ADD(bindings, binding, key_of(link->segment, link->from.high, link->from.low, address));
	if (binding->ttl == 0)
		binding->ttl = ttl;
	binding->claims |= SOURCED;
	binding->sourced++;
}

static COLD void binding_deliver(const struct link *link, int32_t address)
{
	struct binding *binding = binding_find(link->segment, link->to, address);
	if (binding != NULL)
		binding->delivered++;
}

/* An IPv4 source; all packets are counted once an address is contested, before that one is as good as many. */
static inline int32_t station_uses(const struct link *link, uint32_t source, int ttl)
{
	struct station *station = AT(stations, station, link->sender);
	int32_t number;
	if (station->era == binding_era() && station->source_number != 0 && station->source == source &&
	    contested_count == 0)
		return (int32_t)station->source_number - 1;
	number = ipv4_number(source);
	binding_source(link, number, ttl);
	if (station->era != binding_era())
		station->source6_number = 0;
	station->era = binding_era();
	station->source = source;
	station->source_number = (uint32_t)number + 1;
	return number;
}

/* The same of IPv6. */
static inline int32_t station_uses6(const struct link *link, const uint8_t *source, int ttl)
{
	struct station *station = AT(stations, station, link->sender);
	int32_t number;
	if (station->era == binding_era() && contested_count == 0 &&
	    HINTED(addresses, address, station->source6_number, ipv6_key(source)) != NULL)
		return (int32_t)station->source6_number - 1;
	number = ipv6_number(source);
	binding_source(link, number, ttl);
	if (station->era != binding_era())
		station->source_number = 0;
	station->era = binding_era();
	station->source6_number = (uint32_t)number + 1;
	return number;
}

/* The number of an IPv4 address that may be the sender's own. */
static inline int32_t number_of(const struct link *link, uint32_t bits)
{
	const struct station *station = AT(stations, station, link->sender);
	if (station->source_number != 0 && station->source == bits && station->era == binding_era())
		return (int32_t)station->source_number - 1;
	return ipv4_number(bits);
}

static inline int32_t number6_of(const struct link *link, const uint8_t *p)
{
	const struct station *station = AT(stations, station, link->sender);
	struct address *address = HINTED(addresses, address, station->source6_number, ipv6_key(p));
	return address != NULL ? (int32_t)NUMBER(addresses, address, address) : ipv6_number(p);
}

/* A frame comes in from a station whose frames go out here. */
static COLD void station_comes_back(struct station *station, const struct link *link)
{
	if (!link->is_group)
		station->traits |= link->is_copy ? REFLECTED : INSIDE;
	else if (!link->is_copy)
		own_mac++;
}

/* Counts a frame from one station to another. */
static inline void stations_observe(const struct frame *f, struct link *link)
{
	struct station *station = ADD(stations, station, key_of(link->segment, link->from.high, link->from.low, 0));
	int direction = link->is_outermost ? f->direction : 0;
	station->sent++;
	station->doubled += link->is_copy;
	station->traits |= 1 << direction;
	link->sender = NUMBER(stations, station, station);
	if (direction == 1 && (station->traits & 4) != 0)
		station_comes_back(station, link);
	if (link->is_group)
		return;
	if (same(link->from, link->to) && (link->from.high | link->from.low) != 0) {
		station->traits |= TO_ITSELF;
		same_mac++;
	}
	station = ADD(stations, station, key_of(link->segment, link->to.high, link->to.low, 0));
	station->received = 1;
	link->receiver = NUMBER(stations, station, station);
}

static void stations_init(void)
{
	INIT(stations, station, MAX_STATIONS, NULL);
	INIT(addresses, address, MAX_ADDRESSES, NULL);
	INIT(bindings, binding, MAX_BINDINGS, NULL);
	INIT(owners, owner, MAX_OWNERS, NULL);
}

#endif
