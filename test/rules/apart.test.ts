import { describe, expect, it } from 'vitest';
import type { RuleId } from '../../src/rules/rule.js';
import { dhcp, SERVER } from '../support/dhcp.js';
import { HOST, PEER, ping } from '../support/icmp.js';
import { Capture, type Way } from '../support/wire.js';

/** Captures that are a fault where both ways are one segment, and none where they are two. */
const FAULTS: Readonly<Record<RuleId, (one: Way, two: Way) => Capture>> = {
  'arp/self-resolution': (one, two) => {
    const capture = new Capture();
    let now = 0;
    for (const [i, pause] of [0, 1.0098, 1.024, 1.024, 1.024].entries()) {
      now += pause;
      capture.at(now).ask(HOST.mac, HOST.ip, HOST.ip, i < 2 ? one : two);
    }
    return capture;
  },
  'dhcp/offer-ignored': (one, two) => {
    const capture = new Capture();
    for (const [i, way] of [one, two].entries()) {
      dhcp(capture.at(i * 2), 'discover', { xid: i, way });
      dhcp(capture.at(i * 2 + 0.1), 'offer', { xid: i, server: SERVER, way });
    }
    return capture;
  },
  'dhcp/nak': (one, two) => {
    const capture = new Capture();
    for (const [i, way] of [one, two].entries()) {
      dhcp(capture.at(i * 9), 'request', { xid: i, way });
      dhcp(capture.at(i * 9 + 0.1), 'nak', { xid: i, server: SERVER, way });
    }
    return capture;
  },
  'mtu/link-mismatch': (one, two) => {
    const capture = new Capture()
      .ask(HOST.mac, HOST.ip, PEER.ip, one)
      .answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, one);
    ping(capture, HOST, PEER, { size: 84, at: 1, times: 2, answered: true, way: one });
    return ping(capture, HOST, PEER, { size: 4000, at: 10, times: 3, answered: false, id: 8, way: two });
  },
};

describe('what happens in two segments is not taken together', () => {
  it.each(Object.entries(FAULTS))('%s', async (rule, fault) => {
    const options = { select: [rule] };
    for (const [one, two] of [
      [{ vlan: 10 }, { vlan: 20 }],
      [{ vni: 5 }, { vni: 6 }],
    ]) {
      expect(await fault(one, one).findings(options)).toHaveLength(1);
      expect(await fault(one, two).findings(options)).toEqual([]);
    }
  });
});
