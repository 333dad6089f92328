import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CookedCapture, OUTGOING } from '../../support/cooked.js';
import { HOST, PEER } from '../../support/icmp.js';
import { machineFile } from '../../support/routed.js';
import { ipv4 } from '../../support/tunnel.js';
import { findingsOf, mac, u16 } from '../../support/wire.js';

const ROUTER = { ...PEER, ip: '10.0.0.254' };
const BEYOND = '203.0.113.5';

const address = (local: string) => ({ local, prefixlen: 24 });
const asker = {
  ifindex: 2,
  ifname: 'eth0',
  link_type: 'ether',
  flags: ['UP'],
  address: HOST.mac,
  addr_info: [address(HOST.ip)],
};
const DEFAULT = [{ dst: 'default', gateway: ROUTER.ip, dev: 'eth0' }];
const known = (state: string, lladdr: string | undefined = ROUTER.mac) => [
  { dst: ROUTER.ip, dev: 'eth0', lladdr, state: [state] },
];

/** What is said of pings that leave a machine, in a capture with `-i any` there, which keeps no destination MAC. */
async function told({ routes = DEFAULT, neighbours = known('STALE'), second = false, device = 2 } = {}) {
  const away = { ...asker, ifname: 'eth9', ifindex: 9, address: '02:00:00:00:00:99' };
  const a = { 'ip -d -j link': [asker], 'ip -j addr': [asker], 'ip -j route': routes, 'ip -j neigh': neighbours };
  const b = { 'ip -d -j link': [away], 'ip -j addr': [away] };
  // PEER's machine, which does not forward.
  const box = machineFile({ sysctl: { 'net.ipv4.ip_forward': '0' } });
  const context = parseContext({ namespaces: { a, box, ...(second ? { b } : {}) } });
  const capture = new CookedCapture();
  for (const sequence of [1, 2, 3]) {
    const request = [8, 0, 0, 0, ...u16(7), ...u16(sequence), ...new Array(56).fill(0)];
    const packet = ipv4(HOST.ip, BEYOND, 1, request, { id: sequence });
    capture.frame(sequence, device, OUTGOING, [...mac(ROUTER.mac), ...mac(HOST.mac), 8, 0, ...packet]);
  }
  const last = ipv4(HOST.ip, '10.0.0.9', 17, [...u16(9), ...u16(9), ...u16(8), 0, 0]);
  capture.frame(20, device, OUTGOING, [...mac(ROUTER.mac), ...mac(HOST.mac), 8, 0, ...last]);
  const findings = await findingsOf(capture.file(), { select: ['ip/not-forwarded', 'icmp/echo-unanswered'], context });
  return findings.map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('the machine that packets of the capturing host reach', () => {
  it('is told by its routes and its neighbour table', async () => {
    expect(await told()).toEqual(['ip/not-forwarded certain']);
    expect(await told({ neighbours: known('PERMANENT') })).toEqual(['ip/not-forwarded certain']);
  });

  it('is not known where these do not say', async () => {
    const unknown = ['icmp/echo-unanswered hint'];
    for (const how of [
      { neighbours: known('FAILED') },
      { neighbours: [] },
      { neighbours: known('REACHABLE', '02:00:00:00:00:77') },
      { routes: [] },
      { routes: [{ dst: 'default', gateway: '10.0.0.253', dev: 'eth0' }] },
      { routes: [...DEFAULT, { dst: 'default', gateway: '10.0.0.253', dev: 'eth0' }] },
      { routes: [{ dst: 'default', gateway: ROUTER.ip, dev: 'eth7' }] },
      // Two machines have the source; another device sends.
      { second: true },
      { device: 3 },
    ])
      expect(await told(how), JSON.stringify(how)).toEqual(unknown);
  });
});
