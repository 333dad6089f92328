/*
 * Segments (port, VLAN stack, path of VNIs) and the tags that are not the plain single one, as src/network/link/segments.ts
 * and tags.ts.
 */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include "lists.h"

enum segment_kind { PORT = 1, TAGGED, TUNNELLED };
enum { MAX_SEGMENTS = 1 << 16, MAX_TAGS = 1 << 12 };

struct mac {
	int32_t high, low;
};

struct segment {
	struct key key; /* kind, parent or capture, id or interface, device */
	int32_t depth, base;
	uint32_t directions, tpids;
	uint32_t latest, earlier; /* VLAN seen last in it; in a VLAN, the one before */
	uint32_t tag; /* row of `tags` that was noted last, and 1 */
	uint32_t spare;
};

struct tag {
	struct key key; /* segment, TPID, TPID around it, whether a priority tag */
	int64_t first, last;
	struct mac sender;
	struct list list;
	uint32_t count;
	uint8_t shared, priority;
	uint32_t spare;
};

static struct table segments, tags;
static struct pool tag_lists;
static uint64_t segments_refused, tagged;

static inline struct mac mac_at(const uint8_t *p)
{
	struct mac mac = { be16(p), (int32_t)be32(p + 2) };
	return mac;
}

static inline int same(struct mac a, struct mac b)
{
	return a.high == b.high && a.low == b.low;
}

static COLD int32_t segment_begin(enum segment_kind kind, int32_t parent, struct key key)
{
	struct segment *segment, *above;
	uint32_t row;
	if (segments.rows == MAX_SEGMENTS) {
		segments_refused++;
		return -1;
	}
	segment = INSERT(segments, segment, key);
	row = NUMBER(segments, segment, segment);
	above = AT(segments, segment, parent);
	segment->depth = above->depth + 1;
	segment->base = above->base;
	if (kind == TAGGED) {
		segment->earlier = above->latest;
		above->latest = row;
	}
	return (int32_t)row;
}

static inline int32_t child_segment(enum segment_kind kind, int32_t parent, int32_t id)
{
	struct key key = key_of(kind, parent, id, 0);
	struct segment *segment = FIND(segments, segment, key);
	return segment != NULL ? (int32_t)NUMBER(segments, segment, segment) : segment_begin(kind, parent, key);
}

static inline void note_tpid(int32_t row, int tpid)
{
	AT(segments, segment, row)->tpids |= tpid == 0x8100 ? 1 : tpid == 0x88a8 ? 2 : tpid == 0x9100 ? 4 : 8;
}

static void tag_forget(uint32_t row)
{
	list_release(&tag_lists, &AT(tags, tag, row)->list);
}

/* A tag inside another, or a priority tag, behind which lies `segment`. */
static void tag_note(const struct frame *f, int layer, int32_t segment, int is_inner, struct mac from)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	struct segment *behind = AT(segments, segment, segment);
	struct key key = key_of(segment, be16(p - 2), is_inner ? be16(f->bytes + f->offsets[layer - 1] - 2) : 0,
				(be16(p) & 0xfff) == 0);
	struct tag *tag = HINTED(tags, tag, behind->tag, key);
	if (tag == NULL) {
		tag = ADD(tags, tag, key);
		behind->tag = NUMBER(tags, tag, tag) + 1;
	}
	if (++tag->count == 1) {
		tag->first = f->time;
		tag->sender = from;
		tag->priority = p[0] >> 5;
	} else if (!same(tag->sender, from)) {
		tag->shared = 1;
	}
	tag->last = f->time;
	list_append(&tag_lists, &tag->list, f->number, f->offsets[layer], 4);
	if (is_power(tag->count))
		tagged++;
}

static void segments_init(void)
{
	struct segment *port;
	INIT(segments, segment, MAX_SEGMENTS, NULL);
	INIT(tags, tag, MAX_TAGS, tag_forget);
	/* A pcap file has one interface: its segment is row 0. */
	port = INSERT(segments, segment, key_of(PORT, 0, 0, 0));
	port->base = 0;
}

#endif
