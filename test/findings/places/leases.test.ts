import { describe, expect, it } from 'vitest';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { ofRule, together } from '../../support/together.js';
import { Capture } from '../../support/wire.js';

const OTHER = '02:00:00:00:00:03';

describe('DHCP discovers in vain', () => {
  const client = '02:00:00:00:00:51';
  const discovers = (capture = new Capture(), late = 0) => {
    for (const at of [1, 4, 9, 15]) dhcp(capture.at(at + late), 'discover', { client, xid: 7 });
    return capture;
  };

  it('are answered where offers get no farther', async () => {
    const there = new Capture();
    for (const at of [1, 4, 9, 15]) {
      dhcp(there.at(at), 'discover', { client, xid: 7 });
      dhcp(there.at(at + 0.001), 'offer', { client, xid: 7, server: SERVER });
    }
    const [found, ...others] = await together({ 'vm.pcap': discovers(), 'server.pcap': there });
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      rule: 'dhcp/no-offer',
      title: expect.stringMatching(/: answers get no farther than server\.pcap$/),
    });
    expect(found.explains.map(({ rule }) => rule)).toEqual(['dhcp/offer-ignored']);
  });

  it('do not get to where a server offers addresses to others', async () => {
    const there = new Capture();
    for (const [i, at] of [0, 2, 20].entries()) {
      const other = { client: OTHER, xid: 20 + i };
      dhcp(there.at(at), 'discover', other);
      dhcp(there.at(at + 0.001), 'offer', { ...other, server: SERVER });
      dhcp(there.at(at + 0.002), 'request', { ...other, server: SERVER });
      dhcp(there.at(at + 0.003), 'ack', { ...other, server: SERVER });
    }
    const vm = dhcp(discovers().at(2), 'discover', { client: OTHER, xid: 21 });
    const found = ofRule(await together({ 'vm.pcap': vm, 'server.pcap': there }), 'dhcp/no-offer');
    expect(found.map(({ title }) => title)).toEqual([
      expect.stringMatching(/: the requests do not get to server\.pcap$/),
    ]);
  });
});
