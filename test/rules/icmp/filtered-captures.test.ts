import { describe, expect, it } from 'vitest';
import { arpRequest, BROADCAST, CookedCapture, OTHER, OUTGOING } from '../../support/cooked.js';
import { HOST, type Host, PEER } from '../../support/icmp.js';
import { echo, ping } from '../../support/ping.js';
import { Capture, findingsOf, inShort, ip, mac, u16 } from '../../support/wire.js';

const ALL = 'ff:ff:ff:ff:ff:ff';
const only = { select: ['icmp/echo-unanswered'] };
const THIRD: Host = { mac: '02:00:00:00:00:03', ip: '10.0.0.3' };
const said = async (capture: Capture) => inShort(await capture.findings(only)).map(([, confidence]) => confidence);

describe('icmp/echo-unanswered in a capture with the filter `dst host`', () => {
  it('only hints where several hosts ping one, and nothing else is there', async () => {
    const pings = () => {
      const capture = ping(new Capture(), 3, { from: HOST, to: PEER });
      return ping(capture, 3, { from: THIRD, to: PEER, id: 9 }).at(4).ask(HOST.mac, HOST.ip, PEER.ip);
    };
    expect(await said(pings())).toEqual(['hint', 'hint']);
    // It is heard, or the two have to do with others too.
    expect(await said(pings().at(5).ask(PEER.mac, PEER.ip, '10.0.0.9'))).toEqual(['likely', 'likely']);
    expect(await said(pings().at(5).ask(HOST.mac, HOST.ip, '10.0.0.9'))).toEqual(['likely', 'likely']);
  });

  it('only hints where several machines are written to and never heard, as a mirror of some ports, one way, shows it', async () => {
    const pings = () => ping(new Capture(), 3, { from: HOST, to: PEER }).at(5).ask(THIRD.mac, THIRD.ip, '10.0.0.9');
    const other = { from: HOST.mac, to: '02:00:00:00:00:44', source: HOST.ip, destination: '10.0.0.44', protocol: 6 };
    expect(await said(pings())).toEqual(['likely']);
    expect(await said(pings().ipv4(other))).toEqual(['hint']);
    expect(await said(pings().ipv4(other).ask('02:00:00:00:00:44', '10.0.0.44', '10.0.0.9'))).toEqual(['likely']);
    expect(await said(pings().ipv4(other).ask(PEER.mac, PEER.ip, '10.0.0.9'))).toEqual(['likely']);
  });

  it('only hints where the target gets replies to pings that are not there', async () => {
    const capture = ping(new Capture(), 3, { from: HOST, to: PEER });
    for (const sequence of [1, 2, 3]) echo(capture.at(sequence + 0.5), THIRD, PEER, { id: 11, sequence, reply: true });
    expect(await said(capture)).toEqual(['hint']);
  });

  it('only hints, in cooked captures too, where the pinging host asked for the target once and knew it', async () => {
    const told = async (questions: number) => {
      const capture = new CookedCapture();
      const head = [...mac(PEER.mac), ...mac(HOST.mac), 8, 0];
      for (let i = 0; i < questions; i++)
        capture.frame(0.2 * i, 3, BROADCAST, arpRequest(HOST.mac, ALL, ip(HOST.ip), ip(PEER.ip)));
      // Others come in there too.
      for (let sequence = 1; sequence <= 4; sequence++) {
        const message = [8, 0, 0, 0, 0, 7, ...u16(sequence)];
        const header = [0x45, 0, ...u16(28), ...u16(sequence), 0, 0, 64, 1, 0, 0, ...ip(HOST.ip), ...ip(PEER.ip)];
        capture.frame(sequence, 3, OTHER, [...head, ...header, ...message]);
        capture.frame(
          sequence + 0.3,
          3,
          BROADCAST,
          arpRequest(THIRD.mac, ALL, ip(THIRD.ip), ip(`10.0.0.${20 + sequence}`)),
        );
        capture.frame(
          sequence + 0.5,
          4,
          OUTGOING,
          arpRequest(THIRD.mac, ALL, ip(THIRD.ip), ip(`10.0.0.${20 + sequence}`)),
        );
      }
      return (await findingsOf(capture.file(), only)).map(({ confidence }) => confidence);
    };
    expect(await told(1)).toEqual(['hint']);
    expect(await told(0)).toEqual(['likely']);
    // So it probes a neighbour that died.
    expect(await told(3)).toEqual(['likely']);
  });
});
