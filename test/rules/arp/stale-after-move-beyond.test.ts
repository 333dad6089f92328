import { describe, expect, it } from 'vitest';
import type { Host } from '../../support/icmp.js';
import { echo } from '../../support/ping.js';
import { ACK, SYN, tcp } from '../../support/tcp.js';
import { advert } from '../../support/vrrp.js';
import { Capture, inShort } from '../../support/wire.js';

const CLIENT: Host = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const SERVER = '203.0.113.5';
const VIRTUAL = '10.0.0.100';
/** The MACs of `advert`: the last byte of the router's address. */
const R1 = { mac: '02:00:00:00:00:11', ip: '10.0.0.11' };
const R2 = { mac: '02:00:00:00:00:12', ip: '10.0.0.12' };
const by = ({ mac }: { mac: string }): Host => ({ mac, ip: SERVER });

interface How {
  /** What the client sends through the gateway each second. */
  sends?: (capture: Capture, second: number) => void;
  begin?: (capture: Capture) => void;
  /** Second from which it sends to R2. */
  learnt?: number;
  /** R1 goes on as master of another group. */
  other?: boolean;
  until?: number;
}

/** R1 is master for 5 s and dies; R2 is from 9 s on. The client speaks to a server beyond. */
function failover({ sends = upload(), begin, other = false, until = 24 }: How = {}): Capture {
  const capture = new Capture();
  begin?.(capture);
  for (let second = 1; second <= until; second++) {
    if (second <= 5) advert(capture.at(second), R1.ip);
    if (other) advert(capture.at(second + 0.05), R1.ip, { id: 7, address: '10.0.0.200' });
    if (second >= 9) advert(capture.at(second + 0.1), R2.ip);
    sends(capture, second);
  }
  return capture;
}

interface Upload {
  /** Second of the last acknowledgment by R1, and of the first by R2. */
  acked?: number;
  healed?: number;
  /** Router that the client sends to once it is healed. */
  router?: { mac: string };
}

/** A connection that is up; a second without acknowledgment is one in which the last segment is sent again. */
function upload({ acked = 5, healed = 99, router = R2 }: Upload = {}) {
  let seq = 1001;
  return (capture: Capture, second: number) => {
    if (second === 1) {
      tcp(capture.at(second + 0.2), CLIENT, by(R1), SYN);
      tcp(capture, by(R1), CLIENT, SYN | ACK, { seq: 5000, ack: 1001, sport: 80, dport: 40000 });
      tcp(capture, CLIENT, by(R1), ACK, { seq: 1001, ack: 5001, id: 2 });
      return;
    }
    const isHealed = second >= healed;
    const isAcked = isHealed || second <= acked;
    tcp(capture.at(second + 0.2), CLIENT, by(isHealed ? router : R1), ACK, {
      seq,
      ack: 5001,
      length: 100,
      id: second + 2,
    });
    if (!isAcked) return;
    seq += 100;
    tcp(capture.at(second + 0.21), by(R2), CLIENT, ACK, { seq: 5001, ack: seq, sport: 80, dport: 40000, id: second });
  };
}

const pings =
  (to: string) =>
  (capture: Capture, second: number): void => {
    echo(capture.at(second + 0.2), CLIENT, { mac: R1.mac, ip: to }, { sequence: second });
  };

const stale = async (capture: Capture) =>
  (await capture.findings()).filter(({ rule }) => rule === 'arp/stale-after-move');

describe('arp/stale-after-move of what goes through a virtual router', () => {
  it('tells of a connection that still goes through the former master, and takes in its repetitions', async () => {
    const [finding, ...others] = (await failover().findings()).filter(
      ({ rule }) => rule !== 'capture/offload-checksums',
    );
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: 'arp/stale-after-move',
      confidence: 'likely',
      title: '10.0.0.12 is master of 10.0.0.100 now, and 10.0.0.1 still sends to 10.0.0.11',
      subject: { ip: VIRTUAL, mac: R1.mac, newMac: R2.mac, sender: CLIENT.ip, former: R1.ip },
    });
    expect(finding.summary).toContain('TCP segments to 203.0.113.5:80, sent again and again');
    expect(finding.explains.map(({ rule }) => rule)).toContain('tcp/retransmissions');
  });

  it('tells of SYNs that nobody answers', async () => {
    const dial = (capture: Capture, second: number) => {
      if (second > 9) tcp(capture.at(second + 0.2), CLIENT, by(R1), SYN, { id: second });
    };
    const [finding] = await stale(failover({ sends: dial }));
    expect(finding).toMatchObject({ confidence: 'likely' });
    expect(finding.explains.map(({ rule }) => rule)).toContain('tcp/syn-unanswered');
  });

  it('only hints by pings: the former master may pass them on', async () => {
    expect(inShort(await stale(failover({ sends: pings(SERVER) }))).map(([, confidence]) => confidence)).toEqual([
      'hint',
    ]);
  });

  it('keeps still where the client learns of it', async () => {
    for (const healed of [10, 12, 15, 20, 24]) expect(await stale(failover({ sends: upload({ healed }) }))).toEqual([]);
  });

  it('keeps still where the former master passes packets on', async () => {
    expect(await stale(failover({ sends: upload({ acked: 99 }) }))).toEqual([]);
    expect(await stale(failover({ sends: upload({ healed: 12, router: R1 }) }))).toEqual([]);
    // The answers pass elsewhere, and nothing shows that they lack.
    const oneWay = (capture: Capture, second: number) =>
      tcp(capture.at(second + 0.2), CLIENT, by(R1), ACK, {
        seq: 1001 + second,
        ack: 5001 + second,
        length: 1,
        id: second,
      });
    expect(await stale(failover({ sends: oneWay }))).toEqual([]);
  });

  it('keeps still where the router is master of another group, or the client goes by its own address', async () => {
    expect(await stale(failover({ other: true }))).toEqual([]);
    const begin = (capture: Capture) =>
      capture.ask(CLIENT.mac, CLIENT.ip, R1.ip).answer(R1.mac, R1.ip, CLIENT.mac, CLIENT.ip);
    expect(await stale(failover({ begin }))).toEqual([]);
    const asks = (capture: Capture) => begin(capture).ask(CLIENT.mac, CLIENT.ip, VIRTUAL);
    expect(await stale(failover({ begin: asks }))).toHaveLength(1);
    expect(await stale(failover({ sends: pings(R1.ip) }))).toEqual([]);
  });
});
