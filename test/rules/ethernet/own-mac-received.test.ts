import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { bridged } from '../../support/bridge.js';
import { solicitation } from '../../support/nd.js';
import { Capture, inShort } from '../../support/wire.js';

const OWN = '02:00:00:00:00:01';
const only = { select: ['ethernet/own-mac-received'] };
const sending = () => new Capture().ask(OWN, '10.0.0.1', '10.0.0.9', { direction: 'out' });

describe('ethernet/own-mac-received', () => {
  it('speaks after three broadcasts from outside with a source that sends from here', async () => {
    const capture = sending();
    for (let i = 1; i <= 3; i++) capture.at(i).ask(OWN, '10.0.0.1', `10.0.0.${i + 1}`, { direction: 'in' });
    expect(inShort(await capture.findings(only))).toEqual([['ethernet/own-mac-received', 'likely', [2, 3, 4]]]);
  });

  it('only hints where a link-local address with a device number shows a child of ipvlan', async () => {
    const capture = sending();
    for (let i = 2; i < 6; i++)
      capture.at(i).raw(solicitation(OWN, 'fe80::200:0:200:1', `fd00::${i}`), { direction: 'in' });
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('only hints where they name another address, until the context tells that this is no sibling behind ipvlan', async () => {
    const capture = sending();
    for (let i = 1; i <= 3; i++) capture.at(i).ask(OWN, '10.0.0.7', `10.0.0.${i + 1}`, { direction: 'in' });
    const said = async (options: object) =>
      inShort(await capture.findings({ ...only, ...options })).map(([, confidence]) => confidence);
    expect(await said({})).toEqual(['hint']);
    expect(await said({ context: bridged({}, {}) })).toEqual(['likely']);
    const child = (kind: string) =>
      parseContext({
        kernel: '6.1',
        namespaces: {
          c1: {
            'ip -d -j link': [
              {
                ifindex: 2,
                ifname: 'eth0',
                address: OWN,
                flags: ['UP'],
                linkinfo: { info_kind: kind, info_data: { mode: 'l2' } },
              },
            ],
          },
        },
      });
    expect(await said({ context: child('ipvlan') })).toEqual([]);
    expect(await said({ context: child('veth') })).toEqual(['likely']);
  });

  it('gives the device another MAC, and its bridge spanning tree, where the context shows them', async () => {
    const commands = async (options: object) => {
      const capture = sending();
      for (let i = 1; i <= 3; i++) capture.at(i).ask(OWN, '10.0.0.7', `10.0.0.${i}`, { direction: 'in' });
      const [{ remedy }] = await capture.findings({ ...only, ...options });
      return remedy.slice(1).flatMap((each) => each.commands);
    };
    expect(await commands({})).toEqual([
      'ip link set dev <device> address 02:00:5a:00:00:01',
      'ip link set <bridge> type bridge stp_state 1',
    ]);
    expect(await commands({ context: bridged({}, {}) })).toEqual([
      'ip netns exec h1 sysctl -w net.ipv4.conf.eth0.arp_notify=1',
      'ip netns exec h1 ip link set dev eth0 address 02:00:5a:00:00:01',
      'ip netns exec sw ip link set br0 type bridge stp_state 1',
    ]);
  });

  it('keeps still after two', async () => {
    const capture = sending();
    for (let i = 1; i <= 2; i++) capture.at(i).ask(OWN, '10.0.0.7', `10.0.0.${i}`, { direction: 'in' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about reflections', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 5; i++)
      capture
        .at(i)
        .ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'out' })
        .at(i + 0.0001)
        .ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'in' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about unicast, which a macvlan parent sees come in from its own children', async () => {
    const capture = sending();
    for (let i = 1; i <= 5; i++)
      capture
        .at(i)
        .ipv4(
          { from: OWN, to: '02:00:00:00:00:02', source: '10.0.0.1', destination: '10.0.0.2', id: i },
          { direction: 'in' },
        );
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about what a bridge with hairpin gives back to the port it came from', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 5; i++)
      capture
        .at(i)
        .ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'in' })
        .at(i + 0.0001)
        .ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'out' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about a guest that was moved and says so, until something of it goes out again', async () => {
    const capture = sending();
    for (let i = 1; i <= 2; i++) capture.at(i).ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'in' });
    capture.at(3).ask(OWN, '10.0.0.1', '10.0.0.1', { direction: 'in' });
    for (let i = 4; i <= 9; i++) capture.at(i).ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'in' });
    expect(await capture.findings(only)).toEqual([]);
    capture.at(10).ask(OWN, '10.0.0.1', '10.0.0.8', { direction: 'out' });
    for (let i = 11; i <= 13; i++) capture.at(i).ask(OWN, '10.0.0.1', `10.0.0.${i}`, { direction: 'in' });
    expect(inShort(await capture.findings(only))).toEqual([['ethernet/own-mac-received', 'likely', [12, 13, 14]]]);
  });

  it.each([
    ['VRRP', '00:00:5e:00:01:33'],
    ['HSRP', '00:00:0c:07:ac:01'],
    ['HSRP for IPv6', '00:05:73:a0:00:01'],
    ['GLBP', '00:07:b4:00:01:01'],
  ])('keeps still about the MAC of a virtual router (%s), which its next master sends from', async (_, virtual) => {
    const capture = new Capture();
    for (let i = 1; i <= 9; i++)
      capture.at(i).ask(virtual, '10.0.0.1', `10.0.0.2${i}`, { direction: i <= 4 ? 'out' : 'in' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still where directions are unknown', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 5; i++) capture.at(i).ask(OWN, '10.0.0.1', `10.0.0.${i}`);
    expect(await capture.findings(only)).toEqual([]);
  });
});
