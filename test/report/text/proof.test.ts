import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/findings/finding.js';
import { proof, unlisted } from '../../../src/report/text/proof.js';
import { remedyHeading } from '../../../src/report/text/remedies.js';
import { captureReport, finding } from '../../support/diagnosis.js';

const at = (frame: number, note = 'ARP who-has', layer = 'arp') => ({
  ...{ capture: 0, frame, layer, offset: 14, length: 28, note },
});
const ethernet = [{ name: null, linkType: 'EN10MB', snapLength: 262144 }];
const capture = captureReport({ name: 'a.pcap', format: 'pcap', interfaces: ethernet });
const segment = { capture: 0, interface: null, vlans: [], vnis: [] };

describe('proof', () => {
  it('puts what fills no line of its own into one', () => {
    const scan = finding({ evidence: Array.from({ length: 20 }, (_, i) => at(1 + i, `who-has 10.0.0.${i}`)) });
    const lines = proof(scan, [capture]);
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('frames 8–20   13 more of the kind');
  });
});

describe('more than the proof lists', () => {
  const flood: Partial<Finding> = { count: 70, segment, subject: { ip: '10.0.0.1' }, evidence: [at(1), at(2)] };
  const commandOf = (given: Partial<Finding>, capture_ = capture) =>
    unlisted(finding({ ...flood, ...given }), [capture_]);

  it('is counted, with the command that shows it', () => {
    expect(commandOf({})).toEqual({
      text: 'seen 70 times, only 2 frames of it are listed',
      command: "netdiag frames a.pcap -f 'arp and host 10.0.0.1'",
    });
    expect(commandOf({ count: 2 })).toBeNull();
    expect(commandOf({ evidence: [] })).toBeNull();
  });

  it.each([
    ['-v.pcap', './-v.pcap'],
    ["it's.pcap", "'it'\\''s.pcap'"],
  ])('names %s so that it is taken for a file', (name, word) => {
    expect(commandOf({}, { ...capture, name })?.command).toBe(`netdiag frames ${word} -f 'arp and host 10.0.0.1'`);
  });

  it.each<[string, Partial<Finding>]>([
    ["arp and host 10.0.0.1 and host 10.0.0.2'", { subject: { ip: '10.0.0.1', requester: '10.0.0.2' } }],
    ["arp and ether host 02:00:00:00:00:01'", { subject: { mac: '02:00:00:00:00:01' } }],
    ["vlan 100 and arp and host 10.0.0.1'", { segment: { ...segment, vlans: [100] } }],
    ["-f 'host 10.0.0.1'", { evidence: [at(1), at(2, '', 'tcp')] }],
  ])('filters by %s', (filter, given) => {
    expect(commandOf(given)?.command.endsWith(filter)).toBe(true);
  });

  it('has no command where no filter fits, or there is no file', () => {
    const cooked = captureReport({ ...capture, interfaces: [{ ...ethernet[0], linkType: 'LINUX_SLL2' }] });
    const none = [
      commandOf({ subject: {} }),
      commandOf({ subject: { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' } }),
      commandOf({ segment: { ...segment, vnis: [42] } }),
      commandOf({ subject: { mac: '02:00:00:00:00:01' } }, cooked),
      commandOf({}, captureReport({ ...capture, name: '-' })),
    ];
    expect(none.map((each) => each?.command)).toEqual(['', '', '', '', '']);
  });

  it('takes names of files that a shell would break', () => {
    expect(commandOf({}, captureReport({ ...capture, name: "my 'x'.pcap" }))?.command).toMatch(
      /^netdiag frames 'my '\\''x'\\''\.pcap' -f /,
    );
  });
});

describe('the heading above remedies', () => {
  const heading = (...commands: string[]) => remedyHeading(commands.map((each) => ({ text: '', commands: [each] })));

  it('tells what finds out more from what changes something', () => {
    expect(heading('ip netns exec a ip neigh show 10.0.0.1', 'tcpdump -eni any arp', 'nft list ruleset')).toBe('Look');
    expect(heading('nsenter -t 4711 -n ip neigh show 10.0.0.1', 'sysctl net.ipv4.ip_forward')).toBe('Look');
    expect(heading('ip route get 10.0.0.1', 'ip route add 10.0.0.0/8 via 10.0.0.1')).toBe('Do one of');
    expect(heading('bridge vlan show', 'bridge vlan add dev p vid 10')).toBe('Do one of');
    expect(heading('sysctl -w net.ipv4.ip_forward=1')).toBe('Do');
    expect(heading('arping -c 3 -U -I eth0 10.0.0.1')).toBe('Do');
    expect(heading('arping -c 3 -I eth0 10.0.0.1')).toBe('Look');
    expect(heading('tcpdump -i eth0 -w again.pcap')).toBe('Do');
    expect(remedyHeading([{ text: 'call somebody', commands: [] }])).toBe('Do');
  });
});
