/** `1 frame`, `2 frames`, `3,004 frames`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** A whole number with its thousands set apart. */
export function grouped(count: number): string {
  // `toLocaleString` takes 10 ms to begin with, for ICU reads what it knows of all languages.
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Frame numbers in order, runs of three and more shortened: `1, 4–9, 12`. */
export function frameList(numbers: readonly number[]): string {
  const runs: [from: number, to: number][] = [];
  for (const number of numbers) {
    const run = runs[runs.length - 1];
    if (run !== undefined && number === run[1] + 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(runWords).join(', ');
}

function runWords([from, to]: readonly [from: number, to: number]): string {
  if (from === to) return String(from);
  return to - from > 1 ? `${from}–${to}` : `${from}, ${to}`;
}

/** The time of day of an ISO time in milliseconds, with the date in front if that is wanted. */
export function clock(iso: string, withDate: boolean): string {
  const [date, time] = iso.split('T');
  return `${withDate ? `${date} ` : ''}${time.slice(0, 12)}`;
}

/** The time between two ISO times, in a unit that fits it: `48 ms`, `2.05 s`, `12 min 4 s`, `3 h 20 min`. */
export function elapsed(first: string, last: string): string {
  const seconds = secondsBetween(first, last);
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Date.parse knows milliseconds only: the rest is read from the text. */
function secondsBetween(first: string, last: string): number {
  const whole = (iso: string) => Date.parse(`${iso.slice(0, iso.lastIndexOf('.'))}Z`) / 1000;
  const fraction = (iso: string) => Number(iso.slice(iso.lastIndexOf('.'), -1));
  return whole(last) - whole(first) + (fraction(last) - fraction(first));
}

/** Link types in words, for those that have a name among people. */
const LINK_TYPES: Readonly<Record<string, string>> = {
  EN10MB: 'Ethernet',
  LINUX_SLL: 'Linux cooked v1',
  LINUX_SLL2: 'Linux cooked v2',
  RAW: 'raw IP',
  IPV4: 'raw IPv4',
  IPV6: 'raw IPv6',
  NULL: 'BSD loopback',
  LOOP: 'BSD loopback',
};

export function linkTypeInWords(name: string): string {
  return LINK_TYPES[name] ?? name;
}

/** Protocol names as they are written, where that is not all capitals. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  ethernet: 'Ethernet',
  ipv4: 'IPv4',
  ipv6: 'IPv6',
  ipv6extension: 'IPv6 extension headers',
  icmpv6: 'ICMPv6',
  geneve: 'Geneve',
  pppoe: 'PPPoE',
  dhcpv6: 'DHCPv6',
};

export function protocolInWords(name: string): string {
  return PROTOCOLS[name] ?? name.toUpperCase();
}
