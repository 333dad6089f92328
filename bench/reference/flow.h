/* A TCP connection, its two ends and a segment at hand, as src/network/flows/flows.ts knows them. */
#ifndef FLOW_H
#define FLOW_H

#include "stations.h"

enum { FIN_FLAG = 1, SYN_FLAG = 2, RST_FLAG = 4, ACK_FLAG = 16 };
/* Bits of a flow's state; those of an end are shifted by its number. Of its first word: those above a segment. */
enum { SEEN = 1, OPENING = 4, FINISHED = 8, REPEATING = 32, CLOSED = 128, RESET = 512, ACKING = 2048 };
enum { FLOW_IPV6 = 1 << 20, FROM_SECOND = 1 << 21 };

/* What one end of a connection sent. */
struct end {
	uint32_t next; /* sequence number behind the highest octet */
	uint32_t ack;
	int32_t size, delivered; /* longest packet that is not acknowledged, and that was */
	uint32_t size_end;
	uint32_t sent, stamp, trace; /* milliseconds; TTL and identification */
	uint32_t idle_acks;
};

struct flow {
	struct key key; /* place, lower address, higher address, their ports */
	uint32_t state;
	struct end ends[2];
	uint32_t spare;
};

/* A segment at hand. */
struct tcp {
	const struct frame *frame;
	const uint8_t *header;
	struct mac to;
	int layer, header_length, length, flags;
	int32_t total;
	uint32_t sequence, next, ack, trace, milliseconds;
};

static inline int is_time(uint32_t count)
{
	return count == 3 || (count > 3 && is_power(count));
}

/* The first block of selective acknowledgments, NULL if there is none. */
static const uint8_t *tcp_sack(const struct tcp *tcp)
{
	int at = 20;
	while (at < tcp->header_length) {
		const uint8_t *option = tcp->header + at;
		int length;
		if (option[0] == 0)
			return NULL;
		if (option[0] == 1) {
			at++;
			continue;
		}
		length = at + 1 < tcp->header_length ? option[1] : 0;
		if (length < 2 || at + length > tcp->header_length)
			return NULL;
		if (option[0] == 5)
			return length >= 10 ? option + 2 : NULL;
		at += length;
	}
	return NULL;
}

/* Whether a segment tells that data came a second time. */
static inline int is_needless(const uint8_t *sack, uint32_t ack)
{
	return sack != NULL && (int32_t)(be32(sack + 4) - ack) <= 0;
}

#endif
