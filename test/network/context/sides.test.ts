import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { resolveVantage } from '../../../src/network/context/vantage.js';
import { parseMac } from '../../../src/wire/address.js';
import { CHILD1, CHILD2, ENS34, GATEWAY, link, vepaHost } from './host.js';

type Json = Parameters<typeof parseContext>[0];

function locate(vantage: string, address: string, json: Json = vepaHost()) {
  const context = parseContext(json);
  const mac = parseMac(address);
  const device = resolveVantage(context, vantage);
  return mac && device && context.localMac(device, mac.hi, mac.lo);
}

describe('localMac', () => {
  it.each([
    ['host/ens34', ENS34, 'local'],
    ['host/ens34', CHILD1, 'local'],
    ['host/ens34', GATEWAY, 'foreign'],
    ['host/ens34', '02:00:00:00:00:11', 'foreign'],
    ['host/ens34', 'aa:bb:cc:dd:ee:ff', 'unknown'],
    ['ns01/macvlan1', CHILD1, 'local'],
    ['ns01/macvlan1', CHILD2, 'foreign'],
    ['ns01/macvlan1', ENS34, 'foreign'],
    ['ns01/macvlan1', GATEWAY, 'foreign'],
    // At a bridge port, what leaves through it is what the other ports bring.
    ['sw/p-host', CHILD1, 'foreign'],
    ['sw/p-host', ENS34, 'foreign'],
    ['sw/p-host', GATEWAY, 'local'],
    ['sw/p-gw', CHILD1, 'local'],
    ['sw/br0', '02:00:00:00:00:10', 'local'],
    ['sw/br0', CHILD1, 'foreign'],
    ['gw/eth0', CHILD2, 'foreign'],
  ])('at %s, %s is %s', (vantage, mac, expected) => {
    expect(locate(vantage, mac)).toBe(expected);
  });

  it('knows children of namespaces that are not in the file by the receive filter', () => {
    const { host } = vepaHost().namespaces;
    expect(locate('host/ens34', CHILD1, { namespaces: { host } })).toBe('local');
    expect(locate('host/ens34', GATEWAY, { namespaces: { host } })).toBe('unknown');
  });

  it('does not decide an address that stands on both sides, or in an unknown place', () => {
    const both = vepaHost();
    Object.assign(both.namespaces.gw['ip -d -j link'][1], { address: ENS34 });
    expect(locate('host/ens34', ENS34, both)).toBe('unknown');
    const elsewhere = { ...vepaHost().namespaces, far: { 'ip -d -j link': [link(9, 'eth9', { mac: ENS34 })] } };
    expect(locate('host/ens34', ENS34, { namespaces: elsewhere })).toBe('unknown');
    expect(locate('gw/eth0', ENS34, { namespaces: elsewhere })).toBe('unknown');
  });

  it('lets devices of one stack share an address', () => {
    const rows = [link(2, 'eth0', { mac: ENS34 }), link(3, 'eth0.5', { mac: ENS34, kind: 'vlan', link: 'eth0' })];
    const json = { namespaces: { host: { 'ip -d -j link': rows } } };
    expect(locate('host/eth0', ENS34, json)).toBe('local');
    expect(locate('host/eth0.5', ENS34, json)).toBe('local');
  });

  it('cannot tell ipvlan siblings apart', () => {
    const ipvlan = (name: string) => link(2, name, { mac: ENS34, kind: 'ipvlan', far: [2, 0] });
    const json = {
      namespaces: {
        host: { 'ip -d -j link': [link(2, 'ens34', { mac: ENS34 })] },
        ns01: { 'ip -d -j link': [ipvlan('ipvlan1')] },
        ns02: { 'ip -d -j link': [ipvlan('ipvlan2')] },
      },
    };
    expect(locate('host/ens34', ENS34, json)).toBe('local');
    expect(locate('ns01/ipvlan1', ENS34, json)).toBe('unknown');
  });
});
