import type { Network } from '../../network/network.js';
import { Direction } from '../../wire/frame.js';
import { confidenceBy } from '../parts/confidence.js';
import { onHost } from '../parts/device-argument.js';
import { setting } from '../parts/setting.js';
import { seconds } from '../parts/words.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { contestsOf, framesOf, INTERVALS, mayBeTwoVlans } from './parts/advertisements.js';
import { configuredApart } from './parts/configured-apart.js';
import { unheardMasters } from './parts/unheard-masters.js';

/** What a receiver demands of the packet, and what no router on the way leaves as it is (RFC 5798 section 5.1.1.3). */
const TTL = 255;

/** Two routers are master of one virtual router at once (catalogue D8). */
export const splitBrain: Rule = {
  meta: {
    id: 'vrrp/split-brain',
    severity: 'error',
    summary: 'Two VRRP routers are master of one virtual router at once: neither yields to the other',
    catalogue: 'D8',
    thresholds: {
      deadIntervals: setting('deadIntervals'),
    },
  },
  create({ network, report }) {
    const { virtualRouters: routers, segments, addresses } = network;
    /** Where each pair was told first: a capture of several devices shows it at each. */
    const told = new Map<string, number>();
    const MAX_TOLD = 256;

    return {
      captureEnd(capture) {
        for (const [row, rival] of unheardMasters(network, capture, INTERVALS)) report(apart(network, row, rival));
        configuredApart(network, capture).forEach(report);
      },
      events: {
        mastersMet(row) {
          const rival = routers.rival(row);
          const segment = routers.segment(row);
          const capture = segments.captureOf(segment);
          const isBefore =
            routers.first(row) < routers.first(rival) || (routers.first(row) === routers.first(rival) && row < rival);
          const [a, b] = isBefore ? [row, rival] : [rival, row];
          const [one, two] = [a, b].map((each) => addresses.format(routers.source(each)));
          const id = routers.id(row);
          const { vlans, vnis } = segments.describe(segment);
          const pair = `${capture} ${vlans} ${vnis} ${id} ${one} ${two}`;
          const first = told.get(pair);
          if (first !== undefined ? first !== segment : told.size === MAX_TOLD) return;
          told.set(pair, segment);
          const virtual = routers.firstAddress(a);
          const address = virtual < 0 ? null : addresses.format(virtual);
          const isOther = routers.digest(a) !== routers.digest(b);
          const doubt = mayBeTwoVlans(network, a, b, isOther);
          const differences = differencesOf(network, a, b);
          const hearing =
            [a, b].some((each) => routers.went(each, Direction.Out)) &&
            [a, b].some((each) => routers.went(each, Direction.In));
          const from = Math.max(routers.first(a), routers.first(b));
          const family = routers.isIpv6(row) ? 'IPv6' : 'IPv4';
          report({
            key: `${segment} ${family} ${id} ${one} ${two}`,
            segment,
            capture,
            count: routers.between(a) + routers.between(b),
            first: from,
            last: Math.max(routers.last(a), routers.last(b)),
            confidence: confidenceBy({ certain: doubt === 'none', likely: doubt === 'some' }),
            title: isOther
              ? `${one} and ${two} use the same VRRP id ${id} for different addresses`
              : `${one} and ${two} are both master of virtual router ${id}: they do not hear each other`,
            summary:
              `${one} (priority ${routers.priority(a)}) and ${two} (priority ${routers.priority(b)}) advertise themselves as master of VRRP id ${id} for ${family} at the same time, for ${seconds(Math.max(routers.last(a), routers.last(b)) - from)}. ` +
              'One of them should have yielded at the first advertisement of the other. ' +
              (isOther
                ? 'Both use the MAC that belongs to the id, so switches send the frames for it now to the one, now to the other.'
                : `Both answer for ${address ?? 'the virtual address'}: connections break, by turns and by neighbor.`),
            subject: { id, first: one, second: two, ...(address && !isOther ? { ip: address } : {}) },
            evidence: [...framesOf(network, a), ...framesOf(network, b)],
            cause: causeOf(isOther, differences, routers.isIpv6(row)),
            remedy: isOther
              ? otherId(id)
              : untilTheyHear(network, one, two, routers.isIpv6(row), differences.length > 0),
            caveats: [
              ...(hearing
                ? ['advertisements of one arrive on the machine of the other: what keeps it from yielding is there']
                : []),
              ...(doubt === 'none'
                ? []
                : [
                    'if this capture lost VLAN tags, the two may be in VLANs of their own, where one id may serve in each',
                  ]),
            ],
            explains: address ? contestsOf(network, a, address) : [],
            wouldRaise: doubt === 'none' ? [] : ['a capture with VLAN tags, on the device itself instead of `any`'],
          });
        },
      },
    };
  },
};

/** Two masters, each in a capture of its own (catalogue D8: multicast does not pass). */
function apart(network: Network, a: number, b: number): Diagnosis {
  const { virtualRouters: routers, segments, addresses } = network;
  const [one, two] = [a, b].map((each) => addresses.format(routers.source(each)));
  const id = routers.id(a);
  const isIpv6 = routers.isIpv6(a);
  const segment = routers.segment(a);
  const from = Math.max(routers.first(a), routers.first(b));
  const to = Math.min(routers.last(a), routers.last(b));
  const differences = differencesOf(network, a, b);
  const virtual = routers.firstAddress(a);
  return {
    key: `${segment} ${id} ${one} ${two} apart`,
    segment,
    capture: segments.captureOf(segment),
    count: routers.times(a) + routers.times(b),
    first: from,
    last: to,
    confidence: 'likely',
    title: `${one} and ${two} are both master of virtual router ${id}: each is heard in its own capture alone`,
    summary:
      `Each of two captures shows one master of VRRP id ${id}: ${two} (priority ${routers.priority(b)}) in the one, ${one} (priority ${routers.priority(a)}) in the other. For ${seconds(to - from)} both advertise themselves, ` +
      'and neither capture shows a word of the other: the advertisements do not pass between the two.',
    subject: { id, first: one, second: two, ...(virtual < 0 ? {} : { ip: addresses.format(virtual) }) },
    evidence: [b, a].flatMap((row) => framesOf(network, row, routers.ownPlaces(row))),
    cause: `IP protocol 112 to ${isIpv6 ? 'ff02::12' : '224.0.0.18'} is lost between the two: multicast snooping on a switch, a cloud network without multicast, a VLAN that does not reach both, a firewall on the way.`,
    remedy: untilTheyHear(network, one, two, isIpv6, differences.length > 0),
    caveats: [
      'that both are master at once rests on the clocks of the two machines that captured',
      'two networks with the same addresses, each with a router of its own, look alike',
    ],
    wouldRaise: ['a capture that shows both, as on a switch port between them'],
  };
}

/** What lets two masters hear each other; `differ`: what they tell shows that they are not configured alike. */
function untilTheyHear(network: Network, one: string, two: string, isIpv6: boolean, differ: boolean): Remedy[] {
  const onBoth = (command: string) => [...new Set([one, two].map((each) => onHost(network, each, command)))];
  return [
    {
      text: `See whether each gets the advertisements of the other, on ${one} and on ${two}`,
      commands: onBoth("tcpdump -eni any 'proto 112'"),
    },
    ...(differ
      ? [
          {
            text: 'Make both configurations the same but for the priority',
            commands: ['keepalived --config-test', 'journalctl -u keepalived -n 50'],
          },
        ]
      : []),
    {
      text: 'Let them in on both, until the next restart; what a rule of another nftables table than that of iptables drops stays dropped',
      commands: onBoth(`${isIpv6 ? 'ip6tables' : 'iptables'} -I INPUT -p 112 -j ACCEPT`),
    },
    {
      text: `Where multicast does not pass: let keepalived send unicast (keepalived.conf, \`unicast_peer { ${two} }\` on ${one}, \`unicast_peer { ${one} }\` on ${two})`,
      commands: ['systemctl reload keepalived'],
    },
    {
      text: 'Once one has yielded: let the master announce its addresses every minute (keepalived.conf, `vrrp_instance`, `garp_master_refresh 60`), for neighbors may still send to the other',
      commands: ['systemctl reload keepalived'],
    },
  ];
}

/** Two groups with one id: other groups in the same file keep theirs. */
function otherId(id: number): Remedy[] {
  return [
    {
      text: 'Give one of the groups another id, on each of its routers',
      commands: [
        `sed -i "s/virtual_router_id *${id}\\b/virtual_router_id <free id>/" /etc/keepalived/keepalived.conf`,
        'systemctl reload keepalived',
      ],
    },
  ];
}

function causeOf(isOther: boolean, differences: readonly string[], isIpv6: boolean): string {
  if (isOther) return 'Two groups of routers in one broadcast domain were given the same virtual router id.';
  if (differences.length > 0)
    return `They differ in what must be the same, so that each discards the advertisements of the other: ${differences.join('; ')}.`;
  return `The advertisements (IP protocol 112 to ${isIpv6 ? 'ff02::12' : '224.0.0.18'}) of at least one do not get through to the other, or are dropped there: a firewall on the router, multicast snooping on a switch, a cloud network without multicast, a macvlan child that does not get its own MAC.`;
}

/** What two masters tell that a receiver compares with its own configuration (RFC 3768 and RFC 5798 section 7.1). */
function differencesOf({ virtualRouters: routers }: Network, a: number, b: number): string[] {
  const differences: string[] = [];
  const compare = (what: string, value: (row: number) => string | number) => {
    if (value(a) !== value(b)) differences.push(`${what} ${value(a)} and ${value(b)}`);
  };
  compare('version', (row) => routers.version(row));
  compare('interval', (row) => `${routers.interval(row) / 1000} s`);
  if (routers.version(a) === routers.version(b)) compare('authentication type', (row) => routers.authentication(row));
  const isAlike = routers.authentication(a) === routers.authentication(b);
  if (isAlike && routers.password(a) !== routers.password(b)) differences.push('the password');
  compare('number of addresses', (row) => routers.addressCount(row));
  for (const row of [a, b])
    if (routers.ttl(row) !== TTL) differences.push(`a TTL of ${routers.ttl(row)} instead of ${TTL}`);
  return differences;
}
