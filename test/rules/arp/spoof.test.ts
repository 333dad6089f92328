import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort, ip, mac, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const ROUTER = '02:00:00:00:00:fe';
const EVIL = '02:00:00:00:00:66';
const IP = '10.0.0.254';
const only = { select: ['arp/spoof'] };

/** A asks and the holder answers. */
function asked(capture = new Capture(), holder = ROUTER, way?: Way): Capture {
  return capture.ask(A, '10.0.0.1', IP, way).answer(holder, IP, A, '10.0.0.1', way);
}

function told(capture: Capture, times: readonly number[], from = EVIL, way?: Way): Capture {
  for (const time of times) capture.at(time).answer(from, IP, A, '10.0.0.1', way);
  return capture;
}

describe('arp/spoof', () => {
  it('finds two answers that nobody asked for likely', async () => {
    expect(inShort(await told(asked(), [5, 7]).findings(only))).toEqual([['arp/spoof', 'likely', [3, 4]]]);
  });

  it('finds them soon after a request that was answered', async () => {
    expect(await told(asked(), [0.5, 1]).findings(only)).toHaveLength(1);
  });

  it('finds it inside VXLAN', async () => {
    const way = { vni: 3 };
    expect(await told(asked(new Capture(), ROUTER, way), [5, 7], EVIL, way).findings(only)).toHaveLength(1);
  });

  it('takes the conflict in that it causes', async () => {
    const found = await told(asked(), [0.5, 1]).findings();
    expect(found.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['arp/spoof', ['arp/duplicate-address']],
    ]);
  });

  describe('of a victim that does not ask', () => {
    const packet = (capture: Capture, from: string, to: string, source: string, destination: string, ttl = 64) => {
      const header = [0x45, 0, 0, 20, 0, 9, 0, 0, ttl, 253, 0, 0, ...ip(source), ...ip(destination)];
      return capture.raw([...mac(to), ...mac(from), 8, 0, ...header]);
    };
    const VICTIM = '10.0.0.1';
    /** The victim and the holder talk, then it gets answers that it did not ask for; `after` is what the address sends meanwhile. */
    const poisoned = (times: number, { after = ROUTER, ttl = 64, heard = true } = {}) => {
      const capture = new Capture();
      if (heard) packet(capture, A, ROUTER, VICTIM, IP);
      packet(capture.at(0.1), ROUTER, A, IP, VICTIM);
      for (let i = 1; i <= times; i++) {
        capture.at(2 * i).answer(EVIL, IP, A, VICTIM);
        if (after !== '') packet(capture.at(2 * i + 1), after, A, IP, VICTIM, ttl);
      }
      return capture;
    };
    const sure = async (capture: Capture) => (await capture.findings(only)).map(({ confidence }) => confidence);

    it('is likely of four such answers while the holder goes on speaking', async () => {
      expect(await sure(poisoned(4))).toEqual(['likely']);
      expect(await sure(poisoned(3))).toEqual([]);
    });

    it('is likely where the packets of the holder come through the other, a router lower', async () => {
      expect(await sure(poisoned(4, { after: EVIL, ttl: 63 }))).toEqual(['likely']);
    });

    it('keeps still about a takeover: the former holder is silent, and the new one sends itself', async () => {
      expect(await sure(poisoned(6, { after: '' }))).toEqual([]);
      expect(await sure(poisoned(6, { after: EVIL }))).toEqual([]);
    });

    it('keeps still where nothing of who is answered is seen: its questions would not be either', async () => {
      expect(await sure(poisoned(6, { heard: false }))).toEqual([]);
    });
  });

  describe('by broadcast, of hosts that ask nobody', () => {
    const packet = (capture: Capture, from: string, ttl = 64) => {
      const header = [0x45, 0, 0, 20, 0, 9, 0, 0, ttl, 253, 0, 0, ...ip(IP), ...ip('10.0.0.1')];
      return capture.raw([...mac(A), ...mac(from), 8, 0, ...header]);
    };
    interface How {
      times?: number;
      pause?: number;
      /** Who sends packets from the address meanwhile. */
      senders?: readonly (readonly [string, number])[];
      from?: string;
      /** The holder claims the address before. */
      claims?: boolean;
      op?: 1 | 2;
    }
    const announced = (how: How = {}) => {
      const { times = 10, pause = 2, senders = [[ROUTER, 64]], from = EVIL, claims = true, op = 2 } = how;
      const capture = new Capture();
      if (claims) asked(capture);
      for (let i = 1; i <= times; i++) {
        capture.at(pause * i).arp({ op, from, spa: IP, tpa: IP });
        for (const [sender, ttl] of senders) packet(capture.at(pause * i + 0.5), sender, ttl);
      }
      return capture.at(100).ask(A, '10.0.0.1', '10.0.0.1');
    };
    const sure = async (how?: How, options = {}) =>
      (await announced(how).findings({ ...only, ...options })).map(({ confidence }) => confidence);

    it('hints at announcements that go on while the holder goes on sending', async () => {
      const [finding, ...others] = await announced().findings(only);
      expect([finding.confidence, others]).toEqual(['hint', []]);
      expect(finding.title).toBe(`${EVIL} announces ${IP} again and again, which ${ROUTER} goes on using`);
      expect(await sure({ op: 1 })).toEqual(['hint']);
    });

    it('is likely where packets of the address come through the other a hop older', async () => {
      const senders = [
        [EVIL, 63],
        [ROUTER, 64],
      ] as const;
      expect(await sure({ senders })).toEqual(['likely']);
    });

    it('is likely where the host context shows two machines, and silent where it shows one', async () => {
      const link = (ifname: string, ifindex: number, address: string) => ({ ifname, ifindex, address, flags: ['UP'] });
      const apart = {
        a: { 'ip -d -j link': [link('eth0', 2, ROUTER)] },
        b: { 'ip -d -j link': [link('eth0', 2, EVIL)] },
      };
      const one = { a: { 'ip -d -j link': [link('eth0', 2, ROUTER), link('eth1', 3, EVIL)] } };
      expect(await sure({}, { context: parseContext({ namespaces: apart }) })).toEqual(['likely']);
      expect(await sure({}, { context: parseContext({ namespaces: one }) })).toEqual([]);
    });

    it.each([
      ['a takeover: the former holder is silent', { senders: [] }],
      ['the new holder sends itself', { senders: [[EVIL, 64]] }],
      ['announcements that end within seconds, as those of a takeover', { pause: 1, times: 10 }],
      ['a few announcements, far apart', { pause: 10, times: 3 }],
      ['a holder that never claimed the address, as servers behind a balancer (direct routing)', { claims: false }],
      ['a virtual router', { from: '00:00:5e:00:01:07' }],
      ['a node that passes on what its containers answer as the address', { senders: [[ROUTER, 63]] }],
    ] as const)('keeps still about %s', async (_, how) => {
      expect(await sure(how as How)).toEqual([]);
    });
  });

  it('keeps still about one such answer', async () => {
    expect(await told(asked(), [5]).findings(only)).toEqual([]);
  });

  it('keeps still about the holder itself', async () => {
    expect(await told(asked(), [5, 7], ROUTER).findings(only)).toEqual([]);
  });

  it('keeps still about answers that were asked for', async () => {
    const capture = asked();
    for (const time of [5, 7]) asked(capture.at(time), EVIL);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about answers to unicast requests', async () => {
    const capture = asked();
    for (const time of [5, 7]) {
      capture.at(time).arp({ op: 1, from: A, to: EVIL, spa: '10.0.0.1', tpa: IP });
      capture.at(time + 0.001).answer(EVIL, IP, A, '10.0.0.1');
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about a takeover that is announced', async () => {
    const capture = asked();
    for (const time of [5, 7]) capture.at(time).arp({ op: 2, from: EVIL, spa: IP, tpa: IP });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about virtual routers', async () => {
    expect(await told(asked(), [5, 7], '00:00:5e:00:01:07').findings(only)).toEqual([]);
  });

  it('keeps still where no request is seen', async () => {
    expect(await told(told(new Capture(), [0], ROUTER), [5, 7]).findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = asked(new Capture(), ROUTER, { vlan: 1 });
    expect(await told(capture, [5, 7], EVIL, { vlan: 2 }).findings(only)).toEqual([]);
  });
});
