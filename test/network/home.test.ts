import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type AnalyzeOptions, Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import { formatMacKey } from '../../src/network/context/address.js';
import { ownMacs } from '../../src/network/context/own-macs.js';
import { parseContext } from '../../src/network/context/parse.js';
import { bridged, H1 } from '../support/bridge.js';
import { Capture, type Way } from '../support/wire.js';
import { link } from './context/host.js';

const context = bridged({ isolated: true }, { isolated: true });
const CERTAIN = 'bridge/port-isolated certain';
const OTHER = '02:00:00:00:00:99';

async function told(captures: readonly Capture[], options: AnalyzeOptions = {}) {
  const analyzer = new Analyzer({ context, several: true, ...options });
  for (const capture of captures)
    await analyzer.read(await openCapture('-', { stdin: Readable.from([capture.file()]) }));
  return analyzer.analysis();
}
const rules = async (captures: readonly Capture[], options: AnalyzeOptions = {}) =>
  (await told(captures, options)).findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, confidence, segment }) => `${segment.capture} ${rule} ${confidence}`)
    .sort();

/** The addresses of the context, asked for from its MAC or another. */
const asks = (way?: Way, from = H1) => new Capture().askAgain(3, from, '10.0.0.1', '10.0.0.2', way);

describe('of several captures a host is asked about', () => {
  it('those that show it by a MAC, and one alone in any case', async () => {
    expect(await rules([asks(), asks({}, OTHER).at(9).ask(OTHER, '10.0.0.1', '10.0.0.2')])).toEqual([
      `0 ${CERTAIN}`,
      '1 arp/unanswered likely',
    ]);
    expect(await rules([asks({ direction: 'in' })], { several: false })).toEqual([`0 ${CERTAIN}`]);
  });

  it('those that it sends in, where the file keeps directions: whom others only hear is elsewhere', async () => {
    expect(await rules([asks({ direction: 'out' })])).toEqual([`0 ${CERTAIN}`]);
    expect(await rules([asks({ direction: 'in' })])).toEqual(['0 arp/unanswered likely']);
  });

  it('and not the second because of the first, nor the other way round', async () => {
    const elsewhere = asks({ direction: 'in' });
    expect(await rules([asks({ direction: 'out' }), elsewhere])).toContain(`0 ${CERTAIN}`);
    const stations = async (captures: readonly Capture[]) =>
      (await told(captures)).topology.stations.map(({ segment, device }) => [segment.capture, device]);
    const here: unknown = [0, 'eth0 in h1'];
    expect(await stations([asks({ direction: 'out' }), elsewhere])).toEqual(expect.arrayContaining([here, [1, null]]));
  });

  it('by MACs that no other host has: not those made of an address, nor those of routers that take turns', () => {
    const rows = [
      link(2, 'a', { mac: '02:42:ac:11:00:02' }),
      link(3, 'b', { mac: '02:42:7c:01:02:03' }),
      link(4, 'c', { mac: 'ee:ee:ee:ee:ee:ee' }),
      link(5, 'd', { mac: '00:00:5e:00:01:0a' }),
    ];
    const address = (ifname: string, local: string) => ({ ifname, addr_info: [{ local, prefixlen: 16 }] });
    const host = parseContext({
      namespaces: {
        host: { 'ip -d -j link': rows, 'ip -j addr': [address('a', '172.17.0.2'), address('b', '172.17.0.1')] },
      },
    });
    expect([...ownMacs(host)].map(formatMacKey)).toEqual(['02:42:7c:01:02:03']);
  });
});
