/*
 * The decoder of src/wire for the headers that the corpora have, as one loop in C: the same checks, the same
 * columns per layer, the same limits. What no corpus has (802.3, GRE, Geneve, DHCP, ...) is "data" here.
 */
#ifndef DECODE_H
#define DECODE_H

#include "bytes.h"

enum protocol { NONE, ETHERNET, VLAN, ARP, IPV4, IPV6, EXTENSION, ICMP, ICMPV6, UDP, TCP, VXLAN, DATA };
enum status { OK, SNAPPED, TOO_SHORT, BAD_LENGTH, BAD_VERSION, TOO_DEEP };
enum { MAX_LAYERS = 32, MAX_TUNNELS = 4 };

#define MILLISECONDS 1000000LL
#define SECONDS 1000000000LL
/* Before every time stamp that 32 bits of seconds can tell, and not so far that a difference overflows. */
#define NEVER (-(1LL << 62))

struct frame {
	const uint8_t *bytes;
	int end, wire_length;
	int64_t time; /* nanoseconds since 1970 */
	uint32_t number;
	int direction; /* unknown, in, out: no Ethernet in a pcap file tells it */
	int layers, quoted_from, tunnels;
	int cursor, limit, wire_limit; /* where the bytes at hand end, and where they ended on the wire */
	uint8_t kinds[MAX_LAYERS], statuses[MAX_LAYERS];
	int32_t offsets[MAX_LAYERS], ends[MAX_LAYERS], limits[MAX_LAYERS];
};

/* Port to protocol, as `udpPortTable`; what no corpus has is not decoded. */
static uint8_t udp_ports[65536];

static inline enum protocol record(struct frame *f, enum protocol kind, int end, enum status status, enum protocol next)
{
	int i = f->layers++;
	f->kinds[i] = kind;
	f->offsets[i] = f->cursor;
	f->ends[i] = end;
	f->limits[i] = f->limit;
	f->statuses[i] = status;
	f->cursor = end;
	return next;
}

static inline enum protocol fail(struct frame *f, enum protocol kind, enum status status)
{
	return record(f, kind, f->limit, status, NONE);
}

static inline enum protocol cut(struct frame *f, enum protocol kind)
{
	return fail(f, kind, f->limit < f->wire_limit ? SNAPPED : TOO_SHORT);
}

static inline void narrow(struct frame *f, int limit)
{
	if (limit < f->wire_limit)
		f->wire_limit = limit;
	if (limit < f->limit)
		f->limit = limit;
}

static inline enum protocol of_type(struct frame *f, uint16_t type)
{
	if (type <= 1500) {
		narrow(f, f->cursor + type);
		return DATA;
	}
	switch (type) {
	case 0x0800: return IPV4;
	case 0x86dd: return IPV6;
	case 0x0806: case 0x8035: return ARP;
	case 0x8100: case 0x88a8: case 0x9100: case 0x9200: case 0x9300: return VLAN;
	default: return DATA;
	}
}

static inline enum protocol of_ip(uint8_t number)
{
	switch (number) {
	case 6: return TCP;
	case 17: return UDP;
	case 1: return ICMP;
	case 58: return ICMPV6;
	case 0: case 43: case 44: case 51: case 60: case 135: return EXTENSION;
	default: return DATA;
	}
}

static inline enum protocol decode_ethernet(struct frame *f, const uint8_t *p, int left)
{
	if (left < 14)
		return cut(f, ETHERNET);
	record(f, ETHERNET, f->cursor + 14, OK, NONE);
	return of_type(f, be16(p + 12));
}

static inline enum protocol decode_vlan(struct frame *f, const uint8_t *p, int left)
{
	if (left < 4)
		return cut(f, VLAN);
	record(f, VLAN, f->cursor + 4, OK, NONE);
	return of_type(f, be16(p + 2));
}

static inline enum protocol decode_arp(struct frame *f, const uint8_t *p, int left)
{
	int length;
	if (left < 8 || left < (length = 8 + 2 * (p[4] + p[5])))
		return cut(f, ARP);
	return record(f, ARP, f->cursor + length, OK, NONE);
}

static inline enum protocol decode_ipv4(struct frame *f, const uint8_t *p, int left)
{
	int header, total;
	if (left < 20)
		return cut(f, IPV4);
	if (p[0] >> 4 != 4)
		return fail(f, IPV4, BAD_VERSION);
	header = (p[0] & 15) << 2;
	total = be16(p + 2);
	if (header < 20 || (total != 0 && total < header))
		return fail(f, IPV4, BAD_LENGTH);
	if (total != 0)
		narrow(f, f->cursor + total);
	if (f->limit - f->cursor < header)
		return cut(f, IPV4);
	return record(f, IPV4, f->cursor + header, OK, be16(p + 6) & 0x1fff ? DATA : of_ip(p[9]));
}

static inline enum protocol decode_ipv6(struct frame *f, const uint8_t *p, int left)
{
	int length;
	if (left < 40)
		return cut(f, IPV6);
	if (p[0] >> 4 != 6)
		return fail(f, IPV6, BAD_VERSION);
	length = be16(p + 4);
	if (length != 0)
		narrow(f, f->cursor + 40 + length);
	return record(f, IPV6, f->cursor + 40, OK, of_ip(p[6]));
}

static inline enum protocol decode_extension(struct frame *f, const uint8_t *p, int left)
{
	int before, type, length;
	if (left < 8)
		return cut(f, EXTENSION);
	before = f->layers - 1;
	type = f->bytes[f->offsets[before] + (f->kinds[before] == IPV6 ? 6 : 0)];
	length = type == 44 ? 8 : type == 51 ? (p[1] + 2) << 2 : (p[1] + 1) << 3;
	if (left < length)
		return cut(f, EXTENSION);
	return record(f, EXTENSION, f->cursor + length, OK, type == 44 && be16(p + 2) & 0xfff8 ? DATA : of_ip(p[0]));
}

static inline enum protocol decode_icmp(struct frame *f, const uint8_t *p, int left)
{
	int at = f->cursor;
	if (left < 8)
		return cut(f, ICMP);
	record(f, ICMP, at + 8, OK, NONE);
	if (p[0] != 3 && p[0] != 4 && p[0] != 5 && p[0] != 11 && p[0] != 12)
		return DATA;
	if (f->quoted_from == MAX_LAYERS)
		f->quoted_from = f->layers;
	if (p[0] != 5 && p[5] != 0)
		narrow(f, at + 8 + (p[5] << 2));
	return IPV4;
}

static inline enum protocol decode_icmpv6(struct frame *f, const uint8_t *p, int left)
{
	int fixed;
	if (left < 8)
		return cut(f, ICMPV6);
	switch (p[0]) {
	case 130: case 131: case 132: case 135: case 136: fixed = 24; break;
	case 134: fixed = 16; break;
	case 137: fixed = 40; break;
	default: fixed = 8;
	}
	if (left < fixed)
		return cut(f, ICMPV6);
	if (p[0] > 129)
		return record(f, ICMPV6, f->limit, OK, NONE);
	if (p[0] >= 128 || p[0] < 1 || p[0] > 4)
		return record(f, ICMPV6, f->cursor + 8, OK, DATA);
	if (f->quoted_from == MAX_LAYERS)
		f->quoted_from = f->layers + 1;
	return record(f, ICMPV6, f->cursor + 8, OK, IPV6);
}

static inline enum protocol decode_udp(struct frame *f, const uint8_t *p, int left)
{
	int length, known;
	if (left < 8)
		return cut(f, UDP);
	length = be16(p + 4);
	if (length != 0) {
		if (length < 8)
			return fail(f, UDP, BAD_LENGTH);
		narrow(f, f->cursor + length);
	}
	record(f, UDP, f->cursor + 8, OK, NONE);
	if (f->cursor == f->limit)
		return NONE;
	if (!(known = udp_ports[be16(p + 2)]))
		known = udp_ports[be16(p)];
	return known ? (enum protocol)known : DATA;
}

static inline enum protocol decode_tcp(struct frame *f, const uint8_t *p, int left)
{
	int header;
	if (left < 20)
		return cut(f, TCP);
	header = p[12] >> 4 << 2;
	if (header < 20)
		return fail(f, TCP, BAD_LENGTH);
	if (left < header)
		return cut(f, TCP);
	return record(f, TCP, f->cursor + header, OK, DATA);
}

static inline enum protocol decode_vxlan(struct frame *f, int left)
{
	if (left < 8)
		return cut(f, VXLAN);
	if (++f->tunnels > MAX_TUNNELS)
		return fail(f, VXLAN, TOO_DEEP);
	return record(f, VXLAN, f->cursor + 8, OK, ETHERNET);
}

static void decode(struct frame *f)
{
	enum protocol next = ETHERNET;
	f->layers = f->tunnels = f->cursor = 0;
	f->quoted_from = MAX_LAYERS;
	f->limit = f->end;
	f->wire_limit = f->end > f->wire_length ? f->end : f->wire_length;
	while (next != NONE) {
		const uint8_t *p = f->bytes + f->cursor;
		int left = f->limit - f->cursor;
		if (f->layers == MAX_LAYERS) {
			f->statuses[MAX_LAYERS - 1] = TOO_DEEP;
			return;
		}
		switch (next) {
		case ETHERNET: next = decode_ethernet(f, p, left); break;
		case VLAN: next = decode_vlan(f, p, left); break;
		case ARP: next = decode_arp(f, p, left); break;
		case IPV4: next = decode_ipv4(f, p, left); break;
		case IPV6: next = decode_ipv6(f, p, left); break;
		case EXTENSION: next = decode_extension(f, p, left); break;
		case ICMP: next = decode_icmp(f, p, left); break;
		case ICMPV6: next = decode_icmpv6(f, p, left); break;
		case UDP: next = decode_udp(f, p, left); break;
		case TCP: next = decode_tcp(f, p, left); break;
		case VXLAN: next = decode_vxlan(f, left); break;
		default:
			if (left > 0)
				record(f, DATA, f->limit, OK, NONE);
			next = NONE;
		}
	}
}

#endif
