import { describe, expect, it } from 'vitest';
import { echo, FAR, HOST, PEER, tooBig } from '../../support/icmp.js';
import { refuse } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['mtu/fragmentation-needed'] };

/** The message, and then `times` packets of `size` bytes, the first after `after` seconds. */
function told({ times = 3, size = 1500, after = 1.1, mtu = 1400 } = {}): Capture {
  const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu });
  for (let i = 0; i < times; i++) echo(capture.at(after + i), HOST, FAR, { size });
  return capture;
}

describe('mtu/fragmentation-needed', () => {
  it('is a note where the sender keeps to it', async () => {
    const [finding, ...more] = await told({ times: 9, size: 1400 }).findings(only);
    expect(inShort([finding])).toEqual([['mtu/fragmentation-needed', 'certain', [1]]]);
    expect([finding.severity, finding.subject]).toEqual([
      'info',
      { sender: HOST.ip, receiver: FAR.ip, router: '10.0.0.254', mtu: 1400 },
    ]);
    expect(more).toEqual([]);
  });

  it('is a warning after three packets as big as before, a second later', async () => {
    const [finding] = await told().findings(only);
    expect([finding.severity, inShort([finding])[0][2]]).toEqual(['warning', [1, 2, 3, 4]]);
    expect(finding.title).toContain('goes on sending');
  });

  it('says who tells it', async () => {
    const [finding] = await told({ times: 0 }).findings(only);
    expect(finding.title).toBe(
      'Packets from 10.0.0.1 are too big for the path to 192.0.2.9: 1400 bytes at most, says 10.0.0.254',
    );
  });

  it('takes what comes in the name of the target for a tunnel on the way, and names the MTU that fits', async () => {
    const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1450, reporter: FAR });
    const [finding] = await capture.findings(only);
    expect(finding.title).toBe('Packets from 10.0.0.1 are too big for the path to 192.0.2.9: 1450 bytes at most');
    expect(finding.summary).toMatch(
      /^A device on the way, in the name of 192\.0\.2\.9, dropped a packet of 1500 bytes/,
    );
    expect(finding.cause).toMatch(/^A tunnel on the way /);
    expect(finding.remedy[0].commands[0]).toMatch(/ mtu 1450$/);
  });

  it.each([
    ['two packets', { times: 2 }],
    ['smaller packets, though above the MTU: pieces put together by the device', { size: 1450 }],
  ])('stays a note after %s', async (_, more) => {
    const [finding] = await told(more).findings(only);
    expect(finding.severity).toBe('info');
  });

  it('does not count what was under way', async () => {
    const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1400 });
    for (let i = 0; i < 9; i++) echo(capture.at(i * 0.1), HOST, FAR, { size: 1500 });
    expect((await capture.findings(only)).map(({ severity }) => severity)).toEqual(['info']);
  });

  it('does not count packets to another host, or in another VLAN', async () => {
    const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1400 });
    for (let i = 2; i < 6; i++) {
      echo(capture.at(i), HOST, PEER, { size: 1500 });
      echo(capture.at(i), HOST, FAR, { size: 1500, way: { vlan: 9 } });
    }
    expect((await capture.findings(only)).map(({ severity }) => severity)).toEqual(['info']);
  });

  it('is a warning about a tunnel', async () => {
    const capture = refuse(new Capture(), {}, { code: 4, mtu: 1400, reporter: '10.1.1.254' });
    const [finding] = await capture.findings(only);
    expect(finding.severity).toBe('warning');
    expect(finding.remedy[0].commands).toEqual(['ip link set <vxlan device> mtu 1350']);
  });

  it('knows a router that does not tell the MTU', async () => {
    const [finding] = await told({ times: 0, mtu: 0 }).findings(only);
    expect(finding.subject).toEqual({ sender: HOST.ip, receiver: FAR.ip, router: '10.0.0.254' });
  });

  it('keeps silent about other unreachables', async () => {
    expect(await refuse(new Capture(), {}, { code: 1 }).findings(only)).toEqual([]);
  });
});
