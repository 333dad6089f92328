import { deviceFor } from '../../network/context/vlan-paths.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { asSymptom, inNamespace, label, questionOf } from '../parts/question.js';
import type { Confidence, Rule } from '../rule.js';
import { framesWord, tagsOf } from './parts/tags.js';

/** IEEE 802.1Q customer tags. */
const CUSTOMER_TAG = 0x8100;
/** Segments, and questions in each, that are remembered as symptoms. */
const MAX_SEGMENTS = 1024;
const MAX_QUESTIONS = 64;

/** A customer tag inside a customer tag: something tags twice (catalogue E3). */
export const doubleTag: Rule = {
  meta: {
    id: 'vlan/double-tag',
    severity: 'warning',
    summary: 'Frames carry two VLAN tags where the host expects one: something tags twice',
    catalogue: 'E3',
  },
  create({ network, report }) {
    const { tags, segments } = network;

    /** Unanswered questions by the segment that they were asked in, where that has two tags. */
    const questions = new Map<number, Set<number>>();

    /** How sure it is that two tags are not meant; null where they are. */
    function judge(row: number, outer: number, inner: number): { confidence: Confidence; why: string } | null {
      const isBase = segments.trunkOf(tags.segment(row)) === segments.baseOf(tags.segment(row));
      if (network.context && network.vantage && isBase) {
        if (deviceFor(network.context, network.vantage, [outer, inner])) return null;
        const device = deviceFor(network.context, network.vantage, [outer]);
        // A bridge, a macvlan or a guest on it may want the inner tag.
        if (device && device.addresses.length > 0 && !device.master && network.context.childrenOf(device).length === 0)
          return {
            confidence: 'likely',
            why: `${label(device)} takes the outer tag off, and nothing on it takes the inner one.`,
          };
      }
      // Provider bridges put 0x88a8 around customers' tags: that is what two tags are for.
      if (tags.tpid(row) !== CUSTOMER_TAG || tags.around(row) !== CUSTOMER_TAG) return null;
      if (outer === inner)
        return { confidence: 'likely', why: 'Both tags are the same: one network was tagged twice.' };
      return {
        confidence: 'hint',
        why: 'Provider networks mark the outer tag with 0x88a8 as a rule, and this one is 0x8100.',
      };
    }

    function tell(row: number): void {
      if (tags.isPriority(row) || tags.around(row) === 0) return;
      const segment = tags.segment(row);
      const { vlans } = segments.describe(segment);
      const [outer, inner] = vlans.slice(-2);
      if (vlans.length !== 2) return;
      const judged = judge(row, outer, inner);
      if (!judged) return;
      const capture = segments.captureOf(segment);
      const mac = formatMac(tags.hi(row), tags.lo(row));
      const device = network.vantage ? printable(network.vantage.name) : '<device>';
      report({
        key: String(row),
        segment,
        capture,
        confidence: judged.confidence,
        title: `Frames carry two VLAN tags, ${outer} and inside it ${inner}`,
        summary:
          `${framesWord(tags.frames(row))}, the first from ${mac}, with tag ${inner} inside tag ${outer}. ${judged.why} ` +
          'A host that takes one tag off sees a frame that is tagged still, and drops it; each tag takes 4 more bytes.',
        subject: { vlan: outer, inner },
        count: tags.frames(row),
        first: tags.first(row),
        last: tags.last(row),
        evidence: tags
          .places(row)
          .map((place) => ({ capture, layer: 'vlan', note: `tag ${inner} inside tag ${outer}`, ...place })),
        cause:
          `A VLAN device is handed on to something that tags again (eth0.${outer} in a bridge with VLANs, a guest or a container that tags by itself), ` +
          'or a trunk is plugged into an access port.',
        remedy: [
          {
            text: 'See who tags: VLAN devices, and the VLANs of bridge ports',
            commands: ['ip -d link show type vlan', 'bridge vlan show'],
          },
          {
            text: 'If one tag is meant: hand on the device without the VLAN, or take the VLAN off the guest',
            commands: [`ip link set ${device} master <bridge>   # instead of ${device}.${outer}`],
          },
          {
            text: 'If both are meant: a device for the inner tag, the outer one marked as a provider tag, and an MTU that has room',
            commands: [
              `ip link add link ${device} name svlan${outer} type vlan proto 802.1ad id ${outer}`,
              `ip link add link svlan${outer} name cvlan${inner} type vlan id ${inner}`,
            ].map((command) => (network.vantage ? inNamespace(network.vantage, command) : command)),
          },
        ],
        explains: [...(questions.get(segment) ?? [])].flatMap((each) => asSymptom(questionOf(network, each))),
        wouldRaise:
          judged.confidence === 'hint'
            ? ['host context and the place of the capture (--context, --vantage): which VLAN devices take these tags']
            : [],
      });
    }

    /** Nobody hears what is tagged twice: what is asked so stays unanswered. */
    function ask(row: number): void {
      const segment = network.resolutions.segment(row);
      if (segments.depth(segment) < 2) return;
      const rows = questions.get(segment) ?? new Set();
      if (questions.size < MAX_SEGMENTS) questions.set(segment, rows);
      if (rows.size < MAX_QUESTIONS) rows.add(row);
    }

    return {
      events: { tagged: tell, unanswered: ask },
      captureEnd: (capture) => tagsOf(network, capture).forEach(tell),
    };
  },
};
