import { unansweredPings } from '../parts/pings/ping.js';
import { USUAL_MTU } from '../parts/sizes/oversize.js';
import { BIG_REQUESTS, watchOversize } from '../parts/sizes/watch.js';
import type { Rule } from '../rule.js';
import { tagWords } from './parts/tags.js';

/** What is left of the usual MTU where a device counts the tag as payload: 1500 - 4 bytes. */
const SHORT_MTU = USUAL_MTU - 4;
/** MTU of PPPoE (RFC 2516 section 7): a limit at or below it has more common causes than a tag. */
const PPPOE_MTU = 1492;

/** Full-size packets are lost where they carry a tag: 4 bytes have no room (catalogue E5). */
export const mtuShort: Rule = {
  meta: {
    id: 'vlan/mtu-short',
    severity: 'warning',
    summary: 'Packets of full size get lost in a VLAN: a device on the way has no room for the tag',
    catalogue: 'E5',
    silence: true,
    thresholds: {
      requests: BIG_REQUESTS,
    },
  },
  create(context) {
    const { segments, echoes } = context.network;
    return watchOversize(context, ({ key, row, segment, from, to, passes, fails, count }) => {
      const { vlans } = segments.describe(segment);
      if (vlans.length === 0 || passes > SHORT_MTU || fails <= SHORT_MTU || fails > USUAL_MTU) return null;
      const onlyTag = passes > PPPOE_MTU;
      return {
        confidence: onlyTag ? 'likely' : 'hint',
        title: `Packets of ${fails} bytes from ${from} to ${to} get lost ${tagWords(vlans)}, ${passes} bytes pass`,
        summary: `Pings of ${passes} bytes (IP) from ${from} to ${to} are answered; ${count} of ${fails} bytes are not. They travel ${tagWords(vlans)}: with the tag a frame of full size has ${fails + 18} bytes, 4 more than a device that does not count with tags lets pass.`,
        subject: { sender: from, receiver: to, passes, fails, vlan: vlans.join('/') },
        cause: `A device on the way (a card, a switch port, a virtual switch) takes frames of ${USUAL_MTU + 14} bytes at most and counts the tag in: ${SHORT_MTU} bytes are left for the packet.`,
        remedy: [
          {
            text: 'Find the size from which on it fails',
            commands: [`ping -M do -s ${SHORT_MTU - 28} ${to}`, `ping -M do -s ${SHORT_MTU - 27} ${to}`],
          },
          {
            text: 'Give the parent device and the switch ports room for the tag (switches: "baby giants", MTU 1522 or more)',
            commands: [`ip link set <parent> mtu ${USUAL_MTU + 4}`],
          },
          {
            text: 'Or make packets smaller on the VLAN devices, at all machines in it',
            commands: [`ip link set <device> mtu ${SHORT_MTU}`],
          },
        ],
        wouldRaise: [
          ...(onlyTag
            ? []
            : [`pings of ${SHORT_MTU} and ${SHORT_MTU + 1} bytes: a limit right between them is the tag's`]),
          'a capture at the other end: do the big frames arrive?',
          'the same ping without tag',
        ],
        explains: [
          { rule: 'mtu/black-hole', key },
          { rule: 'mtu/link-mismatch', key },
          ...unansweredPings(context.network, segment, echoes.source(row), echoes.destination(row)),
        ],
      };
    });
  },
};
