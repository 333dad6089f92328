import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort, ip, mac, type Way } from '../../support/wire.js';

const RULE = 'arp/proxy';
const A = '02:00:00:00:00:01';
const PROXY = '02:00:00:00:00:fe';
const only = { select: [RULE] };

/** The host A asks for each address at a second of its own, and `from` answers `delay` seconds later. */
function asked(
  targets: readonly string[],
  delay: number,
  way: Way = {},
  capture = new Capture(),
  from = PROXY,
): Capture {
  targets.forEach((target, i) => {
    capture.at(i).ask(A, '10.0.0.1', target, way);
    capture.at(i + delay).answer(from, target, A, '10.0.0.1', way);
  });
  return capture;
}

/** A packet from the address comes through the MAC with this TTL. */
function packet(capture: Capture, source: string, ttl: number, from = PROXY, way: Way = {}): Capture {
  const header = [0x45, 0, 0, 20, 0, 9, 0, 0, ttl, 253, 0, 0, ...ip(source), ...ip('10.0.0.1')];
  return capture.raw([...mac(A), ...mac(from), 8, 0, ...header], way);
}

const TWO = ['10.0.7.1', '10.0.7.2'];
const FIVE = [1, 2, 3, 4, 5].map((i) => `10.0.7.${i}`);
const both = (capture: Capture, ttl = 63, way: Way = {}) =>
  packet(packet(capture, TWO[0], ttl, PROXY, way), TWO[1], ttl, PROXY, way);
const told = async (capture: Capture) => (await capture.findings(only)).map(({ confidence }) => confidence);

const device = (ifname: string, address: string, local: string) => ({
  ifindex: 2,
  ifname,
  link_type: 'ether',
  address,
  flags: ['UP'],
  addr_info: [{ family: 'inet', local, prefixlen: 24 }],
});
const context = (settings: Record<string, string>, address = PROXY) =>
  parseContext({
    namespaces: {
      r: {
        'ip -d -j link': [device('eth0', address, '10.0.0.254')],
        'ip -j addr': [device('eth0', address, '10.0.0.254')],
        sysctl: settings,
      },
    },
  });
const ON = { 'net.ipv4.conf.all.proxy_arp': '0', 'net.ipv4.conf.eth0.proxy_arp': '1' };
const OFF = { 'net.ipv4.conf.all.proxy_arp': '0', 'net.ipv4.conf.eth0.proxy_arp': '0' };

describe(RULE, () => {
  it('is likely where two late answers go with a lowered TTL', async () => {
    const found = await both(asked(TWO, 0.3)).findings(only);
    expect(inShort(found)).toEqual([[RULE, 'likely', [2, 4]]]);
    expect(found[0]).toMatchObject({ severity: 'info', subject: { mac: PROXY, addresses: 2 } });
  });

  it('is a hint of one such answer, likely if it asks for the address itself within a second', async () => {
    const one = () => packet(asked(TWO.slice(0, 1), 0.3), TWO[0], 63);
    expect(await told(one())).toEqual(['hint']);
    expect(await told(one().at(1.3).ask(PROXY, '10.0.0.254', TWO[0]))).toEqual(['likely']);
    expect(await told(one().at(1.31).ask(PROXY, '10.0.0.254', TWO[0]))).toEqual(['hint']);
  });

  it('is a hint of late answers alone, likely of five', async () => {
    expect(await told(asked(FIVE.slice(0, 1), 0.3))).toEqual([]);
    expect(await told(asked(FIVE.slice(0, 4), 0.3))).toEqual(['hint']);
    expect(await told(asked(FIVE, 0.3))).toEqual(['likely']);
  });

  it('takes answers for late from 0.1 s to as long as Linux waits', async () => {
    expect(await told(asked(FIVE, 0.099))).toEqual([]);
    expect(await told(asked(FIVE, 0.1))).toEqual(['likely']);
    expect(await told(asked(FIVE, 0.9))).toEqual(['likely']);
    expect(await told(asked(FIVE, 0.91))).toEqual([]);
  });

  describe('of answers at once beside those of holders', () => {
    const holder = (target: string, own = false) => (own ? '02:00:00:00:01:00' : `02:00:00:00:01:0${target.at(-1)}`);
    /** A asks for each of the targets; its holder answers and speaks, and so does the proxy, at once. */
    const beside = (targets: readonly string[], { oneHolder = false, quiet = false, uses = '' } = {}) => {
      const capture = new Capture();
      targets.forEach((target, i) => {
        const from = holder(target, oneHolder);
        capture.at(i).ask(A, '10.0.0.1', target).answer(from, target, A, '10.0.0.1');
        capture.at(i + 0.0001).answer(PROXY, target, A, '10.0.0.1');
        if (!quiet) packet(capture.at(i + 0.001), target, 64, from);
      });
      return uses === '' ? capture : packet(capture.at(9), uses, 64, PROXY);
    };
    const rules = async (capture: Capture) =>
      (await capture.findings()).map(({ rule, confidence }) => `${rule} ${confidence}`);

    it('is likely of three, with a caveat, and takes in that they are held twice', async () => {
      const found = await beside(FIVE.slice(0, 3)).findings();
      expect(found.map(({ rule, confidence, severity }) => [rule, confidence, severity])).toEqual([
        [RULE, 'likely', 'warning'],
      ]);
      expect(found[0].caveats).toEqual([expect.stringContaining('spoofing')]);
      expect(found[0].explains.map(({ rule }) => rule)).toEqual(['arp/duplicate-address']);
    });

    it('leaves two to arp/duplicate-address', async () => {
      expect(await rules(beside(TWO))).toEqual(new Array(2).fill('arp/duplicate-address likely'));
    });

    it('leaves them where one machine has them all, where the holders do not speak, or where it uses one itself', async () => {
      const three = FIVE.slice(0, 3);
      for (const options of [{ oneHolder: true }, { quiet: true }, { uses: FIVE[0] }])
        expect(await rules(beside(three, options))).not.toContain(`${RULE} likely`);
    });

    it('leaves them to what the context says of that host', async () => {
      const told = async (settings: Record<string, string>) =>
        (await beside(FIVE.slice(0, 3)).findings({ ...only, context: context(settings) })).map(
          ({ confidence }) => confidence,
        );
      expect(await told(ON)).toEqual(['certain']);
      expect(await told(OFF)).toEqual([]);
    });
  });

  it('does not take a lowered TTL alone for a proxy: translated addresses look alike', async () => {
    expect(await told(both(asked(TWO, 0.001)))).toEqual([]);
  });

  it.each([48, 112, 127, 239, 254])('counts TTL %i as lowered', async (ttl) => {
    expect(await told(both(asked(TWO, 0.3), ttl))).toEqual(['likely']);
  });

  it.each([1, 30, 47, 64, 111, 128, 255])('takes TTL %i for a packet of its own', async (ttl) => {
    expect(await told(both(asked(TWO, 0.3), ttl))).toEqual([]);
  });

  it('keeps still about addresses that the host asks from or announces', async () => {
    expect(await told(asked(FIVE, 0.3).ask(PROXY, FIVE[0], '10.0.0.9'))).toEqual(['hint']);
    expect(await told(asked(FIVE, 0.3).ask(PROXY, FIVE[0], FIVE[0]))).toEqual(['hint']);
    const own = asked(FIVE, 0.3);
    for (const each of FIVE) own.ask(PROXY, each, '10.0.0.9');
    expect(await told(own)).toEqual([]);
  });

  it('keeps still about answers that go to the MAC they come from, as those of ipvlan siblings', async () => {
    const capture = new Capture();
    for (const [i, each] of FIVE.entries()) {
      capture.at(i).ask(PROXY, '10.0.0.254', each);
      capture.at(i + 0.3).answer(PROXY, each, PROXY, '10.0.0.254');
    }
    expect(await told(capture)).toEqual([]);
  });

  it('leaves out answers whose frame has another source', async () => {
    const capture = new Capture();
    for (const [i, each] of FIVE.entries()) {
      capture.at(i).ask(A, '10.0.0.1', each);
      capture
        .at(i + 0.3)
        .arp({ op: 2, from: '02:00:00:00:00:aa', sha: PROXY, to: A, spa: each, tha: A, tpa: '10.0.0.1' });
    }
    expect(await told(capture)).toEqual([]);
  });

  it('keeps VLANs apart, and sees it inside VXLAN', async () => {
    const apart = asked(FIVE.slice(3), 0.3, { vlan: 2 }, asked(FIVE.slice(0, 3), 0.3, { vlan: 1 }));
    expect(await told(apart)).toEqual(['hint', 'hint']);
    expect(await told(asked(FIVE, 0.3, { vlan: 1 }))).toEqual(['likely']);
    expect(await told(both(asked(TWO, 0.3, { vni: 7 }), 63, { vni: 7 }))).toEqual(['likely']);
  });

  it('is certain where the context has proxy ARP on, and leaves out what is the host’s own', async () => {
    const capture = () => asked(['10.0.7.1', '10.0.0.254'], 0.001);
    const found = await capture().findings({ ...only, context: context(ON) });
    expect(inShort(found)).toEqual([[RULE, 'certain', [2]]]);
    expect(found[0].context).toEqual(['eth0 in r: proxy_arp=1']);
    expect(await capture().findings({ ...only, context: context(OFF) })).toEqual([]);
    expect(await capture().findings({ ...only, context: context(ON, A) })).toEqual([]);
    expect(await asked(['10.0.0.254'], 0.3).findings({ ...only, context: context(ON) })).toEqual([]);
  });

  describe('where holders answer too', () => {
    /** Holders answer at once, and the proxy later. */
    const twice = (holders: readonly string[], delay = 0.3, way: Way = {}) => {
      const capture = new Capture();
      for (const [i, holder] of holders.entries()) {
        const target = `10.0.0.${i + 10}`;
        capture.at(i).ask(A, '10.0.0.1', target, way);
        capture.at(i + 0.001).answer(holder, target, A, '10.0.0.1', way);
        capture.at(i + delay).answer(PROXY, target, A, '10.0.0.1', way);
      }
      return capture;
    };
    const H = ['02:00:00:00:00:10', '02:00:00:00:00:11'];
    const rules = async (capture: Capture) =>
      (await capture.findings()).map(({ rule, severity, confidence }) => [rule, severity, confidence]);

    it('warns of two holders, and explains that addresses are held twice', async () => {
      expect(await rules(twice(H))).toEqual([[RULE, 'warning', 'likely']]);
    });

    it('leaves one rival, one address, and answers at once to the rule about addresses that are held twice', async () => {
      const duplicates = (count: number) => new Array(count).fill(['arp/duplicate-address', 'error', 'likely']);
      expect((await rules(twice(H.slice(0, 1)))).slice(0, 1)).toEqual(duplicates(1));
      expect((await rules(twice([H[0], H[0]]))).slice(0, 2)).toEqual(duplicates(2));
      expect(await rules(twice(H, 0.01))).toEqual(duplicates(2));
    });

    it('does not warn where two routers both answer for others', async () => {
      const capture = asked(TWO, 0.3);
      for (const [i, target] of TWO.entries()) capture.at(i + 0.5).answer(H[0], target, A, '10.0.0.1');
      for (const target of TWO) packet(packet(capture.at(3), target, 63), target, 63, H[0]);
      const found = await capture.findings(only);
      expect(found.map(({ severity, confidence }) => [severity, confidence])).toEqual([
        ['info', 'likely'],
        ['info', 'likely'],
      ]);
    });

    it('does not warn where the holder is asked by the proxy alone', async () => {
      const capture = both(asked(TWO, 0.3)).at(5).ask(PROXY, '10.0.0.254', TWO[0]);
      capture.at(5.001).answer(H[0], TWO[0], PROXY, '10.0.0.254');
      expect((await capture.findings(only)).map(({ severity }) => severity)).toEqual(['info']);
    });
  });

  describe('where probes are answered', () => {
    const probed = (capture: Capture, target: string, way: Way = {}) => {
      capture.at(10).ask('02:00:00:00:00:33', '0.0.0.0', target, way);
      return capture.at(10.3).answer(PROXY, target, '02:00:00:00:00:33', '0.0.0.0', way);
    };

    it('warns of a proxy that answers a probe, and explains it', async () => {
      const found = await probed(both(asked(TWO, 0.3)), '10.0.7.9').findings();
      expect(found.map(({ rule, severity }) => [rule, severity])).toEqual([[RULE, 'warning']]);
      expect(found[0].explains.map(({ rule }) => rule)).toEqual(['arp/probe-answered']);
    });

    it('leaves the probe to its own rule where the host holds the address, or is no proxy', async () => {
      const own = probed(both(asked(TWO, 0.3)), '10.0.0.254')
        .at(11)
        .ask(PROXY, '10.0.0.254', '10.0.0.9');
      expect((await own.findings()).map(({ rule }) => rule).sort()).toEqual(['arp/probe-answered', RULE]);
      expect((await probed(new Capture(), '10.0.7.9').findings()).map(({ rule }) => rule)).toEqual([
        'arp/probe-answered',
      ]);
    });

    it('keeps segments apart', async () => {
      const found = await probed(both(asked(TWO, 0.3)), '10.0.7.9', { vlan: 5 }).findings();
      expect(found.map(({ rule, severity }) => [rule, severity]).sort()).toEqual([
        ['arp/probe-answered', 'info'],
        [RULE, 'info'],
      ]);
    });
  });
});
