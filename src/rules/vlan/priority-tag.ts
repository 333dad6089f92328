import { formatMac } from '../../wire/address.js';
import type { Rule } from '../rule.js';
import { framesWord, tagsOf } from './parts/tags.js';

/** Tags that carry a priority and no VLAN (catalogue E4). */
export const priorityTag: Rule = {
  meta: {
    id: 'vlan/priority-tag',
    severity: 'info',
    summary: 'Frames carry a tag with VLAN id 0, a priority without a VLAN',
    catalogue: 'E4',
  },
  create({ network, report }) {
    const { tags, segments } = network;
    function tell(row: number): void {
      if (!tags.isPriority(row)) return;
      const segment = tags.segment(row);
      const capture = segments.captureOf(segment);
      const mac = formatMac(tags.hi(row), tags.lo(row));
      const count = tags.frames(row);
      const who = tags.hasOneSender(row) ? mac : `${mac} and others`;
      report({
        key: String(row),
        segment,
        capture,
        confidence: 'certain',
        title: `Frames of ${who} carry a priority tag (VLAN id 0)`,
        summary: `${framesWord(count)} of ${who} with VLAN id 0 in the tag, the first with priority ${tags.priority(row)}. They belong to the untagged network. Linux takes them so; some virtual switches and hosts drop them.`,
        subject: { mac },
        count,
        first: tags.first(row),
        last: tags.last(row),
        evidence: tags.places(row).map((place) => ({ capture, layer: 'vlan', note: 'tag with VLAN id 0', ...place })),
        cause:
          'A network card, a storage or cluster fabric (DCB), a Windows driver, or a switch that marks priorities (IEEE 802.1p).',
        remedy: [
          {
            text: 'Nothing, as long as they arrive. If a receiver drops them: turn priority marking off at the sender; on Linux it comes from an egress map',
            commands: ['ip -d link show type vlan   # egress-qos-map', 'ethtool -k <device> | grep vlan'],
          },
        ],
      });
    }

    return { events: { tagged: tell }, captureEnd: (capture) => tagsOf(network, capture).forEach(tell) };
  },
};
