import type { Device } from '../../../network/context/device.js';
import { isStacked, sharesMac } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { label } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { announcementOf } from '../announcement-repeated.js';
import { takeFromOne } from './two-holders.js';

/** Announcements that are looked up in the host context, at most. */
const MAX_LOOKED_UP = 1000;

/**
 * Addresses that are announced in a capture and that the host context shows on two macvlan children of one parent, in two
 * namespaces: the one speaks here, the other need not.
 */
export function givenTwice(network: Network, capture: number): Diagnosis[] {
  const { announcements, segments, claims, context } = network;
  const found: Diagnosis[] = [];
  if (!context) return found;
  for (let row = 0; row < Math.min(announcements.count, MAX_LOOKED_UP); row++) {
    const segment = announcements.segment(row);
    const address = announcements.address(row);
    // What two claim against each other is told as such.
    if (segments.captureOf(segment) !== capture || claims.isContested(segment, address)) continue;
    const pair = holdersOf(network, row);
    if (!pair) continue;
    const { ip, mac, pause: _, ...rest } = announcementOf(network, row);
    const [one, other] = pair;
    const rival = other.mac?.text ?? '';
    found.push({
      ...rest,
      key: `${segment} ${ip}`,
      confidence: 'certain',
      title: `${ip} is held by two hosts: ${label(one)} and ${label(other)}`,
      summary:
        `${label(one)} (${mac}) announces ${ip}, and the host context shows the same address on ${label(other)} (${rival}) too. ` +
        'Both are children of one device, so both answer for it on the same wire.',
      subject: { ip, mac, rival },
      cause: 'The address was given twice: by hand, or by two address managers that know nothing of each other.',
      remedy: takeFromOne(ip, pair),
      wouldRaise: [],
      context: pair.map((device) => `${label(device)}: ${ip}, ${device.mac?.text ?? ''}`),
    });
  }
  return found;
}

/** The macvlan child that announces, and another of the same parent that has the address too; null if there are no two. */
function holdersOf({ announcements, addresses, context }: Network, row: number): [Device, Device] | null {
  const holders = (context?.devicesByIp(addresses.words(announcements.address(row))) ?? []).filter(
    (device) => device.up && device.parent !== null && isStacked(device) && !sharesMac(device),
  );
  if (holders.length < 2) return null;
  const here = context?.devicesByMac(announcements.hi(row), announcements.lo(row)) ?? [];
  const one = holders.find((device) => here.includes(device));
  const other = holders.find(
    (device) => one && device.parent === one.parent && device.namespace !== one.namespace && !here.includes(device),
  );
  return one && other ? [one, other] : null;
}
