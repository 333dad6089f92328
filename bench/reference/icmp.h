/*
 * Pings by size (src/network/icmp/echoes.ts), and what src/network/icmp/icmp-reader.ts makes of ICMP. Of errors only the rows of
 * icmp-errors.ts are kept; of path MTUs, that there is one.
 */
#ifndef ICMP_H
#define ICMP_H

#include "pings.h"

enum { MAX_ECHOES = 1 << 13, MAX_ERRORS = 1 << 11, TRACEROUTE_HOPS = 30 };

struct size_echo {
	struct key key; /* segment, source, destination, identifier << 16 | size */
	int64_t first, last;
	struct mac to;
	uint32_t requests, replies;
	struct list list;
	uint32_t size;
};

/* Row of the latest request of a ping. */
struct latest_echo {
	struct key key; /* as of `ping` */
	uint32_t row;
	uint32_t spare[3];
};

struct icmp_error {
	struct key key; /* segment, reporter, destination of the quoted packet, kind */
	int64_t first, last;
	struct list list;
	uint32_t count;
};

static struct table size_echoes, latest_echoes, icmp_errors;
static uint64_t echoes_unanswered, errors_told, paths_refused, packets_on_refused_paths;
/* Changes when a row of `latest_echoes` may no longer say what its ping wrote there. */
static uint32_t latest_writes;

static void size_echo_forget(uint32_t row)
{
	list_release(&icmp_lists, &AT(size_echoes, size_echo, row)->list);
}

static void icmp_error_forget(uint32_t row)
{
	list_release(&icmp_lists, &AT(icmp_errors, icmp_error, row)->list);
}

static inline uint32_t latest_era(void)
{
	return latest_echoes.evicted + latest_writes + 1;
}

static struct size_echo *size_echo_add(struct key key, int size)
{
	uint32_t hash = key_hash(key);
	struct size_echo *e = FIND_BY(size_echoes, size_echo, key, hash);
	if (e == NULL) {
		e = INSERT_BY(size_echoes, size_echo, key, hash);
		e->size = (uint32_t)size;
	}
	return e;
}

/* `hint` is the row and 1, as far as it is known. */
static uint32_t latest_note(struct key key, uint32_t hash, uint32_t hint, uint32_t row)
{
	struct latest_echo *latest = HINTED(latest_echoes, latest_echo, hint, key);
	if (latest == NULL)
		latest = FIND_BY(latest_echoes, latest_echo, key, hash);
	if (latest == NULL)
		latest = INSERT_BY(latest_echoes, latest_echo, key, hash);
	latest->row = row;
	return NUMBER(latest_echoes, latest_echo, latest) + 1;
}

/* `ping` is its row, NULL for a traceroute or a group. */
static inline void size_echo_request(struct ping *ping, struct key ping_key, uint32_t hash, const struct frame *f,
				     const struct link *link, const struct echo *echo, int size)
{
	struct key key = key_of(link->segment, echo->source, echo->destination,
				(int32_t)((uint32_t)echo->id << 16 | (uint32_t)size));
	struct size_echo *e = ping == NULL ? NULL : HINTED(size_echoes, size_echo, ping->echo, key);
	uint32_t row;
	int is_new = e == NULL;
	if (is_new)
		e = size_echo_add(key, size);
	row = NUMBER(size_echoes, size_echo, e);
	if (e->requests++ == 0)
		e->first = f->time;
	e->last = f->time;
	e->to = link->to;
	list_layer(&icmp_lists, &e->list, f, echo->layer);
	if (ping == NULL) {
		latest_writes++;
		latest_note(ping_key, hash, 0, row);
	} else if (is_new || ping->latest_era != latest_era()) {
		ping->latest = latest_note(ping_key, hash, ping->latest, row);
		ping->latest_era = latest_era();
		ping->echo = row + 1;
	}
	if (e->requests >= 4 && is_power(e->requests) && e->replies == 0 && size_echoes.evicted == 0)
		echoes_unanswered++;
}

/* Some hosts answer a long request with a short reply. */
static inline void size_echo_reply(struct ping *ping, struct key ping_key, uint32_t hash, const struct link *link,
				   const struct echo *echo, int size)
{
	struct key key = key_of(link->segment, echo->source, echo->destination,
				(int32_t)((uint32_t)echo->id << 16 | (uint32_t)size));
	struct size_echo *e = ping == NULL ? NULL : HINTED(size_echoes, size_echo, ping->echo, key);
	if (e == NULL)
		e = FIND(size_echoes, size_echo, key);
	if (e == NULL) {
		struct latest_echo *latest = FIND_BY(latest_echoes, latest_echo, ping_key, hash);
		e = latest != NULL ? AT(size_echoes, size_echo, latest->row) : size_echo_add(key, size);
	}
	e->replies++;
}

/* One packet of a ping in all its tables. `counts` is whether it may be one that must arrive, `is_whole` no fragment. */
static inline void echo_observe(const struct frame *f, const struct link *link, const struct echo *echo, int is_request,
				int counts, int is_whole, int size)
{
	struct key key = key_of(link->segment, echo->source, echo->destination, echo->id);
	uint32_t hash = key_hash(key);
	struct ping *ping = FIND_BY(pings, ping, key, hash);
	struct doubled *d;
	if (is_request) {
		if (counts && ping == NULL)
			ping = ping_begin(key, hash);
		if (counts) {
			ping_request(ping, f, link, echo);
			if (echo->identification >= 0)
				doubled_request(doubled_of(ping, hash, 1), f, echo);
		}
		if (is_whole)
			size_echo_request(counts ? ping : NULL, key, hash, f, link, echo, size);
		return;
	}
	if (ping == NULL && !ping_from_stranger(f, link, echo))
		ping = ping_begin(key, hash);
	if (ping != NULL)
		ping_reply(ping, f, link, echo);
	if (echo->identification >= 0) {
		d = ping != NULL ? doubled_of(ping, hash, 0) : FIND_BY(doubles, doubled, key, hash);
		if (d != NULL)
			doubled_reply(d, f, link, echo);
	}
	if (is_whole)
		size_echo_reply(ping, key, hash, link, echo, size);
}

/* An error about a packet; of too big packets only that there is one. */
static COLD void icmp_error_observe(const struct frame *f, const struct link *link, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *ip = f->bytes + f->offsets[layer - 1], *quoted;
	int is_ipv6 = f->kinds[layer] == ICMPV6;
	struct icmp_error *e;
	if (f->quoted_from >= f->layers || f->statuses[f->quoted_from] != OK)
		return;
	quoted = f->bytes + f->offsets[f->quoted_from];
	if (f->quoted_from + 1 < f->layers && (f->kinds[f->quoted_from + 1] == ICMP || f->kinds[f->quoted_from + 1] == ICMPV6))
		pings_refused++;
	if (is_ipv6 ? p[0] == 2 : p[0] == 3 && p[1] == 4) {
		paths_refused++;
		return;
	}
	if (is_ipv6 ? p[0] != 1 && p[0] != 3 : p[0] != 3 && p[0] != 5 && p[0] != 11)
		return;
	if (f->kinds[f->quoted_from] != (is_ipv6 ? IPV6 : IPV4))
		return;
	e = ADD(icmp_errors, icmp_error,
		key_of(link->segment, is_ipv6 ? ipv6_number(ip + 8) : ipv4_number(be32(ip + 12)),
		       is_ipv6 ? ipv6_number(quoted + 24) : ipv4_number(be32(quoted + 16)),
		       is_ipv6 << 16 | p[0] << 8 | p[1]));
	if (e->count++ == 0)
		e->first = f->time;
	e->last = f->time;
	list_append(&icmp_lists, &e->list, f->number, f->offsets[layer], f->limits[layer] - f->offsets[layer]);
	errors_told += is_power(e->count);
}

/* An ICMP header. */
static inline void icmp_observe(const struct frame *f, const struct link *link, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *ip;
	struct echo echo = { .layer = layer };
	int32_t from, to;
	if (layer == 0 || f->kinds[layer - 1] != IPV4 || link->is_copy)
		return;
	if (p[0] != 8 && p[0] != 0) {
		if (f->quoted_from < f->layers)
			icmp_error_observe(f, link, layer);
		return;
	}
	ip = f->bytes + f->offsets[layer - 1];
	from = number_of(link, be32(ip + 12));
	to = ipv4_number(be32(ip + 16));
	echo.source = p[0] == 8 ? from : to;
	echo.destination = p[0] == 8 ? to : from;
	echo.id = be16(p + 4);
	echo.sequence = be16(p + 6);
	echo.hops = ip[8];
	echo.identification = be16(ip + 4);
	echo_observe(f, link, &echo, p[0] == 8, ip[8] > TRACEROUTE_HOPS && !link->is_group && ip[16] >> 4 < 14,
		     (ip[6] & 0x20) == 0, be16(ip + 2));
}

/* An ICMPv6 header. */
static inline void icmpv6_observe(const struct frame *f, const struct link *link, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *header;
	struct echo echo = { .layer = layer, .identification = -1 };
	int ip = layer - 1, size;
	int32_t from, to;
	if (link->is_copy)
		return;
	if (p[0] != 128 && p[0] != 129) {
		if (ip >= 0 && f->kinds[ip] == IPV6 && f->quoted_from < f->layers)
			icmp_error_observe(f, link, layer);
		return;
	}
	while (ip > 0 && f->kinds[ip] == EXTENSION)
		ip--;
	if (ip < 0 || f->kinds[ip] != IPV6)
		return;
	header = f->bytes + f->offsets[ip];
	from = number6_of(link, header + 8);
	to = ipv6_number(header + 24);
	size = be16(header + 4) + 40;
	echo.source = p[0] == 128 ? from : to;
	echo.destination = p[0] == 128 ? to : from;
	echo.id = be16(p + 4);
	echo.sequence = be16(p + 6);
	echo.hops = header[7];
	/* Extension headers in front are left alone: fragments have a fate of their own. */
	echo_observe(f, link, &echo, p[0] == 128, header[7] > TRACEROUTE_HOPS && header[24] != 0xff,
		     ip == layer - 1 && size <= 0xffff, size);
}

static void icmp_finish(void)
{
	uint32_t row;
	for (row = 0; row < icmp_errors.rows; row++)
		errors_told += !is_power(AT(icmp_errors, icmp_error, row)->count);
}

static void icmp_init(void)
{
	pings_init();
	INIT(size_echoes, size_echo, MAX_ECHOES, size_echo_forget);
	INIT(latest_echoes, latest_echo, MAX_ECHOES, NULL);
	INIT(icmp_errors, icmp_error, MAX_ERRORS, icmp_error_forget);
}

#endif
