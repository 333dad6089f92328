/*
 * Data sent again, windows of 0 and resets, as src/network/flows/retransmissions.ts, windows.ts and resets.ts: by direction of
 * a connection. No corpus has any; of the evidence one list is kept where netdiag keeps two.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include "flow.h"

enum { MAX_STREAMS = 1 << 11 };

/* Of one direction: data sent again, windows of 0, resets. */
struct stream {
	struct key key; /* place and `FROM_SECOND`, and as a flow */
	int64_t first, last, since, longest;
	struct list list;
	uint32_t count, needless, sequence, tries, signs, is_closed, told, sent;
};

static struct table retransmissions, windows, resets;
static struct pool stream_lists;
static uint64_t retransmitted, stalled, window_told, reset_told;

static void retransmission_forget(uint32_t row)
{
	list_release(&stream_lists, &AT(retransmissions, stream, row)->list);
}

static void window_forget(uint32_t row)
{
	list_release(&stream_lists, &AT(windows, stream, row)->list);
}

static void reset_forget(uint32_t row)
{
	list_release(&stream_lists, &AT(resets, stream, row)->list);
}

static COLD struct stream *stream_of(struct table *table, const struct flow *flow, int at, int adds)
{
	struct key key = flow->key;
	if (at == 1)
		key.low |= FROM_SECOND;
	return adds ? table_add(table, sizeof(struct stream), key) :
		      table_find(table, sizeof(struct stream), key, key_hash(key));
}

static COLD void retransmission_add(const struct flow *flow, int at, const struct tcp *tcp, int is_first_missing,
				    uint32_t idle_acks)
{
	struct stream *s = stream_of(&retransmissions, flow, at, 1);
	int64_t time = tcp->frame->time;
	if (++s->count == 1)
		s->first = time;
	s->last = time;
	s->sent = flow->ends[at].sent;
	list_layer(&stream_lists, &s->list, tcp->frame, tcp->layer);
	retransmitted += is_time(s->count);
	if (!is_first_missing)
		return;
	if (s->tries == 0 || s->sequence != tcp->sequence) {
		s->sequence = tcp->sequence;
		s->tries = 1;
		s->signs = idle_acks;
		s->since = time;
	} else if (time - s->since >= 100 * MILLISECONDS) {
		s->since = time;
		stalled += is_time(++s->tries);
	}
}

static COLD void retransmission_acked(const struct flow *flow, int at, uint32_t ack, int needless)
{
	struct stream *s = stream_of(&retransmissions, flow, at, 0);
	if (s == NULL)
		return;
	s->needless += needless;
	if (s->tries == 0 || (int32_t)(ack - s->sequence) <= 0)
		return;
	stalled += s->tries >= 3;
	s->tries = 0;
}

static COLD void retransmission_idles(const struct flow *flow, int at, int needless)
{
	struct stream *s = stream_of(&retransmissions, flow, at, 0);
	if (s == NULL)
		return;
	s->needless += needless;
	s->signs += 2;
}

/* How long a window has been closed. */
static COLD void window_note(struct stream *s, int64_t time)
{
	if (time - s->since > s->longest)
		s->longest = time - s->since;
	s->told |= s->longest >= 200 * MILLISECONDS;
}

static COLD void window_closed(const struct flow *flow, int at, const struct tcp *tcp)
{
	struct stream *s = stream_of(&windows, flow, at, 1);
	int64_t time = tcp->frame->time;
	uint32_t told = s->told;
	if (s->first == 0)
		s->first = time;
	if (!s->is_closed) {
		s->is_closed = 1;
		s->count++;
		s->since = time;
	}
	s->last = time;
	list_layer(&stream_lists, &s->list, tcp->frame, tcp->layer);
	window_note(s, time);
	window_told += s->told != told;
}

static COLD void window_opened(const struct flow *flow, int at, const struct tcp *tcp)
{
	struct stream *s = stream_of(&windows, flow, at, 0);
	if (s == NULL)
		return;
	window_note(s, tcp->frame->time);
	s->is_closed = 0;
	window_told += s->told;
}

static COLD void reset_add(const struct flow *flow, int at, const struct tcp *tcp)
{
	struct stream *s = stream_of(&resets, flow, at, 1);
	if (s->count++ == 0)
		s->first = tcp->frame->time;
	s->last = tcp->frame->time;
	s->sequence = tcp->sequence;
	list_layer(&stream_lists, &s->list, tcp->frame, tcp->layer);
	reset_told++;
}

/* It sends data after its RST. */
static COLD void reset_goes_on(const struct flow *flow, int at, uint32_t sequence)
{
	struct stream *s = stream_of(&resets, flow, at, 0);
	if (s == NULL || s->told || (int32_t)(sequence - s->sequence) < 0)
		return;
	s->told = 1;
	reset_told++;
}

static void streams_finish(void)
{
	uint32_t row;
	for (row = 0; row < retransmissions.rows; row++)
		retransmitted += AT(retransmissions, stream, row)->count >= 3;
	for (row = 0; row < windows.rows; row++)
		window_told += AT(windows, stream, row)->told;
}

static void streams_init(void)
{
	INIT(retransmissions, stream, MAX_STREAMS, retransmission_forget);
	INIT(windows, stream, MAX_STREAMS, window_forget);
	INIT(resets, stream, MAX_STREAMS, reset_forget);
}

#endif
