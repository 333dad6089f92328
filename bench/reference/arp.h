/* ARP as src/network/neighbors/resolver.ts sorts it into resolutions, refreshes, announcements, probes and claims. */
#ifndef ARP_H
#define ARP_H

#include "answers.h"

static inline void arp_request(const struct link *link, struct mac sha, int32_t spa, int32_t tpa, int is_claim,
			       const struct place *place)
{
	static const struct mac nobody = { 0, 0 };
	struct resolution *r;
	if (is_claim)
		claim_address(link->segment, sha, spa, REQUESTED, nobody, place);
	/* A unicast request only refreshes what the station knows already. */
	if (!link->is_group) {
		claim_refreshed(link->segment, tpa, place->time);
		if (!link->is_copy)
			refresh_request(link, resolution_key(link->segment, sha, spa, tpa), place);
		return;
	}
	r = request(link, sha, spa, tpa, place);
	if (link->is_copy)
		return;
	if (!r->has_asked || r->asked_era != bindings.evicted) {
		binding_claim(link->segment, sha, tpa, ASKED);
		r->has_asked = 1;
		r->asked_era = bindings.evicted;
	}
	claim_asked(link->segment, tpa, place->time);
}

static inline void arp_reply(const struct link *link, struct mac sha, struct mac tha, int32_t spa, int32_t tpa,
			     int is_claim, const struct place *place)
{
	int unasked = answer(link, tha, tpa, spa, sha, place);
	if (probes.rows > 0)
		probe_answer(link->segment, tha, spa, sha, place);
	if (!is_claim)
		return;
	if (unasked)
		claim_unasked(link->segment, sha, spa, tha, place);
	else
		claim_address(link->segment, sha, spa, REPLIED, tha, place);
}

/* A station names its own address as target, or replies to all. */
static COLD void arp_announcement(const struct link *link, struct mac sha, int32_t spa, int is_reply, int zero_tha,
				  int is_claim, const struct place *place)
{
	static const struct mac nobody = { 0, 0 };
	struct claim *c;
	announce(link->segment, sha, spa, place, is_reply, zero_tha);
	if (!is_claim)
		return;
	c = claim_address(link->segment, sha, spa, ANNOUNCED, nobody, place);
	if (moves.rows > 0)
		move_announced(c);
}

static void resolve_arp(const struct frame *f, const struct link *link, int layer)
{
	const uint8_t *p = f->bytes + f->offsets[layer];
	struct place place = place_of(f, layer);
	struct mac sha, tha;
	uint32_t spa_bits, tpa_bits;
	int32_t spa, tpa;
	int operation = be16(p + 6), is_foreign, is_claim;
	if (be16(p + 2) != 0x0800 || be16(p + 4) != 0x0604 || be16(p) == 0 || (operation != 1 && operation != 2))
		return;
	sha = mac_at(p + 8);
	tha = mac_at(p + 18);
	spa_bits = be32(p + 14);
	tpa_bits = be32(p + 24);
	tpa = ipv4_number(tpa_bits);
	is_foreign = !same(sha, link->from);
	if (is_foreign && !link->is_copy)
		arp_sender_note(link->segment, sha, link->from, spa_bits == 0 ? -1 : ipv4_number(spa_bits), &place);
	if (operation == 1 && spa_bits == 0) {
		if (!link->is_copy)
			probe(link->segment, sha, tpa, &place);
		return;
	}
	spa = number_of(link, spa_bits);
	/* A sender address that is not the frame's is a bond's, a repeater's or a broken packet's: nobody's claim. */
	is_claim = !link->is_copy && !is_foreign;
	if (spa_bits == tpa_bits || (operation == 2 && link->is_group)) {
		if (!link->is_copy && spa_bits != 0)
			arp_announcement(link, sha, spa, operation == 2, (tha.high | tha.low) == 0, is_claim, &place);
	} else if (operation == 2) {
		arp_reply(link, sha, tha, spa, tpa, is_claim, &place);
	} else {
		arp_request(link, sha, spa, tpa, is_claim, &place);
	}
}

#endif
