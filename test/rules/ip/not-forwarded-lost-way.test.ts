import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { HOST, type Host, PEER } from '../../support/icmp.js';
import { chain, DROP, forward, rule, when } from '../../support/nft.js';
import { machineFile, pings } from '../../support/routed.js';
import { Capture, inShort } from '../../support/wire.js';

const GUEST: Host = { mac: '02:00:00:00:05:02', ip: '172.20.0.2' };
const only = { select: ['ip/not-forwarded'] };
const flags = ['UP', 'LOWER_UP'];
const CONNECTED = { dst: '172.20.0.0/24', dev: 'docker0' };
const DEFAULT = { dst: 'default', gateway: HOST.ip, dev: 'eth0' };

const published = [
  chain('pre', { type: 'nat', hook: 'prerouting', prio: -100 }),
  rule('pre', [when('ip daddr', PEER.ip), { dnat: { family: 'ip', addr: GUEST.ip } }]),
];
const filtered = [forward({ policy: 'drop' })];

interface How {
  isUp?: boolean;
  own?: readonly string[];
  routes?: readonly object[];
  rules?: readonly object[];
  /** A further port of the bridge, which leads to a switch. */
  uplink?: boolean;
}

/** The machine box with a guest behind docker0. */
function context({
  isUp = true,
  own = [],
  routes = [],
  rules = [...published, ...filtered],
  uplink = false,
}: How = {}) {
  const veth = { info_kind: 'veth' };
  const port = { ...veth, info_slave_kind: 'bridge' };
  const docker0 = {
    flags: isUp ? flags : [],
    ifindex: 5,
    ifname: 'docker0',
    address: '02:00:00:00:05:01',
    linkinfo: { info_kind: 'bridge' },
    addr_info: own.map((local) => ({ family: 'inet', local, prefixlen: 24 })),
  };
  const cable = { link_index: 2, link_netnsid: 0, address: '02:00:00:00:05:06' };
  const veth1 = { flags, ifindex: 6, ifname: 'veth1', ...cable, master: 'docker0', linkinfo: port };
  const eth2 = { flags, ifindex: 7, ifname: 'eth2', address: '02:00:00:00:05:07', master: 'docker0' };
  const devices = [docker0, veth1, ...(uplink ? [eth2] : [])];
  const guest = {
    flags,
    ifindex: 2,
    ifname: 'eth0',
    link_index: 6,
    link_netnsid: 0,
    address: GUEST.mac,
    linkinfo: veth,
    addr_info: [{ family: 'inet', local: GUEST.ip, prefixlen: 24 }],
  };
  return parseContext({
    namespaces: {
      box: {
        ...machineFile({ routes: [...routes, DEFAULT], sysctl: { 'net.ipv4.ip_forward': '1' }, devices }),
        'nft -j list ruleset': { nftables: [{ metainfo: {} }, { table: { family: 'inet', name: 'fw' } }, ...rules] },
      },
      guest: {
        'ip -d -j link': [guest],
        'ip -j addr': [guest],
        'ip -j route': [{ dst: 'default', gateway: '172.20.0.1', dev: 'eth0' }],
      },
    },
  });
}

const find = (how: How, capture = pings(PEER, { from: HOST })) => capture.findings({ ...only, context: context(how) });

describe('ip/not-forwarded of a router that lost its way into a bridge', () => {
  it('names the bridge that has no address, and not the policy that the packets end at', async () => {
    const [finding] = await find({});
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'likely', [1, 2, 3, 4]]]);
    expect(finding.title).toContain('docker0 in box has no address');
    expect(finding.summary).toContain(`translates ${PEER.ip} to ${GUEST.ip} (DNAT)`);
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec box ip addr add 172.20.0.1/24 dev docker0',
    ]);
  });

  it('names the bridge that is down', async () => {
    const [finding] = await find({ isUp: false, own: ['172.20.0.1'] });
    expect(finding.title).toContain('docker0 in box is down');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec box ip link set docker0 up']);
  });

  it('knows it of packets that are not translated, too', async () => {
    const capture = pings({ ...GUEST, mac: PEER.mac }, { from: HOST });
    expect((await find({}, capture)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('leaves it to the firewall where a route leads into the bridge, or another address is on it', async () => {
    const told = async (how: How) => (await find(how)).map(({ title }) => title.replace(/.*: /, ''));
    expect(await told({ own: ['172.20.0.1'], routes: [CONNECTED] })).toEqual(['the policy of its firewall']);
    expect(await told({ routes: [CONNECTED] })).toEqual(['the policy of its firewall']);
    expect(await told({ own: ['172.20.0.1'] })).toEqual(['the policy of its firewall']);
  });

  it('says nothing where nothing is lost', async () => {
    const how = { own: ['172.20.0.1'], routes: [CONNECTED], rules: [...published, forward()] };
    expect(await find(how)).toEqual([]);
    expect(
      await find({ ...how, rules: [...how.rules, rule('forward', [when('ip daddr', '192.0.2.9'), DROP])] }),
    ).toEqual([]);
  });

  it('has the gateway of the guests given back, if none but guests are on the bridge', async () => {
    const asks = new Capture().askAgain(3, GUEST.mac, GUEST.ip, '172.20.0.1');
    const commands = async (how: How) => {
      const [{ rule, remedy }] = await asks.findings({ context: context(how) });
      return [rule, ...remedy.flatMap((each) => each.commands)].join('; ');
    };
    const cure = 'ip netns exec box ip addr add 172.20.0.1/24 dev docker0';
    expect(await commands({})).toContain(`arp/gateway-unanswered; ${cure}`);
    expect(await commands({ uplink: true })).not.toContain(cure);
    expect(await commands({ own: ['172.20.0.9'] })).not.toContain(`arp/gateway-unanswered; ${cure}`);
  });
});
