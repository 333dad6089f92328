import { type Device, doesNoArp } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { at, settingsName } from '../parts/device-argument.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { asSymptom, inNamespace, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { Trials } from '../parts/trials.js';
import { FRESH_TTLS } from '../parts/ttl.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { flagOf } from './parts/siblings.js';

/** Requests without an answer, of the latest questions, that make a machine silent. */
const IN_VAIN = 2;
/** Questions without context that are looked into: each costs a walk over all bindings. */
const MAX_LOOKUPS = 200;
/** Questions that are looked at again at the end of a capture, at most. */
const MAX_TOLD = 1024;

/** Nobody answers ARP for an ipvlan child in mode l3: who is to reach it needs a route (catalogue C4). */
export const l3Unreachable: Rule = {
  meta: {
    id: 'ipvlan/l3-unreachable',
    severity: 'error',
    summary: 'A host asks by ARP for an ipvlan child in mode l3, which never answers: a route to it is missing',
    catalogue: 'C4',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain', source: "the kernel's mcast_solicit" },
      trial: {
        value: 5,
        unit: 'seconds from the last request to the lease of the address asked for, which was tried out then',
        source: 'as in arp/unanswered',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    let lookups = 0;
    const trials = new Trials(network, thresholds.trial);
    /** Questions that were told, by key: that a DHCP server asked them may show later. */
    const told = new Map<string, Question>();

    function tell(question: Question, diagnosis: Diagnosis): void {
      if (told.size < MAX_TOLD) told.set(question.key, question);
      report(diagnosis);
    }

    function forget(key: string): void {
      told.delete(key);
      withdraw(key);
    }

    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          if (question.requests < thresholds.requests) return;
          // A DHCP server tries an address out before it gives it away: nobody has to reach it.
          if (trials.isTrial(question)) {
            forget(question.key);
            return;
          }
          const { context } = network;
          const { target } = question;
          if (context && target) {
            if (!doesNoArp(target) || isOnSameDevice(network, question, target)) return;
            tell(question, byContext(network, question, target));
          } else if (question.isIpv4 && lookups++ < MAX_LOOKUPS) {
            // Hosts solicit from their link-local address mostly: that a MAC claims no other by neighbor discovery says nothing.
            const diagnosis = byPackets(network, question);
            if (diagnosis) tell(question, diagnosis);
          }
        },
        leased(exchange, type) {
          const trial = trials.leased(exchange, type);
          if (trial) forget(trial.key);
        },
        answered(row) {
          forget(questionOf(network, row).key);
        },
      },
      captureEnd(capture) {
        for (const question of told.values())
          if (question.capture === capture && trials.isTrial(question)) forget(question.key);
      },
    };
  },
};

function isOnSameDevice({ context }: Network, { asker }: Question, target: Device): boolean {
  if (!asker || !context) return false;
  return context.parents(target).includes(asker) || context.sharesParent(asker, target) !== 'no';
}

function byContext(network: Network, question: Question, target: Device): Diagnosis {
  const { spa, tpa, requests } = question;
  const { parent } = target;
  return {
    ...base(network, question, cures(question, target)),
    confidence: 'certain',
    summary:
      `${spa} asks who has ${tpa}, ${requests} times in vain. ${tpa} is on ${label(target)}, an ipvlan child in mode ${target.mode}: such a child does no ARP, neither does its host for it. ` +
      `${spa} takes it for a neighbour; it has to be told that ${tpa} is behind ${parent ? label(parent) : 'the host of the child'}.`,
    context: [modeOf(target)],
  };
}

/** The address is in use behind a MAC that never speaks for it by ARP, and packets from it were not routed on their way. */
function byPackets(network: Network, question: Question): Diagnosis | null {
  const { bindings, resolutions } = network;
  const { segment, row, spa, tpa, requests } = question;
  const wanted = resolutions.tpa(row);
  const users = bindings.of(segment, wanted).filter((each) => bindings.ttl(each) > 0);
  if (users.length !== 1) return null;
  const [user] = users;
  const hi = bindings.hi(user);
  const lo = bindings.lo(user);
  if (hi === resolutions.hi(row) && lo === resolutions.lo(row)) return null;
  const own = bindings.own(segment, hi, lo);
  if (own.includes(wanted) || !FRESH_TTLS.includes(bindings.ttl(user))) return null;
  const mac = formatMac(hi, lo);
  // The machine that sent does not answer for its own address any more either: it is gone, with an address that it had besides.
  const isGone = own.some((address) => {
    const twin = resolutions.find(segment, resolutions.hi(row), resolutions.lo(row), resolutions.spa(row), address);
    return twin >= 0 && resolutions.run(twin) >= IN_VAIN;
  });
  return {
    ...base(network, question, cures(question, null)),
    // A MAC that has an address of its own and speaks for that one by ARP does not just happen to be silent.
    confidence: own.length > 0 && !isGone ? 'likely' : 'hint',
    summary:
      `${spa} asks who has ${tpa}, ${requests} times in vain, and yet packets from ${tpa} pass here: from ${mac}, with a TTL of ${bindings.ttl(user)}, so no router lies between. ` +
      `${own.length > 0 ? `${mac} does ARP for its own address and not for this one. ` : ''}That is how an ipvlan child in mode l3 or l3s looks: it sends by the MAC of its host, and nobody answers ARP for it.`,
    caveats: [
      'an address on a loopback device with arp_ignore set, as real servers of a load balancer have it, looks alike',
      ...(isGone ? [`${mac} does not answer for its own address either: the machine may be gone`] : []),
    ],
    wouldRaise: ['`ip -d link` of the host that sends (--context): ipvlan mode l3'],
  };
}

function base(network: Network, question: Question, remedy: Remedy[]) {
  const { spa, tpa, mac, segment, row } = question;
  const { resolutions } = network;
  return {
    ...question,
    title: `${spa} cannot reach ${tpa}: an ipvlan l3 child answers no ARP, and a route is missing`,
    subject: { ip: tpa, requester: spa, mac },
    evidence: requestFrames(network, question),
    cause:
      'Children in mode l3 and l3s are NOARP devices (kernel: drivers/net/ipvlan/ipvlan_main.c); the network has to route to them.',
    remedy,
    explains: [
      ...asSymptom(question),
      ...unansweredPings(network, segment, resolutions.tpa(row), resolutions.spa(row)),
      ...unansweredPings(network, segment, resolutions.spa(row), resolutions.tpa(row)),
    ],
  };
}

function cures({ asker, tpa, isIpv4 }: Question, target: Device | null): Remedy[] {
  const parent = target?.parent ?? null;
  const via = parent?.addresses.find(({ family }) => family === (isIpv4 ? 4 : 6))?.text ?? '<address of its host>';
  const add = `ip route add ${tpa}/${isIpv4 ? 32 : 128} via ${via}`;
  return [
    {
      text: 'On each host and router that is to reach it: a route by way of its host (better for the whole subnet of the children)',
      commands: [asker ? inNamespace(asker, add) : add],
    },
    ...proxy(target, tpa, isIpv4),
    {
      text: 'Or mode l2, in which children do ARP (all children change; their default routes need a gateway then)',
      commands: [
        target
          ? inNamespace(target, `ip link set ${target.name} type ipvlan mode l2${flagOf(target)}`)
          : 'ip link set <child> type ipvlan mode l2',
      ],
    },
  ];
}

/**
 * The host answers in place of the child. It hears ARP requests for it in mode l3s only: in mode l3 the driver hands them to the child, which ignores them (kernel:
 * `ipvlan_handle_mode_l3`). It answers where it forwards, and would route the address to another device.
 */
function proxy(target: Device | null, tpa: string, isIpv4: boolean): Remedy[] {
  if (isIpv4 && target?.mode === 'l3') return [];
  const parent = target?.parent ?? null;
  const name = parent?.name ?? '<parent>';
  const knobs = settingsName(name);
  const commands = isIpv4
    ? [
        `ip neigh add proxy ${tpa} dev ${name}`,
        `sysctl -w net.ipv4.conf.${knobs}.forwarding=1`,
        `ip route add ${tpa}/32 dev lo`,
      ]
    : [
        `ip -6 neigh add proxy ${tpa} dev ${name}`,
        `sysctl -w net.ipv6.conf.${knobs}.proxy_ndp=1`,
        `sysctl -w net.ipv6.conf.${knobs}.forwarding=1`,
      ];
  return [
    {
      text: isIpv4
        ? `Or let its host answer for it${target ? '' : ' (mode l3s only: in mode l3 the host does not hear the question)'}, address by address; the host forwards then, and does not reach the child itself`
        : 'Or let its host answer for it, address by address; the host forwards then, and takes no more router advertisements unless accept_ra is 2',
      commands: commands.map((command) => at(parent, command)),
    },
  ];
}
