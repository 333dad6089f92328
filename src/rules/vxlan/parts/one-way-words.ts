import type { Ip } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { type Question, requestFrames } from '../../parts/question.js';
import { asRepeated, repeatedFrames } from '../../parts/repeated.js';
import type { Confidence, Diagnosis, Remedy } from '../../rule.js';
import { translatorOf } from './endpoint-firewall.js';
import { type NoWayBack, noWayBack } from './no-way-back.js';
import type { RoutedSilence } from './routed-silence.js';
import { translatedOnWay } from './translated.js';
import {
  address,
  isGroup,
  isKnown,
  onEndpoint,
  symptomsOf,
  tunnelFrames,
  tunnelsCarrying,
  underlayName,
  vxlanDevices,
  vxlanLine,
} from './tunnel.js';

/** Frames of the silent direction's counterpart that are named as evidence. */
const EXAMPLES = 16;

/** A tunnel that goes one way, and what shows it. */
export interface OneWay {
  /** Row of `network.tunnels`: the way that is seen. */
  readonly tunnel: number;
  readonly confidence: Confidence;
  /** Whether its far end sends VXLAN of its own, but no answers. */
  readonly sends: boolean;
  /** What is asked inside in vain. */
  readonly questions: readonly Question[];
  readonly routed: RoutedSilence | null;
  /** What the far end's side asks again and again, though it is answered through this tunnel. */
  readonly unheard: readonly Question[];
  /** The far end's VXLAN device, if it is known to have received nothing. */
  readonly deaf: Device | null;
  /** Whether other packets than VXLAN come from the far end. */
  readonly isAlive: boolean;
  /** Whether the capture shows frames of one way only. */
  readonly isOneWay: boolean;
}

function titleOf(from: string, to: string, { unheard, sends }: Pick<OneWay, 'unheard' | 'sends'>): string {
  if (unheard.length > 0) return `VXLAN from ${from} does not reach ${to}, whose own does arrive`;
  if (sends) return `${to} never answers what ${from} sends it through VXLAN`;
  return `VXLAN goes from ${from} to ${to}, and nothing comes back`;
}

/** What comes from the far end instead of answers. */
function comesBack(
  network: Network,
  tunnel: number,
  { from, to, sends, isAlive }: Pick<OneWay, 'sends' | 'isAlive'> & { readonly from: string; readonly to: string },
): string {
  if (sends) return `From ${to} come broadcasts of its own only, no answer to any question from behind ${from}. `;
  const { tunnels } = network;
  const sent = tunnelsCarrying(network, tunnels.inner(tunnel)).filter(
    (row) => tunnels.source(row) === tunnels.destination(tunnel) && isGroup(network, tunnels.destination(row)),
  );
  const groups = [...new Set(sent.map((row) => address(network, tunnels.destination(row))))];
  if (groups.length > 0) return `From ${to} comes VXLAN to ${groups.join(', ')}, none to ${from}. `;
  return `From ${to} comes no VXLAN at all${isAlive ? ', but other packets do' : ''}. `;
}

export function oneWayFinding(network: Network, { tunnel, confidence, ...facts }: OneWay): Diagnosis {
  const { tunnels, segments } = network;
  const { sends, questions, routed, unheard, deaf, isAlive, isOneWay } = facts;
  const segment = tunnels.segment(tunnel);
  const capture = segments.captureOf(segment);
  const destination = tunnels.destination(tunnel);
  const from = address(network, tunnels.source(tunnel));
  const to = address(network, destination);
  const port = tunnels.port(tunnel);
  const vni = tunnels.vni(tunnel);
  const stuck = sends || deaf ? null : (noWayBack(network, tunnel) ?? translation(network, tunnel, from));
  return {
    key: String(tunnel),
    segment,
    capture,
    confidence,
    title: titleOf(from, to, facts),
    summary:
      `${from} sent ${tunnels.frames(tunnel)} VXLAN packets of VNI ${vni} to ${to}, UDP port ${port}. ` +
      comesBack(network, tunnel, { from, to, sends, isAlive }) +
      (unheard.length > 0
        ? `${unheard.map(({ spa, tpa }) => `${spa} asks for ${tpa}`).join(', ')}, is answered each time, and asks again. `
        : '') +
      `${[...new Set([...questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`), ...(routed?.words ?? [])])].join(', ')}, in vain.`,
    subject: { endpoint: to, sender: from, vni, port },
    count: tunnels.frames(tunnel),
    first: tunnels.first(tunnel),
    last: tunnels.last(tunnel),
    evidence: [
      ...questions.flatMap((question) => requestFrames(network, question)),
      ...(routed?.evidence ?? []),
      ...unheard.flatMap(({ row }) => repeatedFrames(network, row)),
      ...tunnelFrames(network, tunnel).slice(0, EXAMPLES),
    ],
    cause: deaf
      ? `The packets arrive at ${to}, and its VXLAN device ${printable(deaf.name)} has received none: a firewall on the machine drops UDP port ${port}.`
      : (stuck?.cause ??
        `A firewall, security group or hypervisor drops UDP port ${port} on the way to ${to} or back, ${to} sends its answers elsewhere (wrong remote), or it has no device for VNI ${vni}: Linux drops an unknown VNI without a word.`),
    remedy: stuck ? [stuck.remedy] : remedyOf(network, tunnel, isAlive),
    caveats: [
      ...(isOneWay ? ['all frames of this capture go one way: it would not show what comes back'] : []),
      ...(routed && !deaf
        ? [
            `stations that drop what they get stay silent too (a firewall or network policy inside): ${routed.targets.join(', ')}`,
          ]
        : []),
      ...(deaf || routed || unheard.length > 0 || !questions.every((question) => isForUnseen(network, question))
        ? []
        : [
            `an address that nobody has stays without an answer too, and nothing here shows that somebody has ${questions.map(({ tpa }) => tpa).join(', ')}`,
          ]),
    ],
    wouldRaise: deaf
      ? []
      : [
          `a capture at ${to}: do the packets arrive?`,
          ...(isKnown(network, destination)
            ? []
            : [`\`ip -d -s link\` of ${to} (--context): does its VXLAN device receive?`]),
        ],
    context: deaf
      ? [`${vxlanLine(deaf)}: 0 packets received`]
      : [...(stuck ? [stuck.context] : []), ...vxlanDevices(network, destination, vni).map(vxlanLine)],
    explains: [
      ...symptomsOf(network, [...questions, ...unheard]),
      ...unheard.map(asRepeated),
      ...(routed?.explains ?? []),
    ],
  };
}

/** Whether neither a frame nor the host context shows that somebody has the address that is asked for. */
export function isForUnseen({ claims, resolutions }: Network, { row, segment, target }: Question): boolean {
  return target === null && claims.holder(segment, resolutions.tpa(row)) < 0;
}

function remedyOf(network: Network, tunnel: number, isAlive: boolean): Remedy[] {
  const { tunnels } = network;
  const source = tunnels.source(tunnel);
  const destination = tunnels.destination(tunnel);
  const from = address(network, source);
  const to = address(network, destination);
  const port = tunnels.port(tunnel);
  const vni = tunnels.vni(tunnel);
  return [
    {
      text: `See whether the packets arrive at ${to}, and whether any leave there`,
      commands: [
        onEndpoint(
          network,
          destination,
          `tcpdump -eni ${underlayName(network, destination)} udp port ${port} and host ${from}`,
        ),
      ],
    },
    {
      text: `They arrive: let them in at ${to}`,
      commands: [
        onEndpoint(network, destination, 'nft list ruleset'),
        onEndpoint(network, destination, `iptables -I INPUT -p udp --dport ${port} -s ${from} -j ACCEPT`),
      ],
    },
    ...(isAlive
      ? [
          {
            text: `Other packets come from ${to}, so it is the port: allow UDP ${port} in security groups on the way. Hypervisors that run VXLAN themselves take ports 4789 and 8472 for theirs: another port on all endpoints (flannel: Backend.Port) helps there, or no offload for tunnels`,
            commands: [
              onEndpoint(
                network,
                source,
                `ip link add <new vxlan device> type vxlan id ${vni} remote ${to} dstport 8473`,
              ),
              onEndpoint(
                network,
                source,
                `ethtool -K ${underlayName(network, source)} tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off`,
              ),
            ],
          },
        ]
      : []),
    {
      text: `They arrive and pass the firewall: compare VNI and remote address with the device of ${from}`,
      commands: [onEndpoint(network, destination, 'ip -d link show type vxlan')],
    },
  ];
}

/** Where a router on the way translates the source of what goes through the tunnel. */
function translation(network: Network, tunnel: number, from: string): NoWayBack | null {
  const { tunnels, addresses } = network;
  const [near, far] = [tunnels.source(tunnel), tunnels.destination(tunnel)];
  const way = { from: ipOf(addresses, near), to: ipOf(addresses, far), port: tunnels.port(tunnel) };
  const translator = translatorOf(network, way);
  return translator && translatedOnWay(network, translator, from, way.port);
}

function ipOf(addresses: Network['addresses'], row: number): Ip {
  const words = [...addresses.words(row)];
  return { family: words.length === 1 ? 4 : 6, words, text: addresses.format(row) };
}
