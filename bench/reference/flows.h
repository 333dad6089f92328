/*
 * TCP connections, as src/network/flows/flows.ts and flow-reader.ts: both directions share a row. What the corpora never have
 * is in handshakes.h and streams.h.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include "handshakes.h"
#include "streams.h"

enum { MAX_FLOWS = 1 << 15, FAR_BACK = 1 << 24, OVERTAKEN_MILLISECONDS = 3 };

static struct table flows;

/* Data, or a FIN, that is not new. */
static COLD void flow_again(struct flow *flow, int at, const struct tcp *tcp)
{
	struct end *end = &flow->ends[at], *other = &flow->ends[!at];
	int32_t back = (int32_t)(end->next - tcp->sequence);
	if (back > FAR_BACK) {
		end->next = tcp->next;
		end->size = 0;
		return;
	}
	/* Keep-alives, and probes of a closed window, repeat one octet. */
	if ((tcp->length <= 1 && back <= 1) || (flow->state & CLOSED << !at) != 0)
		return;
	if ((uint16_t)tcp->trace != 0 && (uint16_t)end->trace != 0) {
		/* Sent before the latest, and overtaken by it; or the latest itself, at another hop. */
		uint16_t later = (uint16_t)(tcp->trace - end->trace);
		if (later == 0 || later >= 0x8000)
			return;
	} else if (tcp->milliseconds - end->stamp < OVERTAKEN_MILLISECONDS) {
		return;
	}
	end->trace = tcp->trace;
	end->stamp = tcp->milliseconds;
	if ((int32_t)(tcp->next - end->next) > 0)
		end->next = tcp->next;
	flow->state |= REPEATING << at;
	/* Only the first segment that is missing is in the way of the others. */
	retransmission_add(flow, at, tcp, tcp->sequence == other->ack, other->idle_acks);
}

/* A SYN, or the answer to one. */
static COLD void flow_opens(struct flow *flow, int at, const struct tcp *tcp)
{
	struct end *end = &flow->ends[at];
	int is_known = (flow->state & SEEN << at) != 0;
	if ((tcp->flags & ACK_FLAG) != 0) {
		/* The handshake went on already: the server did not see that yet. */
		if (is_known && (flow->state & OPENING) == 0)
			return;
		flow->state |= (SEEN | ACKING) << at | OPENING;
		end->ack = tcp->ack;
		handshake_answer(flow, at, tcp);
	} else {
		/* Ports that are used again make another connection. */
		if (!is_known || end->next != tcp->sequence + 1) {
			flow->state = 0;
			memset(flow->ends, 0, sizeof flow->ends);
		} else if ((flow->state & OPENING) == 0) {
			return;
		}
		flow->state |= SEEN << at | OPENING;
		handshake_syn(flow, at, tcp);
	}
	end->next = tcp->sequence + 1;
}

static COLD void flow_resets(struct flow *flow, int at, const struct tcp *tcp)
{
	uint32_t state = flow->state;
	flow->state = (state | RESET << at) & ~(uint32_t)OPENING;
	if ((state & OPENING) != 0)
		handshake_reset(flow, at, tcp);
	/* After a FIN the application is through; what comes late is reset as a matter of course, as after a RST. */
	else if ((state & SEEN * 3) == SEEN * 3 && (state & (FINISHED | RESET) * 3) == 0)
		reset_add(flow, at, tcp);
}

/* What needs a look behind the header: an acknowledgment that says nothing new. */
static inline void flow_idles(struct flow *flow, int at, const struct tcp *tcp)
{
	const uint8_t *sack = tcp->header_length > 20 ? tcp_sack(tcp) : NULL;
	flow->ends[at].idle_acks += sack == NULL ? 1 : 2;
	if ((flow->state & REPEATING << !at) != 0)
		retransmission_idles(flow, !at, is_needless(sack, tcp->ack));
}

static inline void flow_observe(struct flow *flow, int at, struct tcp *tcp)
{
	struct end *end = &flow->ends[at], *other = &flow->ends[!at];
	uint32_t state = flow->state;
	int span, fin = tcp->flags & FIN_FLAG;
	int32_t gained;
	if ((tcp->flags & (SYN_FLAG | RST_FLAG)) != 0) {
		if ((tcp->flags & RST_FLAG) != 0)
			flow_resets(flow, at, tcp);
		else
			flow_opens(flow, at, tcp);
		return;
	}
	if ((state & (OPENING | RESET << at)) != 0) {
		if ((state & OPENING) != 0)
			handshake_proceeds(flow, tcp);
		else if (tcp->length > 0)
			reset_goes_on(flow, at, tcp->sequence);
		state &= ~(uint32_t)OPENING;
	}
	/* A FIN takes a sequence number, as an octet does, and its bit is the lowest. */
	span = tcp->length + fin;
	tcp->next = tcp->sequence + (uint32_t)span;
	if ((state & SEEN << at) == 0)
		end->next = tcp->sequence;
	if ((state & ACKING << at) == 0)
		end->ack = tcp->ack;
	flow->state = state | (SEEN | ACKING) << at | (fin ? FINISHED << at : 0);
	if (span > 0) {
		if ((int32_t)(tcp->sequence - end->next) >= 0) {
			end->next = tcp->next;
			end->sent++;
			end->stamp = tcp->milliseconds;
			end->trace = tcp->trace;
			if (tcp->length > 0 && tcp->total >= end->size) {
				end->size = tcp->total;
				end->size_end = tcp->next;
			}
		} else {
			flow_again(flow, at, tcp);
		}
	}
	gained = (int32_t)(tcp->ack - end->ack);
	if (gained > 0) {
		end->ack = tcp->ack;
		end->idle_acks = 0;
		if (other->size > 0 && (int32_t)(tcp->ack - other->size_end) >= 0) {
			if (other->size > other->delivered)
				other->delivered = other->size;
			other->size = 0;
		}
		if ((state & REPEATING << !at) != 0)
			retransmission_acked(flow, !at, tcp->ack, is_needless(tcp_sack(tcp), tcp->ack));
	} else if (gained == 0 && (span == 0 || (state & REPEATING << !at) != 0)) {
		flow_idles(flow, at, tcp);
	}
	if (be16(tcp->header + 14) == 0) {
		flow->state |= CLOSED << at;
		window_closed(flow, at, tcp);
	} else if ((state & CLOSED << at) != 0) {
		flow->state &= ~(uint32_t)(CLOSED << at);
		window_opened(flow, at, tcp);
	}
}

/* A TCP header at `layer`, no copy of one just seen. */
static inline void tcp_observe(const struct frame *f, int layer, const struct link *link)
{
	const uint8_t *p = f->bytes + f->offsets[layer], *ip_header;
	struct tcp tcp = { .frame = f, .layer = layer, .header = p, .header_length = f->ends[layer] - f->offsets[layer],
			   .to = link->to };
	int ip = layer - 1, at, told;
	int32_t place = link->segment, source, destination;
	uint32_t ports = be32(p), hash;
	struct key key;
	struct flow *flow;
	while (ip > 0 && f->kinds[ip] == EXTENSION)
		ip--;
	if (ip < 0)
		return;
	ip_header = f->bytes + f->offsets[ip];
	if (f->kinds[ip] == IPV4) {
		/* The rest of a fragmented segment has no header to go by. */
		if ((be16(ip_header + 6) & 0x3fff) != 0)
			return;
		told = be16(ip_header + 2);
		source = (int32_t)be32(ip_header + 12);
		destination = (int32_t)be32(ip_header + 16);
		tcp.trace = (uint32_t)ip_header[8] << 16 | be16(ip_header + 4);
	} else if (f->kinds[ip] == IPV6) {
		told = be16(ip_header + 4);
		told = told == 0 ? 0 : told + 40;
		place |= FLOW_IPV6;
		source = number6_of(link, ip_header + 8);
		destination = ipv6_number(ip_header + 24);
		tcp.trace = (uint32_t)ip_header[7] << 16;
	} else {
		return;
	}
	/* Segmentation offload leaves the header's length 0. */
	tcp.total = told != 0 ? told : f->wire_length - f->offsets[ip];
	tcp.length = tcp.total - (f->ends[layer] - f->offsets[ip]);
	tcp.flags = be16(p + 12) & 0xfff;
	tcp.sequence = be32(p + 4);
	tcp.ack = be32(p + 8);
	tcp.milliseconds = (uint32_t)(f->time / MILLISECONDS);
	at = !(source < destination || (source == destination && ports >> 16 <= (ports & 0xffff)));
	key = at == 0 ? key_of(place, source, destination, (int32_t)ports) :
			key_of(place, destination, source, (int32_t)(ports << 16 | ports >> 16));
	hash = key_hash(key);
	flow = FIND_BY(flows, flow, key, hash);
	if (flow == NULL)
		flow = INSERT_BY(flows, flow, key, hash);
	flow_observe(flow, at, &tcp);
}

static void flows_init(void)
{
	INIT(flows, flow, MAX_FLOWS, NULL);
	handshakes_init();
	streams_init();
}

#endif
