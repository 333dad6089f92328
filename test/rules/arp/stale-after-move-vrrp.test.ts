import { describe, expect, it } from 'vitest';
import type { Host } from '../../support/icmp.js';
import { echo } from '../../support/ping.js';
import { advert } from '../../support/vrrp.js';
import { Capture } from '../../support/wire.js';

const CLIENT: Host = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const VIRTUAL = '10.0.0.100';
/** The MACs of `advert`: the last byte of the router's address. */
const R1: Host = { mac: '02:00:00:00:00:11', ip: '10.0.0.11' };
const R2: Host = { mac: '02:00:00:00:00:12', ip: '10.0.0.12' };

interface How {
  /** Second from which pings go to the MAC of R2, and are answered. */
  learnt?: number;
  /** What R2 serves. */
  address?: string;
  /** Second at which R2 becomes master. */
  since?: number;
  /** R1 goes on. */
  goesOn?: boolean;
  mac?: string;
  /** Seconds that all lasts. */
  until?: number;
}

/** R1 is master for 5 s and dies; R2 is from `since` on. The client pings the virtual address every second. */
function failover({
  learnt = 99,
  address = VIRTUAL,
  since = 9,
  goesOn = false,
  mac = R1.mac,
  until = 20,
}: How = {}): Capture {
  const capture = new Capture();
  for (let second = 1; second <= until; second++) {
    if (second <= 5 || goesOn) advert(capture.at(second), R1.ip, { priority: 150, address: VIRTUAL });
    if (second >= since) advert(capture.at(second + 0.1), R2.ip, { address });
    const isLearnt = second >= learnt;
    const target = { mac: isLearnt ? R2.mac : mac, ip: VIRTUAL };
    echo(capture.at(second + 0.2), CLIENT, target, { sequence: second });
    if (isLearnt || second <= 5) echo(capture.at(second + 0.21), target, CLIENT, { sequence: second, reply: true });
  }
  return capture;
}

const told = async (capture: Capture) =>
  (await capture.findings({ select: ['arp/stale-after-move', 'icmp/echo-unanswered'] })).filter(
    ({ rule }) => rule === 'arp/stale-after-move',
  );

describe('arp/stale-after-move of a virtual router', () => {
  it('tells who still sends to the former master, and takes the lost pings in', async () => {
    const [finding, ...others] = await told(failover());
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      confidence: 'likely',
      title: '10.0.0.12 is master of 10.0.0.100 now, and 10.0.0.1 still sends to 10.0.0.11',
      subject: { ip: VIRTUAL, mac: R1.mac, newMac: R2.mac, sender: CLIENT.ip },
    });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['icmp/echo-unanswered']);
    expect(finding.remedy.flatMap(({ commands }) => commands)).toContain('ip neigh del 10.0.0.100 dev <device>');
  });

  it('keeps still where the sender learns of it, at once or after a while', async () => {
    expect(await told(failover({ learnt: 10 }))).toEqual([]);
    // Two lost after the second of grace, then three.
    expect(await told(failover({ learnt: 12 }))).toEqual([]);
    expect(await told(failover({ learnt: 18 }))).toEqual([]);
  });

  it('takes back what it told of a sender that has learnt of it since', async () => {
    for (const learnt of [20, 30, 40, 50, 60, 70]) expect(await told(failover({ learnt, until: 80 }))).toEqual([]);
    expect(await told(failover({ learnt: 81, until: 80 }))).toHaveLength(1);
  });

  it('keeps still while nobody has taken over, and where the former master goes on', async () => {
    expect(await told(failover({ since: 99 }))).toEqual([]);
    expect(await told(failover({ goesOn: true }))).toEqual([]);
    expect(await told(failover({ since: 18 }))).toEqual([]);
  });

  it('keeps still about another address, the virtual MAC, and a MAC that is neither', async () => {
    expect(await told(failover({ address: '10.0.0.200' }))).toEqual([]);
    expect(await told(failover({ mac: '00:00:5e:00:01:33' }))).toEqual([]);
    expect(await told(failover({ mac: '02:00:00:00:00:77' }))).toEqual([]);
    expect(await told(failover({ mac: R2.mac }))).toEqual([]);
  });
});
