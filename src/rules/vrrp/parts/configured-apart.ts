import type { Network } from '../../../network/network.js';
import { VrrpAuthentication } from '../../../wire/vrrp.js';
import { onHost } from '../../parts/device-argument.js';
import type { Diagnosis, Remedy } from '../../rule.js';
import { contestsOf, framesOf, INTERVALS, isSteady, mayBeTwoVlans } from './advertisements.js';

/** Advertisements of a router that should have kept still: the first may be an election. */
const AGAIN = 2;

/**
 * Routers that serve one address and cannot yield to each other as they are configured: under two ids, or with two passwords
 * (RFC 3768 section 7.1: who gets an advertisement of another id or password discards it).
 */
export function configuredApart(network: Network, capture: number): Diagnosis[] {
  const { virtualRouters: routers, segments } = network;
  /** Rows by the address that they serve in a segment. */
  const serving = new Map<string, number[]>();
  for (let row = 0; row < routers.count; row++) {
    if (segments.captureOf(routers.segment(row)) !== capture || routers.firstAddress(row) < 0) continue;
    const key = `${routers.segment(row)} ${routers.firstAddress(row)}`;
    const rows = serving.get(key);
    if (rows) rows.push(row);
    else serving.set(key, [row]);
  }
  return [...serving.values()].flatMap((rows) => {
    const two = firstPair(rows, (a, b) => areTwoGroups(network, a, b));
    const other = firstPair(rows, (a, b) => haveTwoPasswords(network, a, b));
    return [...(two ? [twoGroups(network, ...two)] : []), ...(other ? [twoPasswords(network, ...other)] : [])];
  });
}

function firstPair(rows: readonly number[], isOne: (a: number, b: number) => boolean): [number, number] | null {
  for (const [i, a] of rows.entries())
    for (let j = i + 1; j < rows.length; j++) if (isOne(a, rows[j])) return [a, rows[j]];
  return null;
}

/** Whether both advertise the address at the same time under ids of their own. */
function areTwoGroups({ virtualRouters: routers }: Network, a: number, b: number): boolean {
  if (routers.id(a) === routers.id(b) || routers.source(a) === routers.source(b)) return false;
  const interval = Math.max(routers.interval(a), routers.interval(b)) * 1e6;
  const both = Math.min(routers.last(a), routers.last(b)) - Math.max(routers.first(a), routers.first(b));
  return both >= INTERVALS * interval && [a, b].every((row) => isSteady(routers, row));
}

/**
 * Whether one is master throughout and the other becomes it again and again, with another password. Where both go on, that
 * they do is told, with the password as the cause.
 */
function haveTwoPasswords({ virtualRouters: routers }: Network, a: number, b: number): boolean {
  const isGroup = routers.id(a) === routers.id(b) && routers.source(a) !== routers.source(b);
  if (!isGroup || routers.password(a) === routers.password(b)) return false;
  if ([a, b].some((row) => routers.authentication(row) !== VrrpAuthentication.Password)) return false;
  if (Math.min(routers.between(a), routers.between(b)) >= INTERVALS) return false;
  const isWithin = (one: number, other: number) =>
    isSteady(routers, one) &&
    routers.times(one) > INTERVALS &&
    routers.times(other) >= AGAIN &&
    routers.first(one) < routers.first(other) &&
    routers.last(other) < routers.last(one);
  return isWithin(a, b) || isWithin(b, a);
}

function twoGroups(network: Network, a: number, b: number): Diagnosis {
  const { virtualRouters: routers } = network;
  const { ip, one, two, ...rest } = pairOf(network, a, b);
  const [first, second] = [routers.id(a), routers.id(b)];
  const doubt = mayBeTwoVlans(network, a, b, false);
  return {
    ...rest,
    key: `${rest.segment} ${ip} ${one} ${two} groups`,
    confidence: doubt === 'none' ? 'certain' : 'hint',
    title: `${one} and ${two} both serve ${ip}, under the VRRP ids ${first} and ${second}: neither listens to the other`,
    summary:
      `${one} advertises itself as master of VRRP id ${first} for ${ip}, and ${two} at the same time as master of id ${second} for the same address. ` +
      'A router compares itself only with those of its own id, so both are master, and both answer for the address: connections break, by turns and by neighbor.',
    cause: `One of them was given another virtual_router_id than the other: ${first} on ${one}, ${second} on ${two}.`,
    remedy: sameOnBoth(
      network,
      one,
      two,
      'virtual_router_id',
      'Give both the same id, one that no other group of the network has',
    ),
    caveats:
      doubt === 'none'
        ? []
        : ['if this capture lost VLAN tags, the two may be in VLANs of their own, each with this address'],
    wouldRaise: doubt === 'none' ? [] : ['a capture with VLAN tags, on the device itself instead of `any`'],
  };
}

function twoPasswords(network: Network, a: number, b: number): Diagnosis {
  const { ip, one, two, ...rest } = pairOf(network, a, b);
  const id = network.virtualRouters.id(a);
  return {
    ...rest,
    key: `${rest.segment} ${ip} ${one} ${two} passwords`,
    confidence: 'likely',
    title: `${one} and ${two} have different passwords for virtual router ${id}: each discards what the other says`,
    summary:
      `${one} and ${two} advertise themselves as master of VRRP id ${id} for ${ip} with different passwords. ` +
      'One of them stays master, and the other becomes it for a moment again and again: then it announces the address as its own, and neighbors send to it.',
    cause:
      'The password (auth_pass) of one was changed or mistyped. It goes in clear text: these advertisements show it.',
    remedy: sameOnBoth(network, one, two, 'auth_pass', 'Give both the same password, of 8 characters at most'),
    caveats: ['a password that is being changed on both, one after the other, looks alike until both have the new one'],
    wouldRaise: [],
  };
}

function sameOnBoth(network: Network, one: string, two: string, word: string, text: string): Remedy[] {
  const onBoth = (command: string) => [...new Set([one, two].map((each) => onHost(network, each, command)))];
  return [
    {
      text: `${text}: see what ${one} and ${two} have`,
      commands: onBoth(`grep -rn ${word} /etc/keepalived/`),
    },
    { text: 'Then, where it was changed', commands: ['systemctl reload keepalived'] },
  ];
}

function pairOf(network: Network, a: number, b: number) {
  const { virtualRouters: routers, segments, addresses } = network;
  const [one, two] = [a, b].map((each) => addresses.format(routers.source(each)));
  const ip = addresses.format(routers.firstAddress(a));
  const segment = routers.segment(a);
  return {
    ip,
    one,
    two,
    segment,
    capture: segments.captureOf(segment),
    count: routers.times(a) + routers.times(b),
    first: Math.max(routers.first(a), routers.first(b)),
    last: Math.min(routers.last(a), routers.last(b)),
    subject: { ip, first: one, second: two },
    evidence: [a, b].flatMap((row) => framesOf(network, row, routers.ownPlaces(row))),
    explains: contestsOf(network, a, ip),
  };
}
