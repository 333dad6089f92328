/*
 * Announcements, probes for an address (ARP, and duplicate address detection of IPv6) and ARP whose sender is not its
 * frame's, as src/network/neighbors/announcements.ts, probes.ts, dad-probes.ts and arp-senders.ts.
 */
#ifndef PROBES_H
#define PROBES_H

#include "resolutions.h"

enum { MAX_ANNOUNCEMENTS = 1 << 15, MAX_PROBES = 1 << 14, MAX_ARP_SENDERS = 1 << 12 };

struct announcement {
	struct key key; /* segment, high, low, address */
	int64_t first, last;
	struct list list;
	uint32_t count, zero_tha, kernel_gaps, replies;
};

struct probe {
	struct key key; /* segment, high, low, address; for IPv6 segment, address */
	int64_t time;
	struct mac prober, holder;
	uint32_t number, answer_number;
	int32_t offset, answer_offset;
	uint8_t answered, is_rival;
};

struct arp_sender {
	struct key key; /* segment, both upper halves, lower part of sha, of the frame's source */
	int64_t first, last;
	struct list list;
	uint32_t count;
	int32_t spa; /* and 1 */
};

static struct table announcements, probes, dad_probes, arp_senders;
static struct pool sender_lists;
static uint64_t announced, probes_answered, dad_answered, arp_from_other;

static void announcement_forget(uint32_t row)
{
	list_release(&claim_lists, &AT(announcements, announcement, row)->list);
}

static void arp_sender_forget(uint32_t row)
{
	list_release(&sender_lists, &AT(arp_senders, arp_sender, row)->list);
}

static COLD void announce(int32_t segment, struct mac mac, int32_t address, const struct place *place, int is_reply,
			  int zero_tha)
{
	struct announcement *a = ADD(announcements, announcement, key_of(segment, mac.high, mac.low, address));
	int64_t gap = place->time - a->last;
	int is_new = a->count == 0;
	if (!is_new && gap < SAME_REQUEST && gap > -SAME_REQUEST)
		return;
	if (is_new || gap > 10 * SECONDS || gap < 0) {
		/* A series that was told stays with its frames; a lonely announcement makes room. */
		if (a->count < 2) {
			list_release(&claim_lists, &a->list);
			a->count = a->zero_tha = a->kernel_gaps = a->replies = 0;
			a->first = place->time;
		}
	} else if (gap >= 1005 * MILLISECONDS && gap <= 1060 * MILLISECONDS) {
		a->kernel_gaps++;
	}
	a->last = place->time;
	a->count++;
	a->zero_tha += zero_tha;
	a->replies += is_reply;
	list_place(&claim_lists, &a->list, place);
	announced += a->count == 2;
}

static COLD void probe(int32_t segment, struct mac mac, int32_t address, const struct place *place)
{
	struct probe *p = ADD(probes, probe, key_of(segment, mac.high, mac.low, address));
	p->time = place->time;
	p->offset = place->offset;
	if (!p->answered)
		p->number = place->number;
}

static COLD void probe_answer(int32_t segment, struct mac to, int32_t address, struct mac holder,
			      const struct place *place)
{
	struct probe *p = FIND(probes, probe, key_of(segment, to.high, to.low, address));
	if (p == NULL || place->time - p->time > LATE || p->answered || same(holder, to))
		return;
	p->answered = 1;
	p->holder = holder;
	p->answer_number = place->number;
	probes_answered++;
}

static COLD void dad_object(struct probe *p, struct mac mac, const struct place *place, int is_rival)
{
	if (p->answered)
		return;
	p->answered = 1;
	p->is_rival = is_rival;
	p->holder = mac;
	p->answer_number = place->number;
	p->answer_offset = place->offset;
	dad_answered++;
}

static COLD void dad_probe(int32_t segment, struct mac mac, int32_t target, const struct place *place)
{
	struct key key = key_of(segment, target, 0, 0);
	struct probe *p = FIND(dad_probes, probe, key);
	if (p != NULL) {
		if (!same(p->prober, mac) && place->time - p->time <= LATE) {
			dad_object(p, mac, place, 1);
			return;
		}
		if (p->answered)
			return;
	} else {
		p = INSERT(dad_probes, probe, key);
	}
	p->prober = mac;
	p->offset = place->offset;
	p->time = place->time;
	p->number = place->number;
}

static COLD void dad_advertise(int32_t segment, struct mac mac, int32_t target, const struct place *place)
{
	struct probe *p = FIND(dad_probes, probe, key_of(segment, target, 0, 0));
	if (p != NULL && place->time - p->time <= LATE && !same(p->prober, mac))
		dad_object(p, mac, place, 0);
}

static COLD void arp_sender_note(int32_t segment, struct mac sha, struct mac from, int32_t spa,
				 const struct place *place)
{
	struct arp_sender *s = ADD(arp_senders, arp_sender,
				   key_of(segment, (int32_t)((uint32_t)sha.high << 16) | from.high, sha.low, from.low));
	if (++s->count == 1)
		s->first = place->time;
	s->last = place->time;
	if (s->spa == 0)
		s->spa = spa + 1;
	list_place(&sender_lists, &s->list, place);
	arp_from_other += is_power(s->count);
}

static void probes_init(void)
{
	INIT(announcements, announcement, MAX_ANNOUNCEMENTS, announcement_forget);
	INIT(probes, probe, MAX_PROBES, NULL);
	INIT(dad_probes, probe, MAX_PROBES, NULL);
	INIT(arp_senders, arp_sender, MAX_ARP_SENDERS, arp_sender_forget);
}

#endif
