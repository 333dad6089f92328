/** Two lower-case hexadecimal digits of every byte value. */
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A MAC as its upper 16 and its lower 32 bits, the form in which MACs are compared here; `lo` of either sign. */
export function formatMac(hi: number, lo: number): string {
  const upper = `${HEX[(hi >>> 8) & 0xff]}:${HEX[hi & 0xff]}:${HEX[lo >>> 24]}`;
  return `${upper}:${HEX[(lo >>> 16) & 0xff]}:${HEX[(lo >>> 8) & 0xff]}:${HEX[lo & 0xff]}`;
}

/** Whether whoever runs the machine chose the MAC, as for macvlan children and containers (bit 1 of the first byte, IEEE 802 section 8.2.2). */
export function isLocallyAdministered(hi: number): boolean {
  return (hi & 0x200) !== 0;
}

/** The MAC that stands at `at`. */
export function macAt(view: DataView, at: number): string {
  return formatMac(view.getUint16(at), view.getInt32(at + 2));
}

/** Upper 16 bits (unsigned) and lower 32 bits (signed) of a MAC written as six bytes with `:` or `-`; else null. */
export function parseMac(text: string): { hi: number; lo: number } | null {
  if (!/^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(text)) return null;
  const [a, b, c, d, e, f] = text.split(/[:-]/).map((byte) => Number.parseInt(byte, 16));
  return { hi: (a << 8) | b, lo: (c << 24) | (d << 16) | (e << 8) | f };
}

/** An IPv4 address from its 32 bits; of either sign. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** The IPv4 address that stands at `at`. */
export function ipv4At(view: DataView, at: number): string {
  return formatIpv4(view.getInt32(at));
}

/**
 * The IPv6 address that stands at `at`, as RFC 5952 writes it: lower case, no leading zeros, the longest and
 * first run of at least two zero fields as `::`, IPv4-mapped addresses (::ffff:0:0/96) in dotted form.
 */
export function ipv6At(view: DataView, at: number): string {
  if (view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0xffff) {
    return `::ffff:${ipv4At(view, at + 12)}`;
  }
  let runAt = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && view.getUint16(at + 2 * end) === 0) end++;
    if (end - i > runLength) {
      runAt = i;
      runLength = end - i;
    }
    if (end > i) i = end;
  }
  if (runAt < 0) return fields(view, at, 0, 8);
  return `${fields(view, at, 0, runAt)}::${fields(view, at, runAt + runLength, 8)}`;
}

/** The fields of an IPv6 address from `from` up to `to`, with colons between them. */
function fields(view: DataView, at: number, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    text += (i === from ? '' : ':') + view.getUint16(at + 2 * i).toString(16);
  }
  return text;
}

/** An address as text: one signed int32 word for IPv4, four for IPv6. */
export function formatAddress(words: readonly number[]): string {
  if (words.length === 1) return formatIpv4(words[0]);
  const view = new DataView(new ArrayBuffer(16));
  for (const [at, word] of words.entries()) view.setInt32(at * 4, word);
  return ipv6At(view, 0);
}
