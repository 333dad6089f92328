import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.js';

// Recorded at several places at once; fixtures/places/ORIGIN.md says where, and which frames tshark finds in which file.
describe('recorded incidents', () => {
  const at = (folder: string, names: readonly string[]) =>
    names.map((name) => `fixtures/places/${folder}/${name}.pcap`);

  it('a reply that a virtual switch does not deliver', async () => {
    const { findings } = await analyze(at('reply-lost', ['host-ens34', 'sw-p-host', 'vm01-ens34']));
    const [found, ...others] = findings;
    expect(others).toEqual([]);
    expect(found.rule).toBe('arp/unanswered');
    expect(found.title).toMatch(/: answers get no farther than vm01-ens34\.pcap$/);
    expect(found.evidence.map(({ capture, frame }) => `${capture} ${frame}`)).toEqual([
      '0 1',
      '0 2',
      '0 3',
      '1 1',
      '1 2',
      '1 3',
      '2 1',
      '2 2',
      '2 3',
      '2 4',
      '2 5',
      '2 6',
    ]);
  });

  it('a SYN-ACK that a stateful firewall drops on another way back', async () => {
    const { findings } = await analyze(at('stateful-drop', ['h1-eth0', 'r2-b0', 'srv-eth0']));
    const [found, ...others] = findings.filter(({ severity }) => severity !== 'info');
    expect(others).toEqual([]);
    expect(found.rule).toBe('tcp/syn-unanswered');
    expect(found.title).toMatch(/: answers get no farther than r2-b0\.pcap and srv-eth0\.pcap$/);
  });
});
