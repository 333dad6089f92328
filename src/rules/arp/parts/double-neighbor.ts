import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { at, onlyOf } from '../../parts/device-argument.js';
import { label } from '../../parts/question.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Diagnosis } from '../../rule.js';
import { takeFromOne } from './two-holders.js';

/** An IPv6 address that two stations advertise after one solicitation, each to override what others know; null if that is no fault. */
export function doubleNeighbor(network: Network, row: number): Diagnosis | null {
  const { neighborHolders: holders, addresses, segments, context } = network;
  const segment = holders.segment(row);
  const capture = segments.captureOf(segment);
  const both = [holders.first(row), holders.second(row)];
  if (both.some(({ hi, lo }) => isVirtualRouter(hi, lo))) return null;
  if (network.virtualRouters.isVirtual(segment, holders.address(row))) return null;
  const ip = addresses.format(holders.address(row));
  const [mac, rival] = both.map(({ hi, lo }) => formatMac(hi, lo));
  const devices = both.map(({ hi, lo }) => context?.devicesByMac(hi, lo) ?? []);
  const namespaces = devices.map((each) => new Set(each.map(({ namespace }) => namespace)));
  // Two devices of one host, bridged or bonded: the context shows that it is one.
  if ([...namespaces[0]].some((name) => namespaces[1].has(name))) return null;
  const areTwo = namespaces.every(({ size }) => size > 0);
  const since = holders.since(row);
  return {
    key: `${segment} ${ip}`,
    segment,
    capture,
    count: 2,
    first: since,
    last: network.now,
    confidence: areTwo ? 'certain' : 'likely',
    title: `${ip} is held by two hosts: ${mac} and ${rival}`,
    summary: `One solicitation for ${ip} got two advertisements: ${mac} and ${rival} both say that it is theirs, and that this overrides what was known (flag O). Who asked uses whichever came last.`,
    subject: { ip, mac, rival },
    evidence: holders
      .places(row)
      .map((place) => ({ capture, layer: 'icmpv6', note: `neighbor advertisement of ${ip}`, ...place })),
    cause:
      'The address was given twice, and duplicate address detection was off (nodad, accept_dad=0), passed while the two were apart, or was not heard.',
    remedy: [
      {
        text: 'See on both whether the address passed its detection, and whether that was switched off',
        commands: devices.flatMap((each, i) => {
          const device = onlyOf(each);
          // The same for both, where the host context does not tell them apart.
          if (!device && i > 0) return [];
          return [
            at(device, `ip -6 addr show to ${ip}`),
            at(device, 'sysctl net.ipv6.conf.all.accept_dad net.ipv6.conf.default.accept_dad'),
          ];
        }),
      },
      ...takeFromOne(ip, devices.map(onlyOf)),
    ],
    caveats: areTwo ? [] : ['one host with two devices on the link, bridged or bonded, could look alike'],
    wouldRaise: areTwo ? [] : [`host context (--context) of the machines with ${mac} and ${rival}: are they two?`],
    context: devices.flatMap((each) => each.slice(0, 1).map(label)),
  };
}
