/* IP fragments, as src/network/ip/fragments.ts: datagrams under way, and how many came whole. No corpus has any. */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include "stations.h"

enum { MAX_FRAGMENTED = 1 << 14 };

struct fragmented {
	struct key key; /* segment << 8 | protocol, source, destination, identification */
	int64_t first;
	int32_t bytes, total;
	uint32_t parts;
	uint8_t has_first, judged;
	struct list list;
};

static struct table fragmented;
static struct pool fragment_lists;
static uint64_t fragmented_whole, fragmented_lost;

static void fragmented_forget(uint32_t row)
{
	list_release(&fragment_lists, &AT(fragmented, fragmented, row)->list);
}

static COLD void fragment_add(const struct frame *f, int ip, struct key key, int offset, int length, int more)
{
	struct fragmented *d;
	if (length <= 0)
		return;
	d = ADD(fragmented, fragmented, key);
	if (d->parts > 0 && f->time - d->first > SECONDS) {
		fragmented_lost += !d->judged;
		list_release(&fragment_lists, &d->list);
		d->parts = d->bytes = d->total = d->has_first = d->judged = 0;
	}
	if (d->parts++ == 0)
		d->first = f->time;
	d->bytes += length;
	d->has_first |= offset == 0;
	if (!more)
		d->total = offset + length;
	list_layer(&fragment_lists, &d->list, f, ip);
	if (d->has_first && d->total > 0 && d->bytes >= d->total && !d->judged) {
		d->judged = 1;
		fragmented_whole++;
	}
}

/* An IPv4 header that says that it is of a fragment. */
static COLD void fragment_ipv4(const struct frame *f, int layer, int32_t segment)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	fragment_add(f, layer,
		     key_of((int32_t)((uint32_t)segment << 8) | p[9], ipv4_number(be32(p + 12)), ipv4_number(be32(p + 16)),
			    be16(p + 4)),
		     (be16(p + 6) & 0x1fff) << 3, be16(p + 2) - ((p[0] & 15) << 2), (p[6] & 0x20) != 0);
}

/* An IPv6 extension header; counts if it is a fragment's. `ip` is the layer of the IPv6 header. */
static COLD void fragment_ipv6(const struct frame *f, int ip, int layer, int32_t segment)
{
	const uint8_t *header = f->bytes + f->offsets[ip], *p = f->bytes + f->offsets[layer];
	int type = f->bytes[f->offsets[layer - 1] + (layer - 1 == ip ? 6 : 0)];
	int offset = be16(p + 2) & 0xfff8, more = p[3] & 1;
	/* An atomic fragment is whole by itself. */
	if (type != 44 || (offset == 0 && !more))
		return;
	fragment_add(f, ip,
		     key_of((int32_t)((uint32_t)segment << 8) | p[0], ipv6_number(header + 8), ipv6_number(header + 24),
			    (int32_t)be32(p + 4)),
		     offset, be16(header + 4) + 40 - (f->ends[layer] - f->offsets[ip]), more);
}

static void fragments_init(void)
{
	INIT(fragmented, fragmented, MAX_FRAGMENTED, fragmented_forget);
}

#endif
