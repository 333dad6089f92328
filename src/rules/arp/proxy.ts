import type { Device } from '../../network/context/device.js';
import { largerSetting } from '../../network/context/routing.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { label } from '../parts/question.js';
import type { Confidence, EvidenceRef, Rule } from '../rule.js';
import { type Answer, Answers, isForwarded, isOwn } from './parts/answers.js';
import { besideHolders } from './parts/beside-holders.js';
import { isOneHost } from './parts/claimants.js';
import { proxyRemedies } from './parts/proxy-remedies.js';
import { probeOf } from './probe-answered.js';

const MAX_REMEMBERED = 4096;
const MAX_NAMED = 8;
const SWITCHES = ['proxy_arp', 'proxy_arp_pvlan'] as const;

/** An address that is answered for by another than its holder, and what shows it. */
interface Proxied {
  readonly answer: Answer;
  readonly ip: string;
  readonly isForwarded: boolean;
  readonly isLate: boolean;
  /** Signs that the answer was given for another. */
  readonly signs: number;
}

/** A station answers ARP for addresses of others (catalogue A10). */
export const proxy: Rule = {
  meta: {
    id: 'arp/proxy',
    severity: 'info',
    summary: 'A host answers ARP for addresses of others (proxy ARP): their traffic goes through it',
    catalogue: 'A10',
    thresholds: {
      addresses: {
        value: 5,
        unit: 'addresses answered late, or forwarded for, that say more than a few',
        source: 'catalogue A10; fewer may be aliases or virtual addresses of a slow host',
      },
      delay: {
        value: 0.1,
        unit: 'seconds from a request to an answer that is late',
        source:
          'hosts answer within some ms; Linux’s proxy waits up to 0.8 s, at random (proxy_delay in net/ipv4/arp.c), 7 of 8 times longer than this',
      },
      longestDelay: {
        value: 0.9,
        unit: 'seconds from a request to an answer, after which it is late for another reason',
        source: 'Linux’s proxy waits up to 0.8 s (proxy_delay), and a little comes on top',
      },
      holders: {
        value: 3,
        unit: 'addresses answered for at once beside as many holders, and used by none but them',
        source:
          'a host that was given one address or two by mistake is no proxy; three of three others are not given so',
      },
      forwards: {
        value: 1,
        unit: 'seconds from an answer until the answering host asks for that address itself, to forward',
        source: 'it asks as soon as the first packet comes; later the address may have moved',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { bindings, addresses, claims, probes } = network;
    const answers = new Answers(network, { forwards: thresholds.forwards, longestDelay: thresholds.longestDelay });
    /** Rows of `bindings` that answered one request both, by the row of `claims`. */
    const doubles = new Map<number, readonly [number, number]>();
    const probed = new Set<number>();

    /** Addresses of the station's answers, without those that its host has at other `devices`; `all` also without a sign that somebody else holds them. */
    function proxiedBy(group: readonly Answer[], devices: readonly Device[], all: boolean): Proxied[] {
      return group.flatMap((answer) => {
        const forwarded = isForwarded(network, answer.row);
        const isLate = answer.delay >= thresholds.delay * 1e9;
        const signs = [forwarded, isLate, answer.asks].filter(Boolean).length;
        if ((signs === 0 && !all) || holds(network, devices, answer.address)) return [];
        return [{ answer, ip: addresses.format(answer.address), isForwarded: forwarded, isLate, signs }];
      });
    }

    /**
     * A lowered TTL alone is no proof: addresses that a node translates to its containers (service and floating
     * addresses) come with one too. Nor is one late answer.
     */
    function confidenceIn(shown: readonly Proxied[], stolen: readonly Stolen[]): Confidence | null {
      const late = shown.filter(({ isLate }) => isLate).length;
      const firm = shown.filter(({ signs }) => signs > 1);
      const rivals = new Set(stolen.map(({ rival }) => rival)).size;
      const isFirm = firm.length > 1 || firm.some(({ answer }) => answer.asks);
      if (isFirm || late >= thresholds.addresses || rivals > 1) return 'likely';
      return firm.length > 0 || late > 1 || shown.length >= thresholds.addresses ? 'hint' : null;
    }

    /** Addresses whose holder answers as well, so that the two answers compete. */
    function stolenFrom(proxied: readonly Proxied[], evidenced: ReadonlySet<number>): Stolen[] {
      const found: Stolen[] = [];
      for (const [claim, [a, b]] of doubles) {
        const mine = proxied.find(({ answer }) => answer.row === a || answer.row === b);
        if (!mine) continue;
        const rival = mine.answer.row === a ? b : a;
        // Two routers that both answer for others do not compete with a holder.
        if (evidenced.has(rival) || isForwarded(network, rival) || isOneHost(network, a, b)) continue;
        found.push({ claim, ip: mine.ip, rival: formatMac(bindings.hi(rival), bindings.lo(rival)) });
      }
      return found;
    }

    function tell(group: readonly Answer[], evidenced: ReadonlySet<number>): void {
      const [{ segment, capture, hi, lo }] = group;
      const devices = network.context?.devicesByMac(hi, lo) ?? [];
      const device = nearest(
        network,
        devices.filter((each) => SWITCHES.some((name) => isOn(network, each, name))),
      );
      const told = proxiedBy(group, devices, device !== null);
      const shown = told.filter(({ signs }) => signs > 0);
      // What the context says of the host's settings counts more.
      const beside = devices.length > 0 ? [] : besideHolders(network, group, doubles.values());
      if (new Set(beside.map(({ holder }) => holder)).size >= thresholds.holders) {
        for (const each of proxiedBy(
          beside.map(({ answer }) => answer),
          devices,
          true,
        ))
          if (!told.some(({ answer }) => answer.row === each.answer.row)) told.push(each);
      } else beside.length = 0;
      if (told.length === 0) return;
      // Several nodes that serve one address answer for it at once, and what comes from it has a lowered TTL.
      const stolen = stolenFrom(
        device || beside.length > 0 ? told : shown.filter(({ isLate, answer }) => isLate || answer.asks),
        evidenced,
      );
      const surely = device ? 'certain' : null;
      const confidence = surely ?? (beside.length > 0 ? 'likely' : confidenceIn(shown, stolen));
      if (confidence === null) return;
      const isHint = confidence === 'hint';
      const refused = isHint ? [] : [...probed].filter((row) => isRefused(row, group));
      const mac = formatMac(hi, lo);
      const ips = nameSome(told.map(({ ip }) => ip));
      const harm = isHint ? [] : [...harmOf(stolen), ...harmOfProbes(network, refused)];
      report({
        key: `${segment} ${mac}`,
        segment,
        capture,
        severity: harm.length > 0 ? 'warning' : 'info',
        confidence,
        title: titleOf(mac, told, isHint, isHint ? 0 : stolen.length, refused.length),
        summary: [`${mac} answers for ${ips}.`, ...signsOf(told, beside.length), ...harm].join(' '),
        subject: { mac, addresses: told.length },
        count: told.reduce((sum, { answer }) => sum + answer.count, 0),
        first: Math.min(...told.map(({ answer }) => answer.first)),
        last: Math.max(...told.map(({ answer }) => answer.last)),
        evidence: [
          ...told.slice(0, MAX_NAMED).map(({ ip, answer: { frame, offset, length } }) => {
            return { capture, frame, layer: 'arp', offset, length, note: `${mac} answers for ${ip}` };
          }),
          ...(isHint ? [] : stolen.slice(0, MAX_NAMED)).flatMap(({ claim, ip }): EvidenceRef[] =>
            claims.frames(claim).map((place) => ({ capture, layer: 'arp', note: `says that it has ${ip}`, ...place })),
          ),
          ...refused.slice(0, MAX_NAMED).flatMap((row) => probeOf(network, row).evidence),
        ],
        cause: isHint
          ? 'Proxy ARP; or a busy host that has these addresses itself and translates them to others: service and floating addresses.'
          : 'Proxy ARP is on at that host. It answers whoever asks for an address that it would route to another device (proxy_arp), or to the same (proxy_arp_pvlan). ' +
            'Calico and routers between parts of one subnet need it; a mask that is too wide makes hosts depend on it.',
        remedy: proxyRemedies(network, device, stolen.length + refused.length > 0, told[0].ip),
        caveats:
          beside.length > 0
            ? [
                'a machine that answers for others to draw their traffic to itself (spoofing) looks alike, and so does one that was given addresses of several others',
              ]
            : [],
        wouldRaise: device
          ? []
          : [`\`sysctl net.ipv4.conf\` and \`ip neigh show proxy\` at the host that has ${mac} (--context)`],
        context: device ? [`${label(device)}: ${settingsOf(network, device)}`] : [],
        explains: [
          ...stolen.flatMap(({ ip }) => {
            const key = `${segment} ${ip}`;
            return [{ rule: 'arp/duplicate-address', key } as const, { rule: 'arp/vip-flip', key } as const];
          }),
          ...refused.flatMap((row) => {
            const { key } = probeOf(network, row);
            return [{ rule: 'arp/probe-answered', key } as const, { rule: 'arp/duplicate-address', key } as const];
          }),
        ],
      });
    }

    /** Whether the station answered this probe for an address that it does not use itself. */
    function isRefused(row: number, [{ segment, hi, lo }]: readonly Answer[]): boolean {
      if (probes.segment(row) !== segment || probes.holderHi(row) !== hi || probes.holderLo(row) !== lo) return false;
      const binding = bindings.find(segment, hi, lo, probes.address(row));
      const devices = network.context?.devicesByMac(hi, lo) ?? [];
      return binding >= 0 && !isOwn(network, binding) && !holds(network, devices, probes.address(row));
    }

    return {
      layers: { Arp: (frame, layer) => answers.read(frame, layer) },
      events: {
        doublyAnswered(a, b, claim) {
          if (doubles.size < MAX_REMEMBERED) doubles.set(claim, [a, b]);
        },
        probeAnswered(row) {
          if (probed.size < MAX_REMEMBERED) probed.add(row);
        },
      },
      captureEnd(capture) {
        const groups = answers.byStation(capture);
        const evidenced = new Set(
          groups.flatMap((group) => proxiedBy(group, [], false).map(({ answer }) => answer.row)),
        );
        for (const group of groups) tell(group, evidenced);
      },
    };
  },
};

interface Stolen {
  /** Row of `claims`. */
  readonly claim: number;
  readonly ip: string;
  readonly rival: string;
}

/** Whether the host with these devices has the address: Linux answers for it on any of them. */
function holds({ context, addresses }: Network, devices: readonly Device[], address: number): boolean {
  if (devices.length === 0) return false;
  const holders = context?.devicesByIp(addresses.words(address)) ?? [];
  return holders.some(({ namespace }) => devices.some((device) => device.namespace === namespace));
}

function isOn({ context }: Network, device: Device, name: string): boolean {
  const namespace = context?.namespaces.get(device.namespace);
  return namespace !== undefined && (largerSetting(namespace, device, name) ?? 0) > 0;
}

function settingsOf(network: Network, device: Device): string {
  return SWITCHES.filter((name) => isOn(network, device, name))
    .map((name) => `${name}=1`)
    .join(', ');
}

function titleOf(mac: string, told: readonly Proxied[], isHint: boolean, stolen: number, refused: number): string {
  const what = told.length === 1 ? told[0].ip : `${told.length} addresses`;
  if (isHint) return `${mac} answers ARP for ${what}, perhaps in the name of others (proxy ARP)`;
  if (stolen > 0) return `${mac} answers ARP for ${what} of others, though their holders answer themselves`;
  if (refused > 0) return `${mac} answers ARP for ${what} of others, even where a host only probes whether it is free`;
  return `${mac} answers ARP for ${what} in the name of others (proxy ARP)`;
}

/** How it shows that the answers are given for others. */
function signsOf(told: readonly Proxied[], beside: number): string[] {
  const some = (each: readonly unknown[]) => {
    if (told.length === 1) return 'it';
    return each.length === told.length ? 'them' : `${each.length} of them`;
  };
  const forwarded = told.filter((each) => each.isForwarded);
  const asked = told.filter(({ answer }) => answer.asks);
  const late = told.filter(({ isLate }) => isLate);
  const delays = late.map(({ answer }) => answer.delay / 1e9);
  const [least, most] = [Math.min(...delays), Math.max(...delays)].map((delay) => delay.toFixed(2));
  return [
    ...(beside > 0
      ? [`Of ${beside} of them the holders answer at the same time, and only they send from them: it uses none itself.`]
      : []),
    ...(forwarded.length > 0 ? [`Packets from ${some(forwarded)} come through this MAC with a lowered TTL.`] : []),
    ...(asked.length > 0 ? [`It asks for ${some(asked)} itself right after.`] : []),
    ...(late.length > 0
      ? [
          `The answer for ${some(late)} took ${least === most ? least : `${least} to ${most}`} s: Linux’s proxy waits up to 0.8 s.`,
        ]
      : []),
  ];
}

function harmOf(stolen: readonly Stolen[]): string[] {
  if (stolen.length === 0) return [];
  const ips = nameSome(stolen.map(({ ip }) => ip));
  return [
    `But ${ips} ${stolen.length === 1 ? 'answers' : 'answer'} as well: it depends on who asks, and on which answer comes first, whether traffic goes straight or by the proxy.`,
  ];
}

function harmOfProbes(network: Network, refused: readonly number[]): string[] {
  if (refused.length === 0) return [];
  const ips = nameSome(refused.map((row) => network.addresses.format(network.probes.address(row))));
  return [`It also answers probes for ${ips}: who wants to use the address takes it for taken and gives it up.`];
}

function nameSome(ips: readonly string[]): string {
  const unique = [...new Set(ips)];
  return `${unique.slice(0, MAX_NAMED).join(', ')}${unique.length > MAX_NAMED ? ` and ${unique.length - MAX_NAMED} more` : ''}`;
}

/** Of devices with one MAC, as the cali devices of all nodes have, the one at the place of capture; else the first. */
function nearest({ vantage }: Network, devices: readonly Device[]): Device | null {
  const here = vantage && devices.find((each) => each === vantage || each.peer === vantage);
  return here ?? devices[0] ?? null;
}
