import type { Network } from '../../network/network.js';
import { macAt } from '../../wire/address.js';
import { ACTOR, lacpPort, lacpState, SYSTEM } from '../../wire/lacp.js';
import { headerOf } from '../parts/evidence.js';
import { inNamespace } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import type { EvidenceRef, Rule } from '../rule.js';

/** State bit 6 of the actor: it uses defaults for its partner, for it hears none (IEEE 802.1AX-2014 clause 6.4.2.3). */
const DEFAULTED = 0x40;
const MAX_PORTS = 256;
const MAX_FRAMES = 32;

interface Port {
  readonly key: string;
  readonly actor: string;
  readonly number: number;
  readonly segment: number;
  readonly capture: number;
  /** LACPDUs in a row that say that no partner is heard. */
  count: number;
  first: number;
  last: number;
  frames: EvidenceRef[];
}

/** What gives a bond a mode that needs no partner: that of the capture, if the host context shows it. */
function activeBackup({ context, vantage }: Network): string[] {
  const master = vantage?.kind === 'bond' ? vantage : vantage?.master;
  const bond = context && master?.kind === 'bond' ? master : null;
  const ports = bond && context ? context.portsOf(bond).map(({ name }) => name) : ['<each port>'];
  const name = bond?.name ?? '<bond>';
  const commands = [
    `ip link set ${name} down`,
    ...ports.map((port) => `ip link set ${port} nomaster`),
    `ip link set ${name} type bond mode active-backup`,
    ...ports.flatMap((port) => [`ip link set ${port} down`, `ip link set ${port} master ${name}`]),
    `ip link set ${name} up`,
  ];
  return bond ? commands.map((command) => inNamespace(bond, command)) : commands;
}

/** A port of a bond speaks LACP and says of itself that nobody answers (catalogue D9). */
export const lacpPartnerSilent: Rule = {
  meta: {
    id: 'bridge/lacp-partner-silent',
    severity: 'warning',
    summary: 'A bond speaks LACP and hears no partner: its link does not join the aggregate',
    catalogue: 'D9',
    silence: true,
    thresholds: {
      packets: {
        value: 3,
        unit: 'LACPDUs without a partner',
        source:
          'more than the start of a link: at the fast rate the partner is due after one second, at the slow after 30',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const ports = new Map<string, Port>();
    /** Actors heard by segment; two of them are partners, whatever one of them says yet. */
    const actors = new Map<number, Set<string>>();

    function tell(port: Port): void {
      const { key, actor, number, segment, capture, count, first, last, frames } = port;
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        confidence: 'certain',
        title: `${actor} speaks LACP at port ${number} and hears no partner`,
        summary:
          `${actor} sent ${count} LACPDUs for its port ${number}, each with the state “defaulted”: it has heard no LACPDU from the other end. None from another system is in this capture either. ` +
          'The link does not join the aggregate; a bond of several such links uses one of them, and the switch takes them for separate cables.',
        subject: { mac: actor, port: number },
        evidence: frames,
        cause:
          'The switch has no LACP on these ports (a static channel or none), they belong to different channels, or something on the way drops frames to 01:80:c2:00:00:02, as bridges do.',
        remedy: [
          {
            text: 'See what the bond says of its partner',
            commands: ['cat /proc/net/bonding/bond0', 'ip -d link show type bond_slave'],
          },
          {
            text: 'On the switch (Cisco’s words): LACP active on the ports of this host, all in one channel',
            commands: ['interface range <ports>', 'channel-group 1 mode active'],
          },
          {
            text: 'A virtual machine behind a Linux bridge: let the bridge pass LACPDUs (bit 2), or bond on the host instead',
            commands: ['echo 4 > /sys/class/net/<port>/brport/group_fwd_mask'],
          },
          {
            text: 'Where the switch cannot: a bond changes its mode only while it is down and without ports (its routes go, and the way in by it)',
            commands: activeBackup(network),
          },
        ],
        wouldRaise: [],
      });
    }

    return {
      layers: {
        Lacp(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          const segment = segmentAt(network, frame, layer);
          const actor = macAt(view, at + ACTOR + SYSTEM);
          const heard = actors.get(segment) ?? new Set();
          if (heard.size < 2) heard.add(actor);
          if (actors.size < MAX_PORTS) actors.set(segment, heard);
          const number = lacpPort(view, at + ACTOR);
          const key = `${segment} ${actor} ${number}`;
          let port = ports.get(key);
          if (!port) {
            if (ports.size === MAX_PORTS) return;
            const { capture, time } = frame;
            port = { key, actor, number, segment, capture, count: 0, first: time, last: time, frames: [] };
            ports.set(key, port);
          }
          if ((lacpState(view, at + ACTOR) & DEFAULTED) === 0) {
            port.count = 0;
            port.frames = [];
            return;
          }
          if (port.count === 0) port.first = frame.time;
          port.count++;
          port.last = frame.time;
          if (port.frames.length < MAX_FRAMES)
            port.frames.push(headerOf(frame, layer, 'lacp', 'LACPDU, state defaulted: no partner heard'));
        },
      },
      captureEnd(capture) {
        for (const port of ports.values()) {
          if (port.capture !== capture) continue;
          if (port.count >= thresholds.packets && actors.get(port.segment)?.size === 1) tell(port);
          else withdraw(port.key);
        }
      },
    };
  },
};
