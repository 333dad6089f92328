import { describe, expect, it } from 'vitest';
import { FAR, HOST, ROUTER } from '../../support/icmp.js';
import { echo, error } from '../../support/ping.js';
import { Capture, u16 } from '../../support/wire.js';

const only = { select: ['icmp/unreachable'] };
const told = async (capture: Capture) =>
  (await capture.findings(only)).map(({ severity, confidence }) => `${severity} ${confidence}`);

describe('icmp/unreachable of what may be meant so', () => {
  it('only hints where the capture cut off the ports: traceroute goes to closed ones', async () => {
    const refused = () => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++)
        error(capture.at(i), FAR, HOST, FAR, {
          type: 3,
          code: 3,
          protocol: 17,
          payload: [...u16(40000), ...u16(53), 0, 8, 0, 0],
        });
      return capture;
    };
    expect(await told(refused())).toEqual(['warning certain']);
    expect(await told(refused().cut(62))).toEqual(['warning hint']);
  });

  it('only hints at a single ping: DHCP servers try out addresses with one', async () => {
    const pinged = (times: number) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) {
        echo(capture.at(4 * i), HOST, FAR, { sequence: i });
        error(capture.at(4 * i + 3), ROUTER, HOST, FAR, { type: 3, code: 1 });
      }
      return told(capture);
    };
    expect(await pinged(1)).toEqual(['warning hint']);
    expect(await pinged(2)).toEqual(['warning certain']);
  });

  it('has nothing to cure where a ping that was refused is answered seconds later: the route was being learnt', async () => {
    const refusedUntil = (second: number) => {
      const capture = new Capture();
      for (let sequence = 1; sequence <= 8; sequence++) {
        echo(capture.at(sequence), HOST, FAR, { sequence });
        const payload = [8, 0, 0, 0, ...u16(7), ...u16(sequence)];
        if (sequence <= second) error(capture.at(sequence + 0.01), ROUTER, HOST, FAR, { type: 3, code: 0, payload });
        else echo(capture.at(sequence + 0.02), FAR, HOST, { sequence, reply: true });
      }
      return capture.findings(only);
    };
    const [over] = await refusedUntil(4);
    expect(over.caveats).toEqual(['it is refused no more: it passed']);
    expect(over.remedy.map(({ commands }) => commands)).toEqual([['ip -timestamp monitor link route']]);
    for (const second of [5, 8]) {
      const [finding] = await refusedUntil(second);
      expect(finding.caveats).toEqual([]);
      expect(JSON.stringify(finding.remedy)).toContain('ip route replace');
    }
  });
});
