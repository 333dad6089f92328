import type { Row } from '../rows.js';

/** Words as a shell would take them: with quotes around those that have spaces. */
export function wordsIn(line: string): string[] {
  const words = line.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  return words.map((word) => (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word));
}

/** What the options of a rule ask for and do, as libnftables-json(5) would tell it; `packets` is what it counted. */
export function statementsOf(
  words: readonly string[],
  family: 'ip' | 'ip6',
  packets: number | null,
  isChain: (name: string) => boolean,
): Row[] {
  const matches: Row[] = [];
  const verdict: Row[] = [];
  let protocol = '';
  let module = '';
  let isNot = false;
  const hide = (name: string) => {
    if (!matches.some((match) => (match.xt as Row | undefined)?.name === name))
      matches.push({ xt: { type: 'match', name } });
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === '!') {
      isNot = true;
      continue;
    }
    const value = words[at + 1] ?? '';
    if (word === '-m') {
      module = value;
      // What has no options, or those that are not known, is hidden in any case.
      if (!KNOWN.has(module)) hide(module);
      if (module === 'rpfilter') matches.push(reversePath(words.slice(at + 2)));
    } else if (word === '-j' || word === '-g') {
      verdict.push(...verdictOf(word, words.slice(at + 1), isChain));
      break;
    } else if (word === '-p') {
      protocol = value;
      if (value !== 'all') matches.push(isOf(meta('l4proto'), value, isNot));
    } else if (KNOWN.has(module) || module === '') {
      const match = matchOf(word, value, words[at + 2] ?? '', { module, protocol, family, isNot });
      // Of states mostly established ones are asked for.
      if (match === null) hide(STATES.includes(word) ? 'conntrack' : word);
      else matches.push(...match);
      if (word === '--tcp-flags') at++;
    }
    isNot = false;
    if (value !== '!' && (value.startsWith('-') ? TAKES_ANY.has(word) : true)) at++;
  }
  return [...matches, ...(packets === null ? [] : [{ counter: { packets, bytes: 0 } }]), ...verdict];
}

const STATES: readonly string[] = ['--state', '--ctstate'];
/** Options whose value may begin with a dash. */
const TAKES_ANY: ReadonlySet<string> = new Set(['--comment', '--log-prefix']);
/** Modules whose conditions are understood, some of them. */
const KNOWN: ReadonlySet<string> = new Set([
  'tcp',
  'udp',
  'icmp',
  'icmp6',
  'multiport',
  'conntrack',
  'state',
  'mark',
  'comment',
  'addrtype',
  'pkttype',
  'iprange',
  'rpfilter',
]);
/** Options of `rpfilter`: none of them has a value. */
const REVERSE_PATH: readonly string[] = ['--loose', '--validmark', '--accept-local', '--invert'];

interface Around {
  readonly module: string;
  readonly protocol: string;
  readonly family: 'ip' | 'ip6';
  readonly isNot: boolean;
}

/** A condition; null where it is not understood. */
function matchOf(option: string, value: string, second: string, around: Around): Row[] | null {
  const { module, protocol, family, isNot } = around;
  const ports = (field: string) => [isIn(payload(protocol, field), numbers(value), isNot)];
  switch (option) {
    case '-s':
      return [isIn(payload(family, 'saddr'), [prefixOf(value)], isNot)];
    case '-d':
      return [isIn(payload(family, 'daddr'), [prefixOf(value)], isNot)];
    case '-i':
      return [isOf(meta('iifname'), nameOf(value), isNot)];
    case '-o':
      return [isOf(meta('oifname'), nameOf(value), isNot)];
    case '--sport':
    case '--sports':
      return ports('sport');
    case '--dport':
    case '--dports':
      return ports('dport');
    case '--icmp-type':
    case '--icmpv6-type':
      return icmpType(value, family, isNot);
    case '--tcp-flags':
      return tcpFlags(value, second, isNot);
    case '--state':
    case '--ctstate':
      return tracked(value, isNot);
    case '--mark':
      return module === 'mark' ? marked(value, isNot) : null;
    case '--comment':
    case '--loose':
    case '--validmark':
    case '--accept-local':
    case '--invert':
      return [];
    case '--dst-type':
      return [isIn({ fib: { result: 'type', flags: ['daddr'] } }, value.toLowerCase().split(','), isNot)];
    case '--pkt-type':
      return [isOf(meta('pkttype'), value, isNot)];
    case '--src-range':
      return [isIn(payload(family, 'saddr'), [{ range: value.split('-') }], isNot)];
    case '--dst-range':
      return [isIn(payload(family, 'daddr'), [{ range: value.split('-') }], isNot)];
    default:
      return null;
  }
}

/** Addresses have a prefix length, or, if it is none, a mask. */
function prefixOf(value: string): unknown {
  const [addr, length] = value.split('/');
  if (length === undefined) return addr;
  return /^\d+$/.test(length) ? { prefix: { addr, len: Number(length) } } : { mask: value };
}

function nameOf(value: string): string {
  return value.endsWith('+') ? `${value.slice(0, -1)}*` : value;
}

function icmpType(value: string, family: 'ip' | 'ip6', isNot: boolean): Row[] | null {
  const protocol = family === 'ip' ? 'icmp' : 'icmpv6';
  const [type, code] = value.split('/');
  if (value === 'any' || value === '255') return isNot ? null : [];
  if (!/^\d+$/.test(type) || (code !== undefined && isNot)) return null;
  const own = isOf(payload(protocol, 'type'), Number(type), isNot);
  return code === undefined ? [own] : [own, isOf(payload(protocol, 'code'), Number(code), false)];
}

function tcpFlags(mask: string, set: string, isNot: boolean): Row[] {
  const flags = (words: string) => (words === 'NONE' ? [] : words.toLowerCase().split(','));
  const all = mask === 'ALL' ? ['fin', 'syn', 'rst', 'psh', 'ack', 'urg'] : flags(mask);
  const left = { '&': [payload('tcp', 'flags'), all] };
  return [{ match: { op: isNot ? '!=' : '==', left, right: flags(set) } }];
}

/** Whether a route leads back to the source, as nft asks for it (xt_rpfilter: iptables-extensions(8)). */
function reversePath(words: readonly string[]): Row {
  const end = words.findIndex((word) => !REVERSE_PATH.includes(word));
  const options = words.slice(0, end < 0 ? words.length : end);
  const flags = options.includes('--loose') ? ['saddr'] : ['saddr', 'iif'];
  return isOf({ fib: { result: 'oif', flags } }, !options.includes('--invert'), false);
}

/** States; where they are mixed with translation they are not understood. */
function tracked(value: string, isNot: boolean): Row[] | null {
  const states = value.toLowerCase().split(',');
  if (value === 'DNAT' && !isNot) return [{ match: { op: 'in', left: { ct: { key: 'status' } }, right: 'dnat' } }];
  if (states.includes('dnat') || states.includes('snat')) return null;
  const left = { ct: { key: 'state' } };
  return [{ match: isNot ? { op: '!=', left, right: { set: states } } : { op: 'in', left, right: states } }];
}

function marked(value: string, isNot: boolean): Row[] | null {
  const [mark, mask] = value.split('/').map(Number);
  if (!Number.isInteger(mark) || (mask !== undefined && !Number.isInteger(mask))) return null;
  const left = mask === undefined ? meta('mark') : { '&': [meta('mark'), mask] };
  return [isOf(left, mark, isNot)];
}

/** What becomes of packets for which the conditions hold. */
function verdictOf(option: string, [target, ...options]: readonly string[], isChain: (name: string) => boolean): Row[] {
  const after = (name: string) => options[options.indexOf(name) + 1] ?? '';
  const has = (name: string) => options.includes(name);
  switch (target) {
    case 'ACCEPT':
      return [{ accept: null }];
    case 'DROP':
      return [{ drop: null }];
    case 'RETURN':
      return [{ return: null }];
    case 'REJECT':
      return [{ reject: rejection(has('--reject-with') ? after('--reject-with') : '') }];
    case 'CT':
      return has('--notrack') ? [{ notrack: null }] : [{ xt: { type: 'target', name: target } }];
    case 'DNAT':
      return [{ dnat: translation(after('--to-destination')) }];
    case 'REDIRECT':
      return [{ redirect: has('--to-ports') ? { port: portsOf(after('--to-ports')) } : null }];
    case 'SNAT':
      return [{ snat: translation(after('--to-source')) }];
    case 'MASQUERADE':
      return [{ masquerade: null }];
    default:
      return isChain(target)
        ? [{ [option === '-g' ? 'goto' : 'jump']: { target } }]
        : [{ xt: { type: 'target', name: target } }];
  }
}

function rejection(error: string): Row | null {
  if (error === '') return null;
  if (error === 'tcp-reset') return { type: 'tcp reset' };
  return { type: 'icmpx', expr: error.replace(/^icmp6?-/, '').replace(/^adm-/, 'admin-') };
}

/** One port; of a range none is known. */
function portsOf(ports: string): number | null {
  return /^\d+$/.test(ports) ? Number(ports) : null;
}

/** One address, and perhaps a port; where there are more none is known. */
function translation(to: string): Row {
  const [, v6, v4, port] =
    /^(?:\[([0-9a-f:]+)\]|([0-9.]+|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*))?(?::(\d+))?$/.exec(to) ?? [];
  const addr = v6 ?? v4;
  return { ...(addr === undefined ? {} : { addr }), ...(port === undefined ? {} : { port: Number(port) }) };
}

function payload(protocol: string, field: string): Row {
  return { payload: { protocol, field } };
}

function meta(key: string): Row {
  return { meta: { key } };
}

function isOf(left: Row, right: unknown, isNot: boolean): Row {
  return { match: { op: isNot ? '!=' : '==', left, right } };
}

function isIn(left: Row, values: readonly unknown[], isNot: boolean): Row {
  return isOf(left, values.length === 1 ? values[0] : { set: values }, isNot);
}

/** `67,68` or `1024:65535`. */
function numbers(value: string): unknown[] {
  return value.split(',').map((part) => {
    const [low, high] = part.split(':');
    return high === undefined ? Number(low) : { range: [Number(low), Number(high)] };
  });
}
