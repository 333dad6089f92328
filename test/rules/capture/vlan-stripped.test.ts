import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort } from '../../support/wire.js';

const MAC = '02:00:00:00:00:0a';

/** eth0.100 with 10.1.0.1/24 on eth0, which has these addresses. */
const host = (...onTrunk: string[]) =>
  parseContext({
    namespaces: {
      host: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth0', flags: ['UP'], address: MAC },
          {
            ifindex: 3,
            ifname: 'eth0.100',
            link: 'eth0',
            address: MAC,
            linkinfo: { info_kind: 'vlan', info_data: { id: 100 } },
          },
        ],
        'ip -j addr': [
          { ifindex: 2, ifname: 'eth0', addr_info: onTrunk.map((local) => ({ local, prefixlen: 16 })) },
          { ifindex: 3, ifname: 'eth0.100', addr_info: [{ local: '10.1.0.1', prefixlen: 24 }] },
        ],
      },
    },
  });

const findings = async (capture: Capture, context = host(), name = 'eth0') =>
  inShort(
    (await capture.findings({ context, vantage: { namespace: 'host', interface: name } })).filter(
      ({ rule }) => rule === 'capture/vlan-stripped',
    ),
  );

describe('capture/vlan-stripped', () => {
  it('is certain where a VLAN device’s own requests lack its tag', async () => {
    const capture = new Capture().ask(MAC, '10.1.0.1', '10.1.0.9').at(5).ask(MAC, '10.1.0.1', '10.1.0.8');
    expect(await findings(capture)).toEqual([['capture/vlan-stripped', 'certain', [1, 2]]]);
  });

  it('keeps still where they have it, and where any frame has one', async () => {
    expect(await findings(new Capture().ask(MAC, '10.1.0.1', '10.1.0.9', { vlan: 100 }))).toEqual([]);
    const mixed = new Capture()
      .ask(MAC, '10.1.0.1', '10.1.0.9')
      .ask('02:00:00:00:00:01', '10.2.0.1', '10.2.0.9', { vlan: 7 });
    expect(await findings(mixed)).toEqual([]);
  });

  it('keeps still over requests for other networks, and of others', async () => {
    expect(await findings(new Capture().ask(MAC, '10.1.0.1', '10.9.0.9'))).toEqual([]);
    expect(await findings(new Capture().ask('02:00:00:00:00:01', '10.1.0.1', '10.1.0.9'))).toEqual([]);
    expect(await findings(new Capture().ask(MAC, '10.1.0.7', '10.1.0.9'))).toEqual([]);
  });

  it('keeps still where the parent is in that network itself', async () => {
    expect(await findings(new Capture().ask(MAC, '10.1.0.1', '10.1.0.9'), host('10.1.7.7'))).toEqual([]);
  });

  it('keeps still on the VLAN device, where frames have no tag', async () => {
    expect(await findings(new Capture().ask(MAC, '10.1.0.1', '10.1.0.9'), host(), 'eth0.100')).toEqual([]);
  });
});
