import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import { at, atNamespace } from '../../parts/device-argument.js';
import { learnedAt } from '../../parts/learned-at.js';
import type { Diagnosis, Remedy } from '../../rule.js';
import { isForwarded } from './answers.js';
import { areTwoHosts, contestOf, isOneHost, kindOf } from './claimants.js';

/** Hosts that a cure names at most. */
const MAX_HOSTS = 8;

/**
 * A station took an address over by announcements to all and goes on announcing it, and who had it goes on sending from it: poisoning by
 * broadcast of hosts that ask nobody. Null where something else explains it.
 */
export function disregardedBy(network: Network, a: number, b: number, claim: number, times: number): Diagnosis | null {
  const { since, places } = network.claims.takeovers.of(claim);
  const claimants = {
    a,
    b,
    doubly: false,
    apart: Number.POSITIVE_INFINITY,
    usurped: true,
    unasked: times,
    uncalled: Number.NaN,
    goesOn: true,
    since,
    oneHost: false,
    merged: false,
  };
  if (kindOf(network, claimants) !== 'spoof' || isOneHost(network, a, b)) return null;
  // A node that had a service address goes on passing on what its containers answer.
  if (isForwarded(network, b)) return null;
  const { ip, claimant, rival, names, ...rest } = contestOf(network, claim, claimants);
  const note = `says that it has ${ip}, while ${rival} sends from it`;
  const isKnown = isForwarded(network, a) || (network.context !== null && areTwoHosts(network, a, b));
  return {
    ...rest,
    key: `${rest.key} announced`,
    count: times + 1,
    first: since,
    last: network.now,
    evidence: places.map((place) => ({ capture: rest.capture, layer: 'arp', note, ...place })),
    confidence: isKnown ? 'likely' : 'hint',
    title: `${claimant} announces ${ip} again and again, which ${rival} goes on using`,
    summary:
      `${rival} held ${ip}, and goes on sending packets from it. Meanwhile ${claimant} tells all hosts that ${ip} is at its own MAC: ${times + 1} announcements of it are followed by packets of the other. ` +
      'Who hears an announcement sends to its sender from then on.',
    subject: { ip, mac: claimant, victim: rival },
    cause: isForwarded(network, a)
      ? `ARP spoofing: packets from ${ip} come through ${claimant} as well, a hop older. It draws the traffic to itself and passes it on.`
      : 'ARP spoofing by broadcast (arpspoof, ettercap), to read the traffic or to cut a host off; or a second host that was given the same address and only announces it.',
    remedy: guards(network, { a, ip, claimant, rival }),
    caveats: isKnown ? [] : ['one host with two devices, which announces the address of one by the other, looks alike'],
    wouldRaise: isKnown
      ? []
      : [`host context (--context) of the machines with ${rival} and ${claimant}: are they two?`],
    context: names,
    explains: [
      { rule: 'arp/duplicate-address', key: rest.key },
      { rule: 'arp/announcement-repeated', key: `${rest.segment} ${claimant} ${ip}` },
    ],
  };
}

/** What keeps one station from speaking for an address that another holds. */
export function guards(
  network: Network,
  { a, ip, claimant, rival }: { a: number; ip: string; claimant: string; rival: string },
): Remedy[] {
  const { bindings, context } = network;
  const port = learnedAt(context, bindings.hi(a), bindings.lo(a));
  const takers = takersOf(context, ip, claimant);
  return [
    {
      text: 'Find the machine: behind which switch port its MAC lives',
      commands: [`${at(port, 'bridge fdb show')} | grep -i ${claimant}`],
    },
    {
      text: 'Until it is off the network, pin the right MAC on the hosts that matter',
      commands: [`ip neigh replace ${ip} lladdr ${rival} dev <device> nud permanent`],
    },
    {
      text: `On a Linux bridge, until the next restart: let only the holder answer for the address${takers.length > 0 ? ', and have hosts forget what they were told' : ''}`,
      commands: [
        'nft add table bridge arpguard',
        "nft add chain bridge arpguard guard '{ type filter hook forward priority 0; }'",
        `nft add rule bridge arpguard guard arp saddr ip ${ip} ether saddr != ${rival} drop`,
      ]
        .map((command) => at(port, command))
        .concat(takers),
    },
    ...(takers.length > 0
      ? []
      : [
          {
            text: 'And have each host that was told forget it, which else takes half a minute',
            commands: [`ip neigh flush to ${ip}`],
          },
        ]),
  ];
}

/** Has hosts forget an address whose entry the host context shows with the wrong MAC. */
function takersOf(context: HostContext | null, ip: string, mac: string): string[] {
  return [...(context?.namespaces.values() ?? [])]
    .filter(({ neighbours }) => neighbours.some(({ dst, lladdr }) => dst.text === ip && lladdr?.text === mac))
    .map(({ name }) => atNamespace(name, `ip neigh flush to ${ip}`))
    .slice(0, MAX_HOSTS);
}
