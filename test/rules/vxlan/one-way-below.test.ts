import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { A, arpRequest, B, ONE, TWO, tunnelled, underlayMac } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const [ASKER, TARGET] = ['192.168.5.1', '192.168.5.2'];
const DROP = { drop: null };
const dport = { match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 4789 } };
const counter = { counter: { packets: 3, bytes: 300 } };

function rules(hook: string, expr: object[] | null, policy = 'accept'): object[] {
  const where = { family: 'inet', table: 'f' };
  const base = { chain: { ...where, name: 'c', type: 'filter', hook, prio: 0, policy } };
  return expr ? [base, { rule: { ...where, chain: 'c', handle: 2, expr } }] : [base];
}

/** A machine whose VXLAN device is a station itself. */
function end(
  own: string,
  remote: string,
  mac: string,
  station: string,
  nft: object[],
  { vni = 5, list = [remote] } = {},
) {
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const data = { id: vni, port: 4789, local: own, link: 'eth0' };
  const links = [
    { ...up, ifindex: 2, ifname: 'eth0', address: underlayMac(own) },
    { ...up, ifindex: 3, ifname: 'vx0', address: mac, linkinfo: { info_kind: 'vxlan', info_data: data } },
  ];
  const held = [own, station].map((local, i) => ({
    ...links[i],
    addr_info: [{ family: 'inet', local, prefixlen: 24 }],
  }));
  return {
    'ip -d -j link': links,
    'ip -j addr': held,
    'ip -j route': [{ dst: '10.1.1.0/24', dev: 'eth0' }],
    'bridge -j fdb': list.map((dst) => ({ mac: '00:00:00:00:00:00', ifname: 'vx0', dst, flags: ['self'] })),
    'nft -j list ruleset': { nftables: nft },
  };
}

function machines({ one = [] as object[], two = [] as object[], how = {} }) {
  const namespaces = { one: end(ONE, TWO, A, ASKER, one, how), two: end(TWO, ONE, B, TARGET, two) };
  return parseContext({ namespaces });
}

const select = ['vxlan/one-way', 'arp/unanswered'];
const asked = (times = 3) => {
  const capture = new Capture();
  for (let i = 0; i < times; i++) capture.at(1 + i).ask(A, ASKER, TARGET);
  return capture.at(9).ask('02:00:00:00:00:77', '192.168.5.77', '192.168.5.1');
};
const told = async (context: ReturnType<typeof machines>, capture = asked()) =>
  (await capture.findings({ select, context })).filter(({ rule }) => rule === 'vxlan/one-way');

describe('vxlan/one-way where only the stations are seen', () => {
  it('names the firewall of the near end that drops what its VXLAN device sends', async () => {
    const context = machines({ one: rules('output', [dport, counter, DROP]) });
    const [finding, ...others] = await asked().findings({ select, context });
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['vxlan/one-way', 'certain', [1, 2, 3]]]);
    expect(finding.title).toBe(
      `${ONE} drops the VXLAN that it sends to ${TWO}: a rule of its firewall is against UDP port 4789`,
    );
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec one nft insert rule inet f c handle 2 ip saddr ${ONE} ip daddr ${TWO} udp dport 4789 accept`,
    ]);
  });

  it('names that of the far end, and that of the near end that drops the answers', async () => {
    const titles = async (context: ReturnType<typeof machines>) => (await told(context)).map(({ title }) => title);
    expect(await titles(machines({ two: rules('input', null, 'drop') }))).toEqual([
      `${TWO} drops the VXLAN from ${ONE}: the policy of its firewall is against UDP port 4789`,
    ]);
    expect(await titles(machines({ two: rules('output', [dport, DROP]) }))).toEqual([
      `${TWO} drops the VXLAN that it sends to ${ONE}: a rule of its firewall is against UDP port 4789`,
    ]);
    expect(await titles(machines({ one: rules('input', [dport, DROP]) }))).toEqual([
      `${ONE} drops the VXLAN from ${TWO}: a rule of its firewall is against UDP port 4789`,
    ]);
  });

  it('keeps still without a drop, without a way, after an answer, and where the tunnel is seen', async () => {
    const drops = rules('input', null, 'drop');
    expect(await told(machines({ two: drops }))).toHaveLength(1);
    expect(await told(machines({ two: drops }), asked(2))).toEqual([]);
    expect(await told(machines({ two: rules('forward', null, 'drop') }))).toEqual([]);
    expect(await told(machines({ two: drops, how: { vni: 6 } }))).toEqual([]);
    expect(await told(machines({ two: drops, how: { list: ['10.1.1.9'] } }))).toEqual([]);
    const answered = new Capture();
    for (const second of [1, 2, 3]) answered.at(second).ask(A, ASKER, TARGET);
    answered.at(3.1).answer(B, TARGET, A, ASKER).at(9).ask(B, TARGET, '192.168.5.8');
    expect(await told(machines({ two: drops }), answered)).toEqual([]);
    const seen = tunnelled(new Capture(), arpRequest(B, TARGET, '192.168.5.9'), { from: TWO, to: ONE });
    for (const second of [1, 2, 3]) seen.at(second).ask(A, ASKER, TARGET);
    expect(await told(machines({ two: drops }), seen.at(9).ask(B, TARGET, '192.168.5.8'))).toEqual([]);
  });
});
