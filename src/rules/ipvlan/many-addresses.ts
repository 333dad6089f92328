import { Trait } from '../../network/link/stations.js';
import { Claim } from '../../network/neighbors/bindings.js';
import { KEY_WORDS, KeyTable } from '../../network/rows/key-table.js';
import { formatIpv4, formatMac } from '../../wire/address.js';
import { ArpOperation, SHA, SPA } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Rule } from '../rule.js';

const MAX_ADDRESSES = 4096;
const MAX_NAMED = 8;

/** A row of uses: segment and MAC, row of `addresses`; then the address, row of `bindings`, and the first ARP header. */
const ADDRESS = 4;
const BINDING = 5;
const OFFSET = 6;
const COUNT = 7;
const STRIDE = 14;
/** As doubles, behind these: number and time of the first request, time of the latest. */
const DOUBLES = STRIDE / 2;
const FRAME = 4;
const FIRST = 5;
const LAST = 6;

/** An address that a station asked from. */
interface Use {
  readonly segment: number;
  readonly capture: number;
  readonly hi: number;
  readonly lo: number;
  readonly spa: number;
  readonly row: number;
  readonly frame: number;
  readonly offset: number;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** One MAC speaks for several addresses of a subnet (catalogue C7). */
export const manyAddresses: Rule = {
  meta: {
    id: 'ipvlan/many-addresses',
    severity: 'info',
    summary: 'One MAC speaks for several addresses of a subnet, as an ipvlan parent does',
    catalogue: 'C7',
    thresholds: {
      addresses: { value: 3, unit: 'addresses', source: 'two are usual: a host and one alias, or its virtual address' },
      prefixLength: { value: 24, unit: 'bits', source: 'the usual subnet; the mask is not on the wire' },
      seconds: {
        value: 60,
        unit: 'seconds that an address counts as used after its last request',
        source: 'Linux asks again for a neighbour in use within 15 to 45 s (base_reachable_time) and some retries',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { addresses, bindings, claims, latestArp, segments, stations } = network;
    const uses = new KeyTable(STRIDE, MAX_ADDRESSES);
    const { prefixLength } = thresholds;
    // To shift by 32 bits shifts by none.
    const mask = prefixLength < 1 ? 0 : -1 << (32 - Math.min(32, prefixLength));

    /** A router's MAC carries addresses of other subnets, which it never says are its own. */
    function isRouter(segment: number, hi: number, lo: number, subnet: number): boolean {
      for (const row of bindings.ofStation(segment, hi, lo)) {
        const address = bindings.address(row);
        if ((bindings.claims(row) & Claim.Source) === 0 || (bindings.claims(row) & Claim.Own) !== 0) continue;
        if (!addresses.isIpv4(address)) continue;
        const [word] = addresses.words(address);
        if (word !== 0 && (word & mask) !== subnet) return true;
      }
      return false;
    }

    /** A station asks from an address for the first time; its ARP header is at `at`. Returns the row. */
    function add(binding: number, { view, number, time, start }: Frame, at: number): number {
      const row = uses.add(latestArp.segment, latestArp.hi, latestArp.lo, latestArp.spa);
      const { cells, doubles } = uses;
      cells[row * STRIDE + ADDRESS] = view.getInt32(at + SPA);
      cells[row * STRIDE + BINDING] = binding;
      cells[row * STRIDE + OFFSET] = at + SHA - start;
      doubles[row * DOUBLES + FRAME] = number;
      doubles[row * DOUBLES + FIRST] = time;
      return row;
    }

    function useIn(row: number, capture: number): Use {
      const { cells, doubles } = uses;
      const at = row * STRIDE;
      const double = row * DOUBLES;
      return {
        segment: cells[at],
        capture,
        hi: cells[at + 1],
        lo: cells[at + 2],
        spa: cells[at + ADDRESS],
        row: cells[at + BINDING],
        frame: doubles[double + FRAME],
        offset: cells[at + OFFSET],
        first: doubles[double + FIRST],
        last: doubles[double + LAST],
        count: cells[at + COUNT],
      };
    }

    /** Uses by station and subnet, where there are enough of them. */
    function groupsIn(capture: number): Use[][] {
      const { cells } = uses;
      const inCapture: number[] = [];
      for (let row = 0; row < uses.rowCount; row++)
        if (segments.captureOf(cells[row * STRIDE]) === capture) inCapture.push(row);
      // Counted first: most stations have one address, of which nothing need be made.
      const counts = new KeyTable(KEY_WORDS + 1, MAX_ADDRESSES);
      const groups = inCapture.map((row) => {
        const at = row * STRIDE;
        const group = counts.add(cells[at], cells[at + 1], cells[at + 2], cells[at + ADDRESS] & mask);
        counts.cells[group * (KEY_WORDS + 1) + KEY_WORDS]++;
        return group;
      });
      const found = new Map<number, Use[]>();
      groups.forEach((group, index) => {
        if (counts.cells[group * (KEY_WORDS + 1) + KEY_WORDS] < thresholds.addresses) return;
        const use = useIn(inCapture[index], capture);
        const others = found.get(group);
        if (others) others.push(use);
        else found.set(group, [use]);
      });
      return [...found.values()];
    }

    function tell(group: readonly Use[]): void {
      const [{ segment, capture, hi, lo, spa }] = group;
      if (isVirtualRouter(hi, lo) || isRouter(segment, hi, lo, spa & mask)) return;
      const station = stations.find(segment, hi, lo);
      if (station >= 0 && (stations.traits(station) & Trait.Tunnels) !== 0) return;
      // What another station claimed since is a copied or a moved address.
      const held = group.filter(({ row }) => claims.holder(segment, bindings.address(row)) === row);
      if (!areTogether(held, thresholds.addresses, thresholds.seconds * 1e9)) return;
      const mac = formatMac(hi, lo);
      const ips = held.map((use) => formatIpv4(use.spa));
      const names = `${ips.slice(0, MAX_NAMED).join(', ')}${ips.length > MAX_NAMED ? ' and others' : ''}`;
      const children = (network.context?.devicesByMac(hi, lo) ?? []).filter(({ kind }) => kind === 'ipvlan');
      report({
        key: `${segment} ${mac} ${spa & mask}`,
        segment,
        capture,
        confidence: children.length > 0 ? 'certain' : 'likely',
        title: `${mac} speaks for ${ips.length} addresses of one subnet`,
        summary:
          `${names} all ask from ${mac}. A network takes what has one MAC for one machine: a router that keeps clients by MAC, ` +
          'a switch with IP source guard, or a DHCP server without client identifiers serves one of the addresses and forgets the others.',
        subject: { mac, addresses: ips.length },
        count: held.reduce((sum, use) => sum + use.count, 0),
        first: Math.min(...held.map(({ first }) => first)),
        last: Math.max(...held.map(({ last }) => last)),
        evidence: held.slice(0, MAX_NAMED).map(({ frame, offset, spa: own }) => ({
          capture,
          frame,
          layer: 'arp',
          offset,
          length: 10,
          note: `${formatIpv4(own)} asks from ${mac}`,
        })),
        cause:
          children.length > 0
            ? `${children.map(({ name }) => name).join(', ')}: children of an ipvlan have the MAC of their parent.`
            : 'ipvlan children (they have the MAC of their parent), containers behind proxy ARP or MAC translation, or one host with several addresses.',
        remedy: [
          {
            text: 'Nothing, if all addresses are reached. If only some are, see what the router and the switch hold for this MAC',
            commands: [`ip neigh | grep -i ${mac}`],
          },
          {
            text: 'Where the network wants one MAC for each address, use macvlan; the containers are made anew on it',
            commands: ['docker network create -d macvlan --subnet <subnet> -o parent=<device> <network>'],
          },
        ],
        context: children.map(({ name, namespace }) => `${namespace}/${name} is an ipvlan child with ${mac}`),
        wouldRaise:
          children.length > 0
            ? []
            : ['`ip -d link` of the machine (--network.context): whether it has ipvlan children'],
      });
    }

    return {
      layers: {
        Arp(frame, layer) {
          if (latestArp.operationOf(frame) !== ArpOperation.Request) return;
          const { segment, hi, lo, spa } = latestArp;
          const binding = latestArp.binding >= 0 ? latestArp.binding : bindings.find(segment, hi, lo, spa);
          // The network makes no claim of a request whose frame has another source.
          if (binding < 0 || (bindings.claims(binding) & Claim.Request) === 0) return;
          const known = uses.find(segment, hi, lo, spa);
          if (known < 0 && uses.rowCount === MAX_ADDRESSES) return;
          const use = known < 0 ? add(binding, frame, frame.offsets[layer]) : known;
          uses.doubles[use * DOUBLES + LAST] = frame.time;
          uses.cells[use * STRIDE + COUNT]++;
        },
      },
      captureEnd(capture) {
        for (const group of groupsIn(capture)) tell(group);
      },
    };
  },
};

/** Whether so many addresses were in use at one time: one host that gets a new lease uses one after the other. */
function areTogether(uses: readonly Use[], enough: number, lasting: number): boolean {
  return uses.some(
    ({ first }) => uses.filter((use) => use.first <= first && first <= use.last + lasting).length >= enough,
  );
}
