import type { Below } from '../../support/random.js';
import { PORTS } from './rulesets.js';

const TABLES = [
  ['raw', ['PREROUTING', 'OUTPUT']],
  ['mangle', ['PREROUTING', 'FORWARD', 'POSTROUTING']],
  ['nat', ['PREROUTING', 'POSTROUTING']],
  ['filter', ['INPUT', 'FORWARD', 'FORWARD', 'OUTPUT']],
] as const;

/** Makes all tables as they are at first. */
export const EMPTY = [
  ['raw', 'PREROUTING', 'OUTPUT'],
  ['mangle', 'PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  ['nat', 'PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  ['filter', 'INPUT', 'FORWARD', 'OUTPUT'],
]
  .flatMap(([table, ...chains]) => [`*${table}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), 'COMMIT\n'])
  .join('\n');

const ADDRESSES = {
  4: ['10.1.0.2', '10.2.0.2', '10.1.0.1', '10.1.0.0/24', '10.2.0.0/255.255.0.0', '192.168.0.0/16'],
  6: ['fd01::2', 'fd02::2', 'fd01::1', 'fd01::/64', '2001:db8::/32'],
};
const RANGES = { 4: ['10.2.0.1-10.2.0.9', '10.1.0.3-10.1.0.9'], 6: ['fd02::1-fd02::ff', 'fd09::-fd09::5'] };
const STATES = ['NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'NEW,ESTABLISHED', 'INVALID,NEW', 'UNTRACKED'];
const FLAGS = ['--syn', '--tcp-flags SYN,ACK SYN', '--tcp-flags ALL SYN', '--tcp-flags FIN,RST NONE'];

/** Tables as `iptables-restore` (4) or `ip6tables-restore` (6) takes them, all at random; it refuses some. */
export function randomTables(below: Below, family: 4 | 6): string {
  const one = <T>(list: readonly T[]): T => list[below(list.length)];
  const not = () => one(['', '', '! ']);

  const condition = (hook: string): string => {
    const transport = one(['tcp', 'tcp', 'udp']);
    const all = [
      `${not()}${one(['-s', '-d'])} ${one(ADDRESSES[family])}`,
      `-p ${transport} -m ${transport} ${not()}--dport ${one([...PORTS, '1:1023'])}`,
      `-p ${transport} -m multiport ${not()}--dports ${one(['22,80', '53', '80:90,443', '1:65535'])}`,
      `-p ${transport} -m ${transport} --sport 1024:65535`,
      `${not()}-p ${one(['tcp', 'udp'])}`,
      family === 4
        ? `-p icmp -m icmp ${not()}--icmp-type ${one(['echo-request', 'echo-reply', 'any'])}`
        : '-p ipv6-icmp',
      `-m conntrack ${not()}--ctstate ${one(STATES)}`,
      `-m state --state ${one(STATES.slice(0, 4))}`,
      `-m iprange ${not()}${one(['--src-range', '--dst-range'])} ${one(RANGES[family])}`,
      `-m mark ${not()}--mark ${one(['0x0', '0x1', '0x1/0x1', '0x10/0xf0'])}`,
      `-m comment --comment "${one(['plain', 'a -j DROP in it', 'some \\"quotes\\"'])}"`,
      `-p tcp -m tcp ${one(FLAGS)}`,
      ...(below(3) === 0 ? ['-m limit --limit 1000/sec'] : []),
    ];
    if (hook !== 'OUTPUT' && hook !== 'POSTROUTING') all.push(`${not()}-i ${one(['ra', 'rb', 'r+', 'eth+'])}`);
    if (hook !== 'INPUT' && hook !== 'PREROUTING') all.push(`${not()}-o ${one(['ra', 'rb', 'r+'])}`);
    if (hook === 'PREROUTING') all.push(`-m rpfilter ${one(['', '--loose ', '--validmark '])}${one(['', '--invert'])}`);
    if (hook === 'INPUT' || hook === 'PREROUTING') all.push(`-m addrtype ${not()}--dst-type LOCAL`);
    return one(all);
  };

  const rule = (table: string, chain: string, hook: string, called: readonly string[]): string => {
    const conditions = Array.from({ length: one([0, 1, 1, 2]) }, () => condition(hook));
    const targets = ['ACCEPT', 'RETURN', 'RETURN', 'LOG --log-prefix "-j DROP "'];
    if (table !== 'nat') targets.push('DROP', 'DROP');
    if (table === 'mangle') targets.push('MARK --set-xmark 0x1/0xffffffff');
    if (table === 'filter') targets.push('REJECT');
    if (table === 'raw' && hook === 'PREROUTING') targets.push('CT --notrack');
    if (table === 'nat' && hook === 'PREROUTING' && family === 4) targets.push('DNAT --to-destination 10.2.0.2');
    if (table === 'nat' && hook === 'POSTROUTING') targets.push('MASQUERADE');
    const jumps = called.flatMap((name) => [`-j ${name}`, `-g ${name}`]);
    const target = one([...targets.map((each) => `-j ${each}`), ...jumps, '']);
    return `-A ${chain} ${conditions.join(' ')} ${target}`;
  };

  return TABLES.filter(() => below(2) === 0)
    .flatMap(([table, hooks]) => {
      const [hook] = hooks;
      // What calls them must be able to ask all that they ask for.
      const called = below(2) === 0 && table !== 'nat' ? ['C0', 'C1'] : [];
      const rules = (chain: string, of: string, targets: readonly string[]) =>
        Array.from({ length: below(4) }, () => rule(table, chain, of, targets));
      const inside = called.flatMap((name, i) => rules(name, table === 'filter' ? 'any' : hook, called.slice(0, i)));
      const policy = () => (table === 'nat' || below(8) > 0 ? 'ACCEPT' : 'DROP');
      return [
        `*${table}`,
        ...[...new Set(hooks)].map((each) => `:${each} ${policy()} [0:0]`),
        ...called.map((name) => `:${name} - [0:0]`),
        ...inside.filter((each) => !/ -[io] | LOCAL/.test(each)),
        ...hooks.flatMap((each) => rules(each, each, called)),
        'COMMIT',
      ];
    })
    .join('\n')
    .concat('\n');
}
