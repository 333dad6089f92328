import { describe, expect, it } from 'vitest';
import { Capture, ip, mac, u16 } from '../../support/wire.js';

const A = '02:00:00:00:00:01';

/** who-has 10.0.0.2 tell 10.0.0.1, as Ethernet frame. */
const REQUEST = [
  ...mac('ff:ff:ff:ff:ff:ff'),
  ...mac(A),
  ...[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
  ...mac(A),
  ...ip('10.0.0.1'),
  ...[0, 0, 0, 0, 0, 0],
  ...ip('10.0.0.2'),
];
const type2 = (session: number) => [0x10, 0, ...u16(session), 0, 0, 0, 0];
const type3 = (session: number, hasSubheader: boolean) => [
  ...[0x20, 0, ...u16(session), 0, 0, 0, 0, 0, 0, 0, hasSubheader ? 1 : 0],
  ...new Array(hasSubheader ? 8 : 0).fill(0),
];

/** GRE of this protocol, with a sequence number, from 10.255.0.1 to 10.255.0.9. */
const gre = (capture: Capture, protocol: number, payload: readonly number[]) =>
  capture.ipv4({
    from: '02:00:00:00:0f:01',
    to: '02:00:00:00:0f:02',
    source: '10.255.0.1',
    destination: '10.255.0.9',
    protocol: 47,
    payload: [0x10, 0, ...u16(protocol), 0, 0, 0, 1, ...payload],
  });

const findings = async (capture: Capture) =>
  (await capture.findings()).filter(({ rule }) => rule === 'capture/mirrored');

describe('capture/mirrored', () => {
  it.each([
    ['II', 0x88be, type2(7)],
    ['III', 0x22eb, type3(7, false)],
    ['III with subheader', 0x22eb, type3(7, true)],
  ])('tells ERSPAN type %s, and who sends it to whom', async (_, protocol, header) => {
    const [finding, ...others] = await findings(gre(new Capture(), protocol, [...header, ...REQUEST]));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'info',
      confidence: 'certain',
      count: 1,
      subject: { session: 7, from: '10.255.0.1', to: '10.255.0.9' },
    });
  });

  it('diagnoses what is inside', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04]) gre(capture.at(time), 0x88be, [...type2(7), ...REQUEST]);
    expect((await capture.findings()).map(({ rule }) => rule)).toEqual(['arp/unanswered', 'capture/mirrored']);
  });

  it('keeps sessions apart, and what is inside from what is outside', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04]) gre(capture.at(time), 0x88be, [...type2(1), ...REQUEST]);
    gre(capture.at(3.05), 0x88be, [...type2(2), ...REQUEST]);
    capture.answer('02:00:00:00:00:02', '10.0.0.2', A, '10.0.0.1');
    expect((await capture.findings()).map(({ rule }) => rule)).toEqual([
      'arp/unanswered',
      'capture/mirrored',
      'capture/mirrored',
    ]);
  });

  it('keeps still over Ethernet in GRE, and over a version that ERSPAN does not have', async () => {
    expect(await findings(gre(new Capture(), 0x6558, REQUEST))).toEqual([]);
    expect(await findings(gre(new Capture(), 0x88be, [0x30, 0, 0, 7, 0, 0, 0, 0, ...REQUEST]))).toEqual([]);
    expect(await findings(gre(new Capture(), 0x88be, [0x10, 0, 0]))).toEqual([]);
  });
});
