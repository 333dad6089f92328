import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, type Way } from '../../support/wire.js';

const RULE = 'ipvlan/many-addresses';
const MAC = '02:00:00:00:00:01';
const OTHER = '02:00:00:00:00:02';

/** Asks for 10.0.0.1 from each address, `apart` seconds apart. */
function asks(spas: readonly string[], apart = 1, way: Way = {}, capture = new Capture()): Capture {
  spas.forEach((spa, i) => {
    capture.at(i * apart).ask(MAC, spa, '10.0.0.1', way);
    capture.at(i * apart + 0.001).answer('02:00:00:00:00:fe', '10.0.0.1', MAC, spa, way);
  });
  return capture;
}
const THREE = ['10.0.0.11', '10.0.0.12', '10.0.0.13'];
const told = async (capture: Capture) =>
  (await capture.findings()).filter(({ rule }) => rule === RULE).map(({ confidence }) => confidence);

describe(RULE, () => {
  it('is likely for three addresses of one MAC, in a VLAN and inside VXLAN too', async () => {
    expect(await told(asks(THREE))).toEqual(['likely']);
    expect(await told(asks(THREE, 1, { vlan: 7 }))).toEqual(['likely']);
    expect(await told(asks(THREE, 1, { vni: 7 }))).toEqual(['likely']);
  });

  it('is certain where the context shows ipvlan children with the MAC', async () => {
    const child = (info_kind: string) =>
      parseContext({
        namespaces: {
          ns: {
            'ip -d -j link': [{ flags: ['UP'], ifindex: 2, ifname: 'ipvl0', address: MAC, linkinfo: { info_kind } }],
          },
        },
      });
    const confidence = async (kind: string) =>
      (await asks(THREE).findings({ context: child(kind) })).find(({ rule }) => rule === RULE)?.confidence;
    expect(await confidence('ipvlan')).toBe('certain');
    expect(await confidence('veth')).toBe('likely');
  });

  it('keeps still about two, about two in each of two VLANs, and about other subnets', async () => {
    expect(await told(asks(THREE.slice(1)))).toEqual([]);
    const two = asks(THREE.slice(1), 1, { vlan: 7 });
    expect(await told(asks(['10.0.0.11', '10.0.0.14'], 1, { vlan: 8 }, two))).toEqual([]);
    expect(await told(asks(['10.0.0.11', '10.0.1.12', '10.0.2.13']))).toEqual([]);
  });

  it('keeps still where addresses follow one another', async () => {
    expect(await told(asks(THREE, 29))).toEqual(['likely']);
    expect(await told(asks(THREE, 31))).toEqual([]);
  });

  it('keeps still about routers, of others or virtual', async () => {
    const packet = { from: MAC, to: OTHER, destination: '10.0.0.9' };
    expect(await told(asks(THREE).ipv4({ ...packet, source: '10.0.0.99' }))).toEqual(['likely']);
    expect(await told(asks(THREE).ipv4({ ...packet, source: '192.0.2.1' }))).toEqual([]);
    const virtual = new Capture();
    for (const spa of THREE) virtual.ask('00:00:5e:00:01:01', spa, '10.0.0.1');
    expect(await told(virtual)).toEqual([]);
  });

  it('does not count what is probed, announced or answered for, nor what another MAC claims', async () => {
    expect(await told(asks(THREE.slice(1)).ask(MAC, '0.0.0.0', '10.0.0.11'))).toEqual([]);
    expect(await told(asks(THREE.slice(1)).ask(MAC, '10.0.0.11', '10.0.0.11'))).toEqual([]);
    expect(await told(asks(THREE.slice(1)).answer(MAC, '10.0.0.11', OTHER, '10.0.0.9'))).toEqual([]);
    expect(await told(asks(THREE).at(4).ask(OTHER, '10.0.0.11', '10.0.0.1'))).toEqual([]);
  });
});
