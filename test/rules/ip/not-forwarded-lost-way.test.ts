import { describe, expect, it } from 'vitest';
import { CONNECTED, type Docker, docker, GUEST, published } from '../../support/docker.js';
import { HOST, PEER } from '../../support/icmp.js';
import { DROP, forward, rule, when } from '../../support/nft.js';
import { pings } from '../../support/routed.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['ip/not-forwarded'] };
const find = (how: Docker, capture = pings(PEER, { from: HOST })) =>
  capture.findings({ ...only, context: docker(how) });

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
    const told = async (how: Docker) => (await find(how)).map(({ title }) => title.replace(/.*: /, ''));
    expect(await told({ own: ['172.20.0.1'], routes: [CONNECTED] })).toEqual(['the policy of its firewall']);
    expect(await told({ routes: [CONNECTED] })).toEqual(['the policy of its firewall']);
    expect(await told({ own: ['172.20.0.1'] })).toEqual(['the policy of its firewall']);
    // Another machine on the bridge may be the router of the guests.
    expect(await told({ uplink: true })).toEqual(['the policy of its firewall']);
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
    const commands = async (how: Docker) => {
      const [{ rule, remedy }] = await asks.findings({ context: docker(how) });
      return [rule, ...remedy.flatMap((each) => each.commands)].join('; ');
    };
    const cure = 'ip netns exec box ip addr add 172.20.0.1/24 dev docker0';
    expect(await commands({})).toContain(`arp/gateway-unanswered; ${cure}`);
    expect(await commands({ uplink: true })).not.toContain(cure);
    expect(await commands({ own: ['172.20.0.9'] })).not.toContain(`arp/gateway-unanswered; ${cure}`);
  });
});
