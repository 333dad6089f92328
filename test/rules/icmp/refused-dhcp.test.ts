import { describe, expect, it } from 'vitest';
import { dhcp, SERVER } from '../../support/dhcp.js';
import type { Host } from '../../support/icmp.js';
import { error } from '../../support/ping.js';
import { Capture } from '../../support/wire.js';

const RELAY = { mac: '02:00:00:00:00:09', ip: '10.71.0.1' };
const ROUTER = { mac: '02:00:00:00:00:08', ip: '10.0.0.254' };
const ELSEWHERE = { mac: ROUTER.mac, ip: '10.0.0.77' };
const BOOTPS = [0, 67, 0, 67, 0, 8, 0, 0];

async function told(capture: Capture) {
  const findings = await capture.findings({ select: ['icmp', 'dhcp'] });
  return findings.map(({ rule, severity, explains }) => [rule, severity, explains.map((each) => each.rule)]);
}

/** Three discovers through the relay, and after each what `then` adds. */
function asked(then: (capture: Capture) => void): Capture {
  const capture = new Capture();
  for (let i = 0; i < 3; i++) {
    dhcp(capture.at(i * 4), 'discover', { relay: RELAY });
    then(capture.at(i * 4 + 0.01));
  }
  return capture.at(20);
}

const refuse = (reporter: Host, from: Host, to: Host, code: number, payload = BOOTPS) =>
  asked((capture) => error(capture, reporter, from, to, { type: 3, code, protocol: 17, payload }));

describe('icmp/unreachable about DHCP through a relay', () => {
  it('explains that clients get no offer where the port of the server is closed, or a router has no way to it', async () => {
    expect(await told(refuse(SERVER, RELAY, SERVER, 3))).toEqual([['icmp/unreachable', 'error', ['dhcp/no-offer']]]);
    expect(await told(refuse(ROUTER, RELAY, SERVER, 0))).toEqual([['icmp/unreachable', 'error', ['dhcp/no-offer']]]);
  });

  it('explains it where the answers to the relay find no way', async () => {
    const capture = asked((each) => {
      dhcp(each, 'offer', { relay: RELAY, server: SERVER, address: '10.71.0.9' });
      error(each, ROUTER, SERVER, RELAY, { type: 3, code: 0, protocol: 17, payload: BOOTPS });
    });
    expect(await told(capture)).toEqual([['icmp/unreachable', 'error', ['dhcp/offer-ignored']]]);
  });

  it('has nothing to do with what is refused of others', async () => {
    const dns = [...BOOTPS.slice(0, 3), 53, ...BOOTPS.slice(4)];
    const rules = async (capture: Capture) => (await told(capture)).map(([rule, severity]) => `${rule} ${severity}`);
    for (const capture of [refuse(SERVER, RELAY, SERVER, 3, dns), refuse(ELSEWHERE, RELAY, ELSEWHERE, 3)]) {
      const found = await rules(capture);
      expect(found).toContain('dhcp/no-offer error');
      expect(found).toContain('icmp/unreachable warning');
    }
  });
});
