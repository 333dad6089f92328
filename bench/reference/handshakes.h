/*
 * Attempts to open TCP connections, as src/network/flows/handshakes.ts, without the other legs of their ways. No corpus has
 * any: its connections are seen from mid-flow.
 */
#ifndef HANDSHAKES_H
#define HANDSHAKES_H

#include "flow.h"

enum { MAX_HANDSHAKES = 1 << 12 };
enum attempt { WAITING, DONE, REFUSED, ABORTED };

struct handshake {
	struct key key; /* place, client, server, their ports */
	int64_t first, last, last_answer;
	struct mac to;
	struct list syns_list, answers_list;
	uint32_t sequence, syns, answers, attempt;
};

static struct table handshakes;
static struct pool handshake_lists;
static uint64_t connecting;

static void handshake_forget(uint32_t row)
{
	list_release(&handshake_lists, &AT(handshakes, handshake, row)->syns_list);
	list_release(&handshake_lists, &AT(handshakes, handshake, row)->answers_list);
}

/* SYNs and SYN-ACKs in vain behind the first, while it waits. */
static uint32_t handshake_need(uint32_t row)
{
	const struct handshake *h = AT(handshakes, handshake, row);
	if (h->attempt != WAITING)
		return 0;
	return (h->syns > 1 ? h->syns - 1 : 0) + (h->answers > 1 ? h->answers - 1 : 0);
}

/* The row of a handshake, whose client is the end `at` of the flow. */
static COLD struct handshake *handshake_of(const struct flow *flow, int at, int adds)
{
	struct key key = flow->key;
	if (at == 1) {
		uint32_t ports = (uint32_t)(key.high >> 32), lower = (uint32_t)(key.low >> 32);
		key = key_of((int32_t)(uint32_t)key.low, (int32_t)(uint32_t)key.high, (int32_t)lower,
			     (int32_t)(ports << 16 | ports >> 16));
	}
	return adds ? ADD(handshakes, handshake, key) : FIND(handshakes, handshake, key);
}

static COLD void handshake_syn(const struct flow *flow, int at, const struct tcp *tcp)
{
	struct handshake *h = handshake_of(flow, at, 1);
	int64_t time = tcp->frame->time;
	if (h->syns > 0 && h->sequence != tcp->sequence) {
		handshake_forget(NUMBER(handshakes, handshake, h));
		h->syns = h->answers = h->attempt = 0;
	}
	if (h->syns > 0 && llabs(time - h->last) < 200 * MILLISECONDS)
		return;
	if (h->syns++ == 0) {
		h->first = time;
		h->sequence = tcp->sequence;
	}
	h->last = time;
	h->to = tcp->to;
	list_layer(&handshake_lists, &h->syns_list, tcp->frame, tcp->layer);
	connecting += h->attempt == WAITING && is_time(h->syns);
}

static COLD void handshake_answer(const struct flow *flow, int at, const struct tcp *tcp)
{
	struct handshake *h = handshake_of(flow, !at, 1);
	int64_t time = tcp->frame->time;
	if (h->attempt != WAITING || (h->answers > 0 && llabs(time - h->last_answer) < 200 * MILLISECONDS))
		return;
	h->answers++;
	h->last_answer = time;
	list_layer(&handshake_lists, &h->answers_list, tcp->frame, tcp->layer);
	connecting += is_time(h->answers);
}

/* A segment of either end that goes beyond the handshake. */
static COLD void handshake_proceeds(const struct flow *flow, const struct tcp *tcp)
{
	struct handshake *h = handshake_of(flow, 0, 0);
	(void)tcp;
	if (h == NULL)
		h = handshake_of(flow, 1, 0);
	if (h != NULL && h->attempt == WAITING)
		h->attempt = DONE;
}

static COLD void handshake_reset(const struct flow *flow, int at, const struct tcp *tcp)
{
	struct handshake *h = handshake_of(flow, !at, 0);
	int is_refusal = h != NULL && h->answers == 0;
	if (h == NULL)
		h = handshake_of(flow, at, 0);
	if (h == NULL || h->attempt != WAITING)
		return;
	h->attempt = is_refusal ? REFUSED : ABORTED;
	h->last_answer = tcp->frame->time;
	connecting += is_refusal;
}

static void handshakes_finish(void)
{
	uint32_t row;
	for (row = 0; row < handshakes.rows; row++) {
		const struct handshake *h = AT(handshakes, handshake, row);
		connecting += h->attempt == WAITING && (h->syns >= 2 || h->answers >= 2);
	}
}

static void handshakes_init(void)
{
	INIT(handshakes, handshake, MAX_HANDSHAKES, handshake_forget);
	handshakes.need_of = handshake_need;
}

#endif
