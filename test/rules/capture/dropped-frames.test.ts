import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, acknowledge, data, FIN, handshake, SYN, synAck, tcp } from '../../support/tcp.js';
import { advert } from '../../support/vrrp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const capture = (dropped: number | null) => {
  const made = new Capture().ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2');
  made.dropped = dropped;
  return made;
};

describe('capture/dropped-frames', () => {
  it('warns when the file counts drops', async () => {
    const findings = await capture(7).findings();
    expect(inShort(findings)).toEqual([['capture/dropped-frames', 'certain', []]]);
    expect([findings[0].severity, findings[0].count]).toEqual(['warning', 7]);
  });

  it.each([0, null])('keeps still when it counts %s', async (dropped) => {
    expect(await capture(dropped).findings()).toEqual([]);
  });
});

const only = { select: ['capture/dropped-frames'] };

/** Data of PEER in `segments` of 1000 octets, each acknowledged; those that `lost` names are not in the capture. */
function transfer(lost: readonly number[], segments = 8, way?: Way): Capture {
  const capture = handshake(new Capture(), { way });
  for (let i = 0; i < segments; i++) {
    if (!lost.includes(i)) data(capture.at(i + 0.01), i * 1000, 1000, { id: i + 1, way });
    acknowledge(capture.at(i + 0.02), (i + 1) * 1000, { way });
  }
  return capture;
}

describe('capture/dropped-frames from what is acknowledged', () => {
  it('is likely from three gaps on', async () => {
    expect(inShort(await transfer([1, 3, 5]).findings(only))).toEqual([
      ['capture/dropped-frames', 'likely', [6, 9, 12]],
    ]);
    expect(await transfer([1, 3]).findings(only)).toEqual([]);
    expect(await transfer([]).findings(only)).toEqual([]);
  });

  it('keeps silent of one gap of each connection where another router was master meanwhile', async () => {
    const detour = (isTakenOver: boolean, lost = [3, 4]) => {
      const capture = new Capture();
      const ports = [41000, 42000, 43000];
      for (const sport of ports) handshake(capture, { sport });
      for (let i = 0; i < 12; i++) {
        advert(capture.at(i + 0.005), isTakenOver && i >= 3 && i < 7 ? '10.0.0.12' : '10.0.0.11');
        for (const sport of ports) {
          if (!lost.includes(i)) data(capture.at(i + 0.01), i * 1000, 1000, { id: i + 1, sport });
          acknowledge(capture.at(i + 0.01), (i + 1) * 1000, { sport });
        }
      }
      return capture.findings(only);
    };
    expect(await detour(true)).toEqual([]);
    expect(await detour(false)).toHaveLength(1);
    // More often than routers took over.
    expect(await detour(true, [1, 3, 5, 7, 9])).toHaveLength(1);
  });

  it('takes what is missing in a row for one gap', async () => {
    expect(await transfer([1, 2, 3, 5]).findings(only)).toEqual([]);
  });

  it('keeps silent of a direction that is not seen any more', async () => {
    expect(await transfer([2, 3, 4, 5, 6, 7]).findings(only)).toEqual([]);
  });

  it('keeps silent where the data comes late, or is sent again', async () => {
    const capture = handshake(new Capture());
    for (let i = 0; i < 8; i++) {
      acknowledge(capture.at(i + 0.02), (i + 1) * 1000);
      data(capture.at(i + 0.021), i * 1000, 1000, { id: i + 1 });
    }
    expect(await capture.findings(only)).toEqual([]);
    const overtaken = handshake(new Capture());
    for (let i = 0; i < 8; i++) {
      data(overtaken.at(i + 0.02), (2 * i + 1) * 1000, 1000, { id: 2 * i + 2 });
      data(overtaken.at(i + 0.3), 2 * i * 1000, 1000, { id: 2 * i + 1 });
      acknowledge(overtaken.at(i + 0.31), (2 * i + 2) * 1000);
    }
    expect(await overtaken.findings(only)).toEqual([]);
  });

  it('keeps silent where the missing is never acknowledged', async () => {
    const capture = handshake(new Capture());
    for (let i = 0; i < 8; i++) {
      data(capture.at(i + 0.01), 2 * i * 1000, 1000, { id: i + 1 });
      acknowledge(capture.at(i + 0.02), 1000);
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('takes keep-alives for no gap', async () => {
    const capture = tcp(new Capture(), PEER, HOST, ACK, { sport: 80, dport: 40000, seq: 5000, ack: 1001, length: 1 });
    for (let i = 0; i < 4; i++) {
      acknowledge(capture.at(i + 1), 1);
      tcp(capture.at(i + 1.5), PEER, HOST, ACK, { sport: 80, dport: 40000, seq: 5000, ack: 1001 });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('looks into VXLAN, and leaves headers alone that were cut', async () => {
    expect(await transfer([1, 3, 5], 8, { vni: 7 }).findings(only)).toHaveLength(1);
    expect(await transfer([1, 3, 5]).cut(80).findings(only)).toEqual([]);
    expect(await transfer([1, 3, 5]).cut(96).findings(only)).toHaveLength(1);
  });
});

describe('capture/dropped-frames and filters', () => {
  const connections = (plain: boolean) => {
    const capture = new Capture();
    for (let i = 0; i < 4; i++) {
      const ports = { sport: 40000 + i, dport: 80 };
      tcp(capture.at(i), HOST, PEER, SYN, ports);
      synAck(capture.at(i + 0.01), ports);
      if (plain) tcp(capture.at(i + 0.02), HOST, PEER, ACK, { ...ports, seq: 1001, ack: 5001 });
      // 3000 octets and their acknowledgments lie between.
      tcp(capture.at(i + 0.1), PEER, HOST, ACK | FIN, { sport: 80, dport: ports.sport, seq: 8001, ack: 1101 });
      tcp(capture.at(i + 0.11), HOST, PEER, ACK | FIN, { ...ports, seq: 1101, ack: 8002 });
      tcp(capture.at(i + 0.12), PEER, HOST, ACK | FIN, { sport: 80, dport: ports.sport, seq: 8001, ack: 1102 });
    }
    return capture.findings(only);
  };

  it('keeps silent where a filter left SYN, FIN and RST', async () => {
    expect(await connections(false)).toEqual([]);
    expect(inShort(await connections(true))).toEqual([['capture/dropped-frames', 'likely', expect.any(Array)]]);
  });
});
