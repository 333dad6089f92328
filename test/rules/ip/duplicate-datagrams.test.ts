import { describe, expect, it } from 'vitest';
import { FAR, HOST, type Host, meet, PEER, ROUTER } from '../../support/icmp.js';
import { icmp } from '../../support/ping.js';
import { Capture, inShort, u16, type Way } from '../../support/wire.js';

const RULE = 'ip/duplicate-datagrams';
const find = (capture: Capture) => capture.findings({ select: [RULE] });
const sureness = async (capture: Capture) => (await find(capture)).map(({ confidence }) => confidence);

interface Message {
  sequence?: number;
  /** IP identification. */
  id?: number;
  way?: Way;
  from?: Host;
  to?: Host;
}

function message(capture: Capture, type: number, { sequence = 1, id = 1, way, from = HOST, to = PEER }: Message) {
  return icmp(capture, from, to, [type, 0, 0, 0, 0, 7, ...u16(sequence), 1, 2, 3, 4], { id, ...(way ? { way } : {}) });
}
const request = (capture: Capture, options: Message = {}) => message(capture, 8, options);
const reply = (capture: Capture, { from = PEER, to = HOST, ...options }: Message = {}) =>
  message(capture, 0, { ...options, from, to });

/** Requests a second apart, each with two replies that carry the given identifications. */
function doubled(
  times: number,
  {
    ids = [100, 101],
    gap = 0.001,
    at = 1,
    to = PEER,
    way,
  }: { ids?: number[]; gap?: number; at?: number; to?: Host; way?: Way } = {},
  capture = meet(new Capture(), HOST, PEER),
): Capture {
  const more = way ? { way } : {};
  for (let sequence = 1; sequence <= times; sequence++) {
    const time = at + sequence;
    request(capture.at(time), { sequence, id: sequence, to, ...more });
    ids.forEach((id, i) => {
      reply(capture.at(time + 0.001 + i * gap), { sequence, id: id === 0 ? 0 : id + 10 * sequence, from: to, ...more });
    });
  }
  return capture;
}

describe(`${RULE}, requests answered twice`, () => {
  it('is certain where a neighbour makes two replies', async () => {
    const [finding] = await find(doubled(2));
    expect(inShort([finding])).toEqual([[RULE, 'certain', [3, 4, 5, 6, 7, 8]]]);
    expect(finding.subject).toEqual({ source: HOST.ip, destination: PEER.ip });
    expect(finding.count).toBe(2);
  });

  it('is likely where the target is behind a router', async () => {
    expect(await sureness(doubled(2, { to: FAR }))).toEqual(['likely']);
  });

  it('needs two such requests', async () => {
    expect(await find(doubled(1))).toEqual([]);
    const one = { [RULE]: { requests: 1 } };
    expect((await doubled(1).findings({ select: [RULE], thresholds: one })).length).toBe(1);
  });

  it('keeps still about replies with one identification, or none', async () => {
    expect(await find(doubled(3, { ids: [100] }))).toEqual([]);
    expect(await find(doubled(3, { ids: [100, 100] }))).toEqual([]);
    expect(await find(doubled(3, { ids: [0, 100] }))).toEqual([]);
    expect(await find(doubled(3, { ids: [100, 0] }))).toEqual([]);
  });

  it('keeps still about replies of two stations', async () => {
    const capture = doubled(3, { ids: [100] });
    for (const sequence of [1, 2, 3])
      reply(capture.at(10 + sequence), { sequence, id: 200, from: { mac: ROUTER.mac, ip: PEER.ip } });
    expect(await find(capture)).toEqual([]);
    const both = meet(new Capture(), HOST, PEER);
    for (const sequence of [1, 2, 3]) {
      request(both.at(sequence), { sequence, id: sequence });
      reply(both, { sequence, id: 100 + sequence });
      reply(both.at(sequence + 0.001), { sequence, id: 200 + sequence, from: { mac: ROUTER.mac, ip: PEER.ip } });
    }
    expect(await find(both)).toEqual([]);
  });

  it('keeps still where the second reply comes late, or was asked for again', async () => {
    expect(await find(doubled(1, { gap: 1.1 }))).toEqual([]);
    const again = meet(new Capture(), HOST, PEER);
    for (const sequence of [1, 2, 3]) {
      for (const id of [1, 2]) request(again.at(sequence + id / 1000), { sequence, id: 10 * sequence + id });
      for (const id of [3, 4]) reply(again.at(sequence + id / 1000), { sequence, id: 10 * sequence + id });
    }
    expect(await find(again)).toEqual([]);
  });

  it('does not mind that the request passes twice, as a copy', async () => {
    const capture = meet(new Capture(), HOST, PEER);
    for (const sequence of [1, 2]) {
      request(capture.at(sequence), { sequence, id: sequence });
      request(capture.at(sequence + 0.0001), { sequence, id: sequence });
      for (const id of [3, 4]) reply(capture.at(sequence + id / 1000), { sequence, id: 10 * sequence + id });
    }
    expect(await sureness(capture)).toEqual(['certain']);
  });

  it('is one finding for two hosts, and one in each VLAN', async () => {
    expect((await find(doubled(4, { at: 20 }, doubled(2)))).length).toBe(1);
    expect((await find(doubled(2, { at: 20, way: { vlan: 5 } }, doubled(2)))).length).toBe(2);
    expect((await find(doubled(1, { at: 20, way: { vlan: 5 } }, doubled(1)))).length).toBe(0);
    expect((await find(doubled(2, { way: { vni: 9 } }))).length).toBe(1);
  });
});

describe(`${RULE}, frames that come in twice`, () => {
  const IN: Way = { direction: 'in' };
  const OUT: Way = { direction: 'out' };

  /** HOST sends; `times` requests of PEER come in twice, `gap` seconds apart. */
  function twice(times: number, { gap = 0.0003, id = 50, way = IN, to = HOST, again = 1 } = {}): Capture {
    const capture = new Capture().ask(HOST.mac, HOST.ip, PEER.ip, OUT);
    for (let i = 0; i < times; i++)
      for (let copy = 0; copy <= again; copy++)
        request(capture.at(1 + i + copy * gap), { sequence: i, id: id === 0 ? 0 : id + i, from: PEER, to, way });
    return capture;
  }

  it('is likely where three frames for this machine come in twice', async () => {
    const [finding] = await find(twice(3));
    expect(inShort([finding])).toEqual([[RULE, 'likely', [2, 3, 4, 5, 6, 7]]]);
    expect(await find(twice(2))).toEqual([]);
  });

  it('keeps still where the second comes later, or directions are not known', async () => {
    expect((await find(twice(3, { gap: 0.00099 }))).length).toBe(1);
    expect(await find(twice(3, { gap: 0.0011 }))).toEqual([]);
    expect(await find(twice(3, { way: {} }))).toEqual([]);
  });

  it('keeps still about datagrams without identification, and about frames for others', async () => {
    expect(await find(twice(3, { id: 0 }))).toEqual([]);
    expect(await find(twice(3, { to: ROUTER }))).toEqual([]);
  });

  it('keeps still where the machine sends nothing, or what it sends is doubled too', async () => {
    const capture = new Capture();
    for (let i = 0; i < 4; i++)
      for (const gap of [0, 0.0002]) capture.at(i + gap).ask(PEER.mac, PEER.ip, `10.0.0.${50 + i}`, IN);
    expect(await find(capture)).toEqual([]);
    const both = twice(3).at(20);
    for (const gap of [0, 0.0002]) request(both.at(20 + gap), { id: 9, way: OUT });
    expect(await find(both)).toEqual([]);
  });

  it('counts ARP questions, and no announcements or replies', async () => {
    const asks = new Capture().ask(HOST.mac, HOST.ip, PEER.ip, OUT);
    const announces = new Capture().ask(HOST.mac, HOST.ip, PEER.ip, OUT);
    const answers = new Capture().ask(HOST.mac, HOST.ip, PEER.ip, OUT);
    for (let i = 1; i < 4; i++)
      for (const gap of [0, 0.0002]) {
        asks.at(i + gap).ask(PEER.mac, PEER.ip, HOST.ip, IN);
        announces.at(i + gap).ask(PEER.mac, PEER.ip, PEER.ip, IN);
        answers.at(i + gap).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, IN);
      }
    expect(await sureness(asks)).toEqual(['likely']);
    expect(await find(announces)).toEqual([]);
    expect(await find(answers)).toEqual([]);
  });

  it('leaves a loop and a reflective relay to others', async () => {
    expect(await find(twice(4, { again: 5, gap: 0.0001 }))).toEqual([]);
    const relay = new Capture();
    for (let i = 0; i < 4; i++) {
      request(relay.at(i), { sequence: i, id: 10 + i, way: OUT });
      request(relay.at(i + 0.0002), { sequence: i, id: 10 + i, way: IN });
    }
    expect(await find(relay)).toEqual([]);
  });

  it('explains the pings that were answered twice for it', async () => {
    const capture = meet(new Capture().ask(HOST.mac, HOST.ip, PEER.ip, OUT), PEER, HOST);
    for (let i = 1; i < 4; i++) {
      for (const gap of [0, 0.0002])
        request(capture.at(i + gap), { sequence: i, id: 10 + i, from: PEER, to: HOST, way: IN });
      for (const id of [1, 2])
        reply(capture.at(i + id / 100), { sequence: i, id: 10 * i + id, from: HOST, to: PEER, way: OUT });
    }
    const findings = await find(capture);
    expect(findings.map(({ confidence }) => confidence)).toEqual(['likely']);
    expect(findings[0].explains.map(({ rule }) => rule)).toEqual([RULE]);
  });
});
