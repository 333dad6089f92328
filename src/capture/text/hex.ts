/** One line of a hex dump: where its bytes stand in the packet, and the bytes. */
export interface HexLine {
  readonly offset: number;
  readonly bytes: readonly number[];
}

/** `0x0010:  c0a8 0101 …  ....`, as tcpdump's -x, -xx, -X and -XX write it. */
const TCPDUMP = /^\s*0x([0-9a-f]{4,5}):\s+((?:[0-9a-f]{4} )*[0-9a-f]{2}(?:[0-9a-f]{2})?)(?:\s|$)/i;
/** `0010   c0 a8 01 01 …   ....`, as Wireshark, `od` and `xxd -g1` (with a colon) write it; two spaces in the middle at most. */
const WIRESHARK = /^\s*([0-9a-f]{4,8}):? {1,3}((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2})(?:\s|$)/i;
/** Bytes of a line. */
const MOST = 16;
/** Characters that are looked at: programs write fewer, and one expression over millions of them is too deep for V8. */
const LONGEST = 4096;

/** The line as one of a hex dump, null if it is none. */
export function hexLine(line: string): HexLine | null {
  const begin = line.length > LONGEST ? line.slice(0, LONGEST) : line;
  const match = TCPDUMP.exec(begin) ?? WIRESHARK.exec(begin);
  if (match === null) return null;
  const digits = match[2].replace(/ /g, '').slice(0, 2 * MOST);
  const bytes = (digits.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  return { offset: Number.parseInt(match[1], 16), bytes };
}
