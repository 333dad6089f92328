import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { fabric, HERE, leaf, NOBODY, THERE, up } from '../../support/leaves.js';
import { ping } from '../../support/ping.js';
import { syns } from '../../support/tcp.js';
import {
  A,
  arpRequest,
  askInside,
  B,
  endpoints,
  heardByTurns,
  ONE,
  THREE,
  TWO,
  tunnelled,
  unicast,
} from '../../support/tunnel.js';
import { Capture } from '../../support/wire.js';

const ANYCAST = '00:00:5e:00:01:01';

describe('vxlan/stale-fdb in a fabric', () => {
  const only = { select: ['vxlan/stale-fdb'] };
  const sent = (to: string) => {
    const capture = new Capture();
    for (let i = 0; i < 5; i++) tunnelled(capture.at(1 + i), unicast(A, B), { to });
    return capture;
  };

  it('knows an endpoint by its address on lo', async () => {
    expect(await sent(TWO).findings({ ...only, context: fabric([[B, TWO]]) })).toEqual([]);
    const [finding] = await sent(THREE).findings({ ...only, context: fabric([[B, THREE]]) });
    expect([finding.confidence, finding.subject.rightEndpoint]).toEqual(['certain', TWO]);
  });

  it('takes what no entry leads there for flooded, as while a leaf starts anew', async () => {
    expect(await sent(THREE).findings({ ...only, context: fabric([]) })).toEqual([]);
  });

  it('only hints of a gateway that all leaves have, by its MAC or as it is heard behind two by turns', async () => {
    const told = async (capture: Capture) => (await capture.findings(only)).map(({ confidence }) => confidence);
    expect(await told(heardByTurns(0, ANYCAST))).toEqual(['hint']);
    expect(await told(heardByTurns(0, '44:38:39:ff:00:0a'))).toEqual(['hint']);
    expect(await told(heardByTurns(0))).toEqual(['certain']);
    expect(await told(heardByTurns(2))).toEqual(['certain']);
    expect(await told(heardByTurns(4))).toEqual(['hint']);
  });

  it('tells an entry that leads elsewhere from the pings of the host alone, as likely', async () => {
    const pinged = (entry: readonly (readonly [string, string])[]) =>
      ping(new Capture().ask(B, THERE.ip, '192.168.5.9'), 6, { from: HERE, to: THERE }).findings({
        ...only,
        context: fabric(entry),
        vantage: { namespace: 'h-one', interface: 'eth0' },
      });
    const [finding] = await pinged([[B, THREE]]);
    expect([finding.confidence, finding.subject.endpoint, finding.subject.rightEndpoint]).toEqual([
      'likely',
      THREE,
      TWO,
    ]);
    expect(finding.remedy[1].commands).toEqual([`ip netns exec one bridge fdb replace ${B} dev vx0 dst ${TWO}`]);
    const tried = (times: number) =>
      syns(new Capture().ask(B, THERE.ip, '192.168.5.9'), times, {}, 1, HERE, THERE)
        .at(30)
        .ask(B, THERE.ip, '192.168.5.9')
        .findings({ ...only, context: fabric([[B, THREE]]) });
    expect([(await tried(2)).length, (await tried(3)).length]).toEqual([0, 1]);
    expect(await pinged([[B, TWO]])).toEqual([]);
    expect(await pinged([])).toEqual([]);
  });

  it('tells it by the context that the capture itself brings, as `netdiag live -w` writes it', async () => {
    const capture = ping(new Capture().ask(B, THERE.ip, '192.168.5.9'), 6, { from: HERE, to: THERE });
    const own = new Map([['-', { context: fabric([[B, THREE]]), vantage: { namespace: 'h-one', interface: 'eth0' } }]]);
    expect((await capture.findings({ ...only, own })).map(({ confidence }) => confidence)).toEqual(['likely']);
  });
});

describe('what EVPN leaves out', () => {
  it('has an endpoint announced to which no route leads, rather than put into the flood list', async () => {
    const asked = async (routes: readonly object[]) => {
      const context = parseContext({
        namespaces: {
          ...leaf('one', ONE, HERE, [[NOBODY, THREE]], { routes }),
          ...leaf('two', TWO, THERE, [[NOBODY, ONE]]),
        },
      });
      const capture = new Capture();
      for (let i = 0; i < 4; i++) capture.at(1 + i).ask(A, HERE.ip, THERE.ip);
      const [finding] = await capture.findings({ select: ['vxlan/no-flood-target'], context });
      return finding.remedy[1].commands[0];
    };
    expect(await asked([{ dst: '10.9.9.0/24', dev: 'eth1' }])).toContain(`network ${TWO}/32`);
    expect(await asked([{ dst: `${TWO}`, dev: 'eth1' }])).toContain('bridge fdb append');
  });

  it('names no other VNI where the endpoint has the same on another port', async () => {
    const two = (port: number) =>
      parseContext({
        namespaces: {
          ...leaf('one', ONE, HERE, [[NOBODY, TWO]]),
          two: {
            'ip -d -j link': [5, 6].map((vni) => ({
              ...up,
              ifindex: vni,
              ifname: `vx${vni}`,
              address: `02:00:00:00:05:0${vni}`,
              linkinfo: { info_kind: 'vxlan', info_data: { id: vni, port: vni === 5 ? port : 4789, local: TWO } },
            })),
            'ip -j addr': [{ ifindex: 1, ifname: 'lo', addr_info: [{ family: 'inet', local: TWO, prefixlen: 32 }] }],
          },
        },
      });
    expect(await askInside(new Capture()).findings({ select: ['vxlan/vni-mismatch'], context: two(8472) })).toEqual([]);
  });

  it('lets no endpoint owe an answer for a host behind another, nor where connections inside go on', async () => {
    const only = { select: ['vxlan/one-way'] };
    const context = endpoints([{ name: 'two', address: TWO }]);
    expect((await askInside(new Capture()).findings({ ...only, context })).length).toBe(1);
    const asked = new Capture();
    for (let i = 0; i < 4; i++) tunnelled(asked.at(1 + i), arpRequest(A, HERE.ip, THERE.ip), { from: ONE, to: THREE });
    expect(await asked.findings({ ...only, context: fabric([]) })).toEqual([]);
  });
});
