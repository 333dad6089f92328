import type { Below } from '../../support/random.js';

/** Ports that somebody listens on, in the machine and beyond it. */
export const PORTS = [22, 53, 80, 443, 8080];

const V4 = {
  key: 'ip',
  type: 'ipv4_addr',
  addresses: ['10.1.0.2', '10.2.0.2', '10.1.0.1', '10.1.0.0/24', '10.2.0.0/16', '10.2.0.1-10.2.0.9', '192.168.0.0/16'],
  apart: ['10.1.0.2', '10.2.0.2', '192.168.1.0/24', '10.9.0.0/16', '172.16.0.1-172.16.0.9'],
};
const V6 = {
  key: 'ip6',
  type: 'ipv6_addr',
  addresses: ['fd01::2', 'fd02::2', 'fd01::1', 'fd01::/64', 'fd02::/16', 'fd02::1-fd02::ff', '2001:db8::/32'],
  apart: ['fd01::2', 'fd02::2', '2001:db8::/32', 'fd09::/64'],
};
const STATES = ['new', 'established', 'established,related', 'new,established', 'invalid', '{ new, untracked }'];
const FLAGS = ['tcp flags syn', 'tcp flags ! fin', 'tcp flags & (fin | syn | rst | ack) == syn'];
const BASES = [
  ['filter', 'prerouting', -300],
  ['filter', 'prerouting', -150],
  ['nat', 'prerouting', -100],
  ['filter', 'forward', -150],
  ['filter', 'forward', 0],
  ['filter', 'forward', 10],
  ['filter', 'postrouting', -150],
  ['nat', 'postrouting', 100],
  ['filter', 'input', 0],
  ['filter', 'output', 0],
] as const;
const SETS = [
  ['v4', `type ipv4_addr; flags interval; elements = { ${V4.apart.join(', ')} }`],
  ['v6', `type ipv6_addr; flags interval; elements = { ${V6.apart.join(', ')} }`],
  ['ports', 'type inet_service; flags interval; elements = { 22, 80-90 }'],
  [
    'both',
    'type ipv4_addr . inet_service; flags interval; elements = { 10.2.0.2 . 80, 10.2.0.0/24 . 443, 10.1.0.1 . 1-99 }',
  ],
] as const;

/** Tables with chains, sets and maps as `nft -f` takes them, all at random; it refuses some. */
export function randomRuleset(below: Below): string {
  const one = <T>(list: readonly T[]): T => list[below(list.length)];
  const family = one(['ip', 'inet', 'inet', 'ip6']);
  const negated = () => one(['', '', '!= ']);
  const called = ['c0', 'c1', 'c2'].slice(0, below(4));

  const condition = (hook: string): string => {
    const { key, type, addresses, apart } = family === 'ip' || (family === 'inet' && below(3) > 0) ? V4 : V6;
    const transport = one(['tcp', 'tcp', 'udp']);
    const side = one(['saddr', 'daddr']);
    const all = [
      `${key} ${side} ${negated()}${one(addresses)}`,
      `${key} ${side} ${negated()}{ ${apart.slice(below(3)).join(', ')} }`,
      `${key} ${side} ${negated()}@${type === 'ipv4_addr' ? 'v4' : 'v6'}`,
      `${transport} dport ${negated()}${one([...PORTS, '1-1023', '{ 22, 80-443 }', '@ports'])}`,
      `meta l4proto { tcp, udp } th dport ${negated()}${one(PORTS)}`,
      `${transport} sport ${negated()}1024-65535`,
      `ct state ${one(STATES)}`,
      `ct direction ${one(['original', 'reply'])}`,
      `meta l4proto ${negated()}${one(['tcp', 'udp', 'icmp', '{ icmp, ipv6-icmp }'])}`,
      `meta mark ${negated()}${one(['0', '1', '1-5'])}`,
      `meta mark and ${one(['0x1', '0xf0'])} ${one(['==', '!='])} 0`,
      key === 'ip'
        ? `icmp type ${negated()}${one(['echo-request', 'echo-reply'])}`
        : `icmpv6 type ${negated()}echo-request`,
      one(FLAGS),
    ];
    if (family !== 'ip6') all.push(`ip daddr . tcp dport ${negated()}@both`);
    if (hook === 'input' || hook === 'forward' || hook === 'prerouting')
      all.push(`iifname ${negated()}${one(['ra', 'rb', 'r*', 'eth*'])}`);
    if (hook === 'output' || hook === 'forward')
      all.push(`oifname ${negated()}${one(['ra', 'rb', 'r*', '{ rb, eth9 }'])}`);
    if (hook === 'input' || hook === 'prerouting') all.push(`fib daddr type ${negated()}local`);
    if (hook === 'prerouting')
      all.push(`fib saddr ${one(['. iif ', '. mark . iif ', ''])}oif ${one(['missing', 'exists'])}`);
    return one(all);
  };

  const rule = (hook: string, targets: readonly string[], isNat: boolean): string => {
    const conditions = Array.from({ length: one([0, 1, 1, 2, 2, 3]) }, () => condition(hook));
    const verdicts = ['accept', 'accept', 'return', 'continue', 'meta mark set 1', 'meta mark set 0x10', ''];
    if (!isNat) verdicts.push('drop', 'drop', 'drop');
    if (targets.length > 0)
      verdicts.push(
        `jump ${one(targets)}`,
        `jump ${one(targets)}`,
        `goto ${one(targets)}`,
        `tcp dport vmap { 22 : ${isNat ? 'return' : 'drop'}, 80 : accept, 443 : jump ${targets[0]} }`,
        `meta l4proto vmap { tcp : jump ${targets[0]}, udp : accept }`,
      );
    if (!isNat && hook === 'prerouting') verdicts.push('notrack');
    if (!isNat && hook === 'forward') verdicts.push('reject');
    if (isNat && hook === 'prerouting' && family === 'ip') verdicts.push('dnat to 10.2.0.2', 'dnat to 10.2.0.2');
    if (isNat && hook === 'postrouting') verdicts.push('masquerade', 'masquerade');
    return [...conditions, one(['', 'counter', 'log']), one(verdicts)].join(' ') || 'counter';
  };

  const bases = BASES.filter(() => below(3) === 0);
  const isNat = bases.some(([type]) => type === 'nat');
  const body = (hook: string, targets: readonly string[], isIn: boolean) =>
    Array.from({ length: below(6) }, () => rule(hook, targets, isIn)).join('\n');
  return [
    `table ${family} fw {`,
    ...SETS.map(([name, text]) => `set ${name} { ${text}; }`),
    ...called.map((name, i) => `chain ${name} {\n${body('', called.slice(0, i), isNat)}\n}`),
    ...bases.map(([type, hook, priority], i) => {
      const policy = type === 'nat' ? 'accept' : one(['accept', 'accept', 'drop']);
      const head = `type ${type} hook ${hook} priority ${priority}; policy ${policy};`;
      return `chain b${i} {\n${head}\n${body(hook, called, type === 'nat')}\n}`;
    }),
    '}',
  ].join('\n');
}
