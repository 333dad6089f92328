import { describe, expect, it } from 'vitest';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture, type Way } from '../../support/wire.js';

const RULE = 'ipvlan/host-reply-asymmetric';
const GATEWAY = '02:00:00:00:00:fe';
const SYN_ACK = 0x12;

function segments(times: number, { destination = '10.0.0.14', to = GATEWAY, flags = SYN_ACK, way = {} as Way } = {}) {
  const capture = new Capture()
    .ask(PARENT, '10.0.0.14', '10.0.0.1', way)
    .answer(GATEWAY, '10.0.0.1', PARENT, '10.0.0.14', way);
  for (let i = 1; i <= times; i++) {
    const payload = [0, 80, 0x9c, 0x40, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0xff, 0, 0, 0, 0, 0];
    capture.at(i).ipv4({ from: PARENT, to, source: '10.0.0.101', destination, protocol: 6, id: i, payload }, way);
  }
  return capture;
}
const rules = async (capture: Capture, hasContext = false) => {
  const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' });
  return (await capture.findings(hasContext ? { context } : {})).map(({ rule, confidence }) => `${rule} ${confidence}`);
};

describe('ipvlan/host-reply-asymmetric', () => {
  it('is likely by the packets, certain with the host context', async () => {
    expect(await rules(segments(2))).toContain(`${RULE} likely`);
    expect(await rules(segments(2), true)).toContain(`${RULE} certain`);
    expect(await rules(segments(2, { way: { vlan: 7 } }))).toContain(`${RULE} likely`);
  });

  it('keeps still about one, about other segments of TCP, and other destinations', async () => {
    for (const capture of [segments(1), segments(3, { flags: 0x10 }), segments(3, { destination: '192.0.2.9' })])
      expect((await rules(capture)).join()).not.toContain(RULE);
  });

  it('keeps still where the question came by here as well', async () => {
    const capture = segments(1);
    for (let i = 2; i <= 5; i++) {
      const ports = [0x9c, 0x40 + i, 0, 80];
      const syn = [...ports, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0, 0, 0, 0, 0];
      const synAck = [...ports.slice(2), ...ports.slice(0, 2), 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 0xff, 0, 0, 0, 0, 0];
      const [child, host] = ['10.0.0.101', '10.0.0.14'];
      capture
        .at(i)
        .ipv4({ from: GATEWAY, to: PARENT, source: host, destination: child, protocol: 6, id: i, payload: syn })
        .at(i + 0.001)
        .ipv4({ from: PARENT, to: GATEWAY, source: child, destination: host, protocol: 6, id: i, payload: synAck });
    }
    expect((await rules(capture)).join()).not.toContain(RULE);
  });

  it('keeps still where another MAC has the address: proxy ARP, or an address that was moved', async () => {
    // The router answers for the host, as proxy ARP does, and hands on what comes for it.
    const proxied = new Capture()
      .ask(GATEWAY, '10.0.0.14', '10.0.0.1')
      .at(0.1)
      .ask('02:00:00:00:00:77', '10.0.0.7', '10.0.0.14')
      .at(0.2)
      .answer(PARENT, '10.0.0.14', '02:00:00:00:00:77', '10.0.0.7');
    // The host had the address, and another announces it now.
    const moved = new Capture().ask(PARENT, '10.0.0.14', '10.0.0.1').at(0.5).ask(GATEWAY, '10.0.0.14', '10.0.0.14');
    for (const capture of [proxied, moved]) {
      for (let i = 1; i <= 3; i++) {
        const payload = [0, 80, 0x9c, 0x40, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, SYN_ACK, 0xff, 0, 0, 0, 0, 0];
        const packet = { source: '192.0.2.80', destination: '10.0.0.14', protocol: 6, id: i, payload };
        capture.at(i).ipv4({ from: PARENT, to: GATEWAY, ...packet });
      }
      expect((await rules(capture)).join()).not.toContain(RULE);
    }
  });

  it('keeps still where source and destination MAC are the same', async () => {
    expect((await rules(segments(3, { to: PARENT }))).join()).not.toContain(RULE);
  });
});
