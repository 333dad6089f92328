import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { arpRequest, BROADCAST, CookedCapture, HOST, OUTGOING } from '../../support/cooked.js';
import { root } from '../../support/fixtures.js';
import { ONE, PARENT } from '../../support/siblings.js';
import { Capture, findingsOf } from '../../support/wire.js';

const RULE = 'macvlan/foreign-mac-behind-child';
const INNER = '4a:76:23:1b:74:3e';
const recorded = JSON.parse(
  readFileSync(join(root, 'fixtures/rules/macvlan/foreign-mac-behind-child/at-child/context.json'), 'utf8'),
);
/** The recorded host, its child in another mode. */
const context = (mode = 'bridge') =>
  parseContext(JSON.parse(JSON.stringify(recorded).replaceAll('"mode":"bridge"', `"mode":"${mode}"`)));
const asks = (from = INNER, times = 3) => new Capture().askAgain(times, from, '10.7.0.50', '10.7.0.1');
const AT_CHILD = { namespace: 'ns', interface: 'macvlan1' };
const rules = async (capture = asks(), mode = 'bridge', vantage: typeof AT_CHILD | undefined = AT_CHILD) =>
  (await capture.findings({ context: context(mode), ...(vantage ? { vantage } : {}) })).map(
    ({ rule, confidence }) => `${rule} ${confidence}`,
  );

describe('macvlan/foreign-mac-behind-child', () => {
  it('is likely of what sits behind the bridge, wherever it was captured', async () => {
    expect(await rules()).toEqual([`${RULE} likely`]);
    expect(await rules(asks(), 'bridge', { namespace: 'inner', interface: 'eth0' })).toEqual([`${RULE} likely`]);
  });

  it('keeps still in mode passthru, after two requests, and when answered', async () => {
    expect(await rules(asks(), 'passthru')).not.toContain(`${RULE} likely`);
    expect(await rules(asks(INNER, 2))).not.toContain(`${RULE} likely`);
    expect(await rules(asks().answer(PARENT, '10.7.0.1', INNER, '10.7.0.50'))).toEqual([]);
  });

  it('keeps still about others that are heard on the child, and without a context', async () => {
    expect(await rules(asks(ONE))).not.toContain(`${RULE} likely`);
    expect((await asks().findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });

  it('offers nothing that the kernel refuses or that takes the parent’s own address from it', async () => {
    const [{ remedy }] = await asks().findings({ context: context(), vantage: AT_CHILD });
    expect(remedy.map(({ text }) => text).join()).not.toContain('passthru');
    expect(remedy.flatMap(({ commands }) => commands).join()).not.toMatch(/master br0|<parent>/);
  });

  describe('at a macvtap, in a capture of all devices', () => {
    const TAP = '02:16:3e:00:00:01';
    const machine = (mode = 'bridge') => ({
      'ip -d -j link': [
        { ifindex: 2, ifname: 'eno1', address: PARENT, flags: ['UP'] },
        {
          ...{ ifindex: 7, ifname: 'vtap0', link: 'eno1', link_index: 2, address: TAP, flags: ['UP'] },
          linkinfo: { info_kind: 'macvtap', info_data: { mode } },
        },
      ],
    });
    const heard = async (from: string, device: number, type: number, mode?: string) => {
      const capture = new CookedCapture();
      for (let i = 0; i < 3; i++)
        capture.frame(i * 1.02, device, type, arpRequest(from, 'ff:ff:ff:ff:ff:ff', [10, 7, 0, 50], [10, 7, 0, 1]));
      capture.frame(9, 2, HOST, arpRequest(PARENT, ONE, [10, 7, 0, 9], [10, 7, 0, 8]));
      const options = {
        context: parseContext({ namespaces: { host: machine(mode) } }),
        select: [RULE],
        vantage: { namespace: 'host', interface: 'any' },
      };
      return findingsOf(capture.file(), options);
    };

    it('knows the child by its number, and gives it the MAC of its guest', async () => {
      const [finding] = await heard(INNER, 7, OUTGOING);
      expect(finding).toMatchObject({ confidence: 'likely', title: expect.stringContaining('behind vtap0 in host') });
      expect(finding.remedy[0].commands).toEqual([`ip link set dev vtap0 address ${INNER}`]);
      expect(finding.remedy[1].commands).toEqual([
        'ip link del vtap0',
        'ip link add vtap0 link eno1 type macvtap mode passthru',
        'ip link set vtap0 up',
      ]);
    });

    it('keeps still about its own MAC, what comes in, other devices, and modes', async () => {
      expect(await heard(TAP, 7, OUTGOING)).toEqual([]);
      expect(await heard(INNER, 7, BROADCAST)).toEqual([]);
      expect(await heard(INNER, 2, OUTGOING)).toEqual([]);
      expect(await heard(INNER, 7, OUTGOING, 'passthru')).toEqual([]);
    });
  });
});
