import { describe, expect, it } from 'vitest';
import { Addresses } from '../../src/network/addresses.js';

describe('addresses', () => {
  it('keep their numbers while forged ones come by the million: tables that keep a number speak of the address that had it', () => {
    const addresses = new Addresses();
    const first = Array.from({ length: 1000 }, (_, n) => addresses.ipv4(0x0a000000 + n));
    for (let n = 0; n < 1_500_000; n++) addresses.ipv4(0x0b000000 + n);
    expect(addresses.format(first[0])).toBe('10.0.0.0');
    expect(addresses.format(first[999])).toBe('10.0.3.231');
    expect(addresses.ipv4(0x0a000000)).toBe(first[0]);
    // The forged ones go round among themselves.
    const latest = addresses.ipv4(0x0b000000 + 1_499_999);
    expect(addresses.format(latest)).toBe('11.22.227.95');
  });
});
