import { describe, expect, it } from 'vitest';
import { clampFor, iptablesFor, letTooBigPass } from '../../../src/rules/parts/firewalls/netfilter.js';

describe('commands of netfilter', () => {
  it('take the program, and the message about sizes, of the family', () => {
    expect([iptablesFor('10.0.0.1'), iptablesFor('fd00::1')]).toEqual(['iptables', 'ip6tables']);
    expect(clampFor('fd00::1')).toMatch(/^ip6tables -t mangle .* --clamp-mss-to-pmtu$/);
    expect([letTooBigPass('10.0.0.1', 'INPUT'), letTooBigPass('fd00::1', 'FORWARD')]).toEqual([
      'iptables -I INPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT',
      'ip6tables -I FORWARD -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT',
    ]);
  });
});
