import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CLIENT, dhcp, discovers, SERVER } from '../../support/dhcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['dhcp/pool-exhausted'] };
const OTHER = '02:00:00:00:00:0b';

/** Another client gets an address at `at` s: discover, offer, request, acknowledgement. */
function serves(capture: Capture, at = 0, way?: Way): Capture {
  const more = { client: OTHER, xid: 99, server: SERVER, address: '10.0.0.8', ...(way ? { way } : {}) };
  for (const type of ['discover', 'offer', 'request', 'ack'] as const) dhcp(capture.at(at), type, more);
  return capture;
}

/** Three discovers in vain from `at` s on, 4 s apart. */
function asks(capture: Capture, at = 1, times = 3, way?: Way): Capture {
  for (let i = 0; i < times; i++) dhcp(capture.at(at + 4 * i), 'discover', way ? { way } : {});
  return capture;
}

describe('dhcp/pool-exhausted', () => {
  it('is likely where the server gave another client an address before, and explains the silence', async () => {
    const capture = asks(serves(new Capture()));
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/pool-exhausted', 'likely', [4, 5, 6, 7]]]);
    expect((await capture.findings()).map(({ rule, severity }) => [rule, severity])).toEqual([
      ['dhcp/pool-exhausted', 'error'],
    ]);
  });

  it('keeps still where the port of the client is isolated: its discovers may not get to the server', async () => {
    const up = { flags: ['UP', 'LOWER_UP'] };
    const guest = { ...up, ifindex: 5, ifname: 'vm0', address: CLIENT, linkinfo: { info_kind: 'tun' }, master: 'br0' };
    const rules = async (isolated: boolean) => {
      const info_slave_data = { isolated };
      const links = [
        { ...guest, linkinfo: { info_kind: 'tun', info_slave_kind: 'bridge', info_slave_data } },
        { ...up, ifindex: 4, ifname: 'br0', address: '02:00:00:00:00:f4', linkinfo: { info_kind: 'bridge' } },
      ];
      const context = parseContext({ namespaces: { node: { 'ip -d -j link': links } } });
      return (await asks(serves(new Capture())).findings({ context })).map(({ rule }) => rule);
    };
    expect(await rules(true)).toEqual(['dhcp/no-offer']);
    expect(await rules(false)).toEqual(['dhcp/pool-exhausted']);
  });

  it('is likely where a client gets the address again that it has: it need not be free', async () => {
    const again = (client: string, address: string) => {
      const capture = asks(serves(new Capture()));
      const more = { client, xid: 100, server: SERVER, address };
      for (const type of ['discover', 'offer', 'request', 'ack'] as const) dhcp(capture.at(10), type, more);
      return asks(capture, 12).findings(only);
    };
    expect((await again(OTHER, '10.0.0.8')).map(({ confidence }) => confidence)).toEqual(['likely']);
    expect((await again('02:00:00:00:00:07', '10.0.0.7')).map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('is a hint where another client gets an address meanwhile: there is one', async () => {
    const capture = asks(new Capture());
    expect((await serves(capture, 10).findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('is a hint as long as the server may still be trying addresses out, one after the other', async () => {
    const told = async (late: number, taken: boolean) => {
      const capture = asks(new Capture(), 0, 1);
      const more = { client: OTHER, xid: 99, server: SERVER, address: '10.0.0.8' };
      dhcp(capture.at(0.1), 'discover', more);
      asks(capture, 1, 1);
      if (!taken) dhcp(capture.at(late), 'offer', more);
      else for (const type of ['request', 'ack'] as const) dhcp(capture.at(late), type, more);
      asks(capture, 4, 1);
      return (await asks(capture, 7, 1).at(9).ask(OTHER, '10.0.0.8', '10.0.0.8').findings(only)).map(
        (each) => each.confidence,
      );
    };
    expect(await told(3.9, false)).toEqual(['likely']);
    expect(await told(4.1, false)).toEqual(['hint']);
    expect(await told(4.1, true)).toEqual(['hint']);
  });

  describe('where others ask in vain too, and nobody was answered since', () => {
    const THIRD = { client: '02:00:00:00:00:0c', xid: 7 };
    const told = async (capture: Capture) => (await capture.findings(only)).map(({ confidence }) => confidence);
    const discovers = (capture: Capture, from: number, times = 2) => {
      for (let i = 0; i < times; i++) dhcp(capture.at(from + 4 * i), 'discover', THIRD);
      return capture;
    };
    const late = () => asks(serves(new Capture()), 62);

    it('is likely soon after an answer: an empty pool leaves all new ones without', async () => {
      expect(await told(discovers(asks(serves(new Capture())), 9.5))).toEqual(['likely']);
    });

    it('is a hint a minute after it: the server may be down', async () => {
      expect(await told(discovers(late(), 72))).toEqual(['hint']);
      expect(await told(discovers(late(), 72, 1))).toEqual(['likely']);
      // Somebody is served after all.
      const more = { client: OTHER, xid: 99, server: SERVER, address: '10.0.0.8' };
      expect(await told(dhcp(discovers(late(), 72).at(77), 'ack', more))).toEqual(['likely']);
    });

    it('is a hint where one of them only wants to keep its address', async () => {
      const capture = asks(serves(new Capture()));
      for (const at of [9.5, 13.5])
        dhcp(capture.at(at), 'request', { ...THIRD, held: '10.0.0.7', secs: Math.floor(at - 9.5) });
      expect(await told(capture)).toEqual(['hint']);
    });
  });

  it('leaves out a client that could not keep the address that it had: it needs no free one', async () => {
    const capture = new Capture();
    for (const type of ['discover', 'offer', 'request', 'ack'] as const) dhcp(capture, type, { server: SERVER });
    for (const at of [20, 24, 32]) dhcp(serves(capture, at), 'request', { held: '10.0.0.9', secs: at - 20 });
    expect(await asks(capture, 40).findings(only)).toEqual([]);
  });

  it('is a hint where the server only renews', async () => {
    const capture = new Capture();
    for (const type of ['request', 'ack'] as const)
      dhcp(capture, type, { client: OTHER, xid: 99, server: SERVER, address: '10.0.0.8' });
    const [finding] = await asks(capture).findings(only);
    expect([finding.confidence, finding.severity]).toEqual(['hint', 'warning']);
  });

  it('needs three discovers over more than three seconds', async () => {
    expect(await asks(serves(new Capture()), 1, 2).findings(only)).toEqual([]);
    const quick = discovers(serves(new Capture()), 3, 1);
    expect(await quick.findings(only)).toEqual([]);
  });

  it('keeps silent where no server answers anybody, and where it answered minutes before', async () => {
    expect(await asks(new Capture()).findings(only)).toEqual([]);
    expect(await asks(serves(new Capture()), 299).findings(only)).toHaveLength(1);
    expect(await asks(serves(new Capture()), 301).findings(only)).toEqual([]);
  });

  it('takes back what a late offer excuses', async () => {
    const capture = dhcp(asks(serves(new Capture())).at(20), 'offer', { server: SERVER });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent of the client that was served', async () => {
    const capture = serves(new Capture());
    for (const at of [1, 5, 9]) dhcp(capture.at(at), 'discover', { client: OTHER, xid: 100 + at });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('tells two VLANs apart: a server in one does not hear the other', async () => {
    const apart = asks(serves(new Capture(), 0, { vlan: 10 }), 1, 3, { vlan: 20 });
    expect(await apart.findings(only)).toEqual([]);
    const together = asks(serves(new Capture(), 0, { vlan: 10 }), 1, 3, { vlan: 10 });
    expect(await together.findings(only)).toHaveLength(1);
  });

  it('speaks inside VXLAN', async () => {
    const inside = asks(serves(new Capture(), 0, { vni: 7 }), 1, 3, { vni: 7 });
    expect(await inside.findings(only)).toHaveLength(1);
  });

  it('keeps silent where a port shows the served client alone: the two are in VLANs whose tags -i any leaves out', async () => {
    const at = (capture: Capture, second: number, type: Parameters<typeof dhcp>[1], more: object, ports: number[]) => {
      for (const port of ports) dhcp(capture.at(second), type, { ...more, way: { port } });
    };
    const starved = async (ports: number[]) => {
      const capture = new Capture();
      const more = { client: OTHER, xid: 99, server: SERVER, address: '10.0.0.8' };
      for (const type of ['discover', 'offer', 'request', 'ack'] as const) at(capture, 0, type, more, [0, 1]);
      for (const second of [1, 5, 9]) at(capture, second, 'discover', {}, ports);
      return capture.findings(only);
    };
    expect(await starved([0, 1, 2])).toHaveLength(1);
    expect(await starved([0, 2])).toEqual([]);
  });
});
