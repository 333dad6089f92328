import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const TAGGED = { vlan: 100 };

const mismatches = async (capture: Capture, options = {}) =>
  inShort((await capture.findings(options)).filter(({ rule }) => rule === 'vlan/native-mismatch'));

/** A asks for B `times` times, tagged or not, and B answers the other way. */
function crossed(times: number, isAskedTagged: boolean): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++)
    capture
      .at(1 + 1.02 * i)
      .ask(A, '10.0.0.1', '10.0.0.2', isAskedTagged ? TAGGED : {})
      .answer(B, '10.0.0.2', A, '10.0.0.1', isAskedTagged ? {} : TAGGED);
  return capture;
}

/** A host with eth1.100 on eth1. `addresses` are those of eth1 and of eth1.100. */
const host = (onTrunk: string[], onVlan: string[]) =>
  parseContext({
    namespaces: {
      node: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth1', flags: ['UP'], address: '02:00:00:00:00:0a', linkinfo: {} },
          {
            ifindex: 3,
            ifname: 'eth1.100',
            link: 'eth1',
            flags: ['UP'],
            address: '02:00:00:00:00:0a',
            linkinfo: { info_kind: 'vlan', info_data: { id: 100 } },
          },
        ],
        'ip -j addr': [
          { ifindex: 2, ifname: 'eth1', addr_info: onTrunk.map((local) => ({ local, prefixlen: 24 })) },
          { ifindex: 3, ifname: 'eth1.100', addr_info: onVlan.map((local) => ({ local, prefixlen: 24 })) },
        ],
      },
    },
  });
const vantage = { namespace: 'node', interface: 'eth1' };

describe('vlan/native-mismatch', () => {
  it.each([true, false])('is certain where request and answer differ by a tag (asked tagged: %s)', async (isTagged) => {
    const [finding, ...others] = await crossed(3, isTagged).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vlan/native-mismatch', severity: 'warning', confidence: 'certain' });
    expect(finding.subject).toMatchObject({ vlan: 100 });
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['arp/reply-not-accepted', 'arp/unanswered']);
  });

  it('is a hint after two requests', async () => {
    expect(await mismatches(crossed(2, true))).toEqual([['vlan/native-mismatch', 'hint', [1, 2, 3, 4]]]);
  });

  it('keeps still where the host does not ask again: the capture lost the tag of what comes in', async () => {
    expect(await mismatches(crossed(1, true))).toEqual([]);
  });

  it('keeps still over a priority tag, which is no VLAN', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2').answer(B, '10.0.0.2', A, '10.0.0.1', { vlan: 0 });
    expect(await mismatches(capture)).toEqual([]);
  });

  it('is likely where the two look for each other, one tagged and one not', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2').ask(B, '10.0.0.2', '10.0.0.1', TAGGED);
    expect(await mismatches(capture)).toEqual([['vlan/native-mismatch', 'likely', [1, 2, 3, 4, 5, 6]]]);
  });

  it('is certain where the target is known to sit behind the tag', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    const options = { context: host([], ['10.0.0.2']), vantage };
    expect(await mismatches(capture, options)).toEqual([['vlan/native-mismatch', 'certain', [1, 2, 3]]]);
  });

  it('keeps still where the target is on the trunk device itself', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    expect(await mismatches(capture, { context: host(['10.0.0.2'], []), vantage })).toEqual([]);
  });

  it('keeps still over untagged requests for nobody known: a native VLAN of others is flooded here too', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    expect(await mismatches(capture, { context: host([], ['10.9.0.2']), vantage })).toEqual([]);
  });
});
