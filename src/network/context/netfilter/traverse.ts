import { parseIp } from '../address.js';
import { count, type Row, record, text } from '../rows.js';
import { type Elements, holdsFor, mapped, type Truth, written } from './conditions.js';
import type { Place } from './fate.js';
import { addressValue, BROADCAST, type Packet } from './packet.js';
import { type BaseChain, type Chain, chainKey, type Rule, type Ruleset } from './ruleset.js';
import { AT_TIMES, PASSING, QUIET, TRACKING } from './statements.js';
import { asksFor } from './values.js';

/** Jumps inside each other (kernel: NFT_JUMP_STACK_SIZE in include/net/netfilter/nf_tables.h). */
const MAX_JUMPS = 16;

/** Statements that one run looks at, at most. */
const MAX_STEPS = 50_000;

/** Where connection tracking comes in (kernel: NF_IP_PRI_CONNTRACK). */
const TRACKING_PRIORITY = -200;

const MARK: readonly unknown[] = ['mark'];
const OUTPUT: readonly unknown[] = ['oif', 'oifname', 'oifgroup', 'oiftype', 'obrname'];

/** How a packet may leave a base chain, and whether what decided that is all known. */
export interface End {
  readonly kind: 'accept' | 'drop' | 'refuse' | 'other';
  readonly place: Place | null;
  /** What is not known about its being so: nothing, a hidden condition on connection tracking alone, or more. */
  readonly doubt: Doubt;
}

type Doubt = 'none' | 'tracking' | 'other';

/** What a rule makes of a packet: it goes on with the next, is done with, or goes back to the chain that jumped here. */
type Step = 'on' | 'ends' | 'returns' | 'may return';

/** Where a verdict stands. */
interface Standing {
  readonly rule: Rule;
  readonly chain: Chain;
  readonly base: BaseChain;
  /** What is not known about the packet's coming to the verdict. */
  readonly outer: Doubt;
  /** Whether the conditions of the rule itself hold for sure. */
  readonly isSure: boolean;
  readonly packets: number | null;
  readonly ends: End[];
  readonly depth: number;
}

/** One way of a packet through the rules of a machine. Rules may change the packet. */
export class Traversal {
  /** Whether the mark of the packet was asked for before any rule had set it. */
  assumesMark = false;
  /** Whether the device was asked for that the packet leaves by. */
  assumesRoute = false;
  /** Whether counters speak against it: what surely came to a rule was not counted there. */
  isContradicted = false;
  /** Whether it is not known which rules the packet came by. */
  private isLost = false;
  private steps = 0;

  constructor(
    private readonly ruleset: Ruleset,
    readonly packet: Packet,
    /** Whether the ruleset was read after the packets passed, so that its counters tell of them. */
    private readonly isCounted: boolean,
  ) {}

  /** Statements looked at. */
  get effort(): number {
    return this.steps;
  }

  /** Whether too much was to be looked at. */
  get isExhausted(): boolean {
    return this.steps > MAX_STEPS;
  }

  /** The ends that a base chain may have for the packet. */
  run(base: BaseChain): End[] {
    const ends: End[] = [];
    const { hook, priority } = base;
    const isEarly = (hook === 'prerouting' || hook === 'output') && priority <= TRACKING_PRIORITY;
    this.packet.isBeforeTracking = isEarly || hook === 'ingress' || hook === 'egress';
    const isOn = this.pass(base, base, 'none', ends, 0);
    const packets = this.isCounted ? base.packets : null;
    // What surely comes to the policy did not.
    if (isOn && packets === 0 && ends.length === 0) this.isContradicted = true;
    if (isOn)
      ends.push({ kind: base.drops ? 'drop' : 'accept', place: placeOf(base, base, null, packets), doubt: 'none' });
    return ends;
  }

  /** Adds the ends that a chain may have; returns whether the packet may go on behind it. */
  private pass(chain: Chain, base: BaseChain, doubt: Doubt, ends: End[], depth: number): boolean {
    if (depth > MAX_JUMPS) {
      this.steps = MAX_STEPS + 1;
      return true;
    }
    let mayReturn = false;
    for (const rule of chain.rules) {
      const way = this.apply(rule, chain, base, doubt, ends, depth);
      if (this.isExhausted || this.isContradicted) return true;
      if (way === 'ends') return mayReturn;
      if (way === 'returns') return true;
      if (way === 'may return') mayReturn = true;
    }
    return true;
  }

  private apply(rule: Rule, chain: Chain, base: BaseChain, outer: Doubt, ends: End[], depth: number): Step {
    const elements: Elements = (name) => this.ruleset.elements.get(chainKey(chain.family, chain.table, name)) ?? null;
    let doubt: Doubt = 'none';
    let packets: number | null = null;
    const doubts = (more: Doubt) => {
      if (doubt !== 'other') doubt = more;
    };
    const isSure = () => doubt === 'none' && outer === 'none' && !this.isLost;
    const end = (verdict: End['kind']): Step => {
      // Nobody is told of a broadcast (RFC 1122 section 3.2.2).
      const kind = verdict === 'refuse' && this.packet.destination === BROADCAST ? 'drop' : verdict;
      ends.push({ kind, place: placeOf(chain, base, rule, packets), doubt: worse(outer, doubt) });
      if (doubt === 'none') return 'ends';
      this.isLost = true;
      return 'on';
    };
    const follow = (verdict: Row | null) => {
      if (doubt !== 'none') this.isLost = true;
      return this.follow(verdict ?? {}, {
        rule,
        chain,
        base,
        outer: worse(outer, doubt),
        isSure: doubt === 'none',
        packets,
        ends,
        depth,
      });
    };

    for (const statement of rule.statements) {
      if (++this.steps > MAX_STEPS) return 'on';
      const match = record(statement.match);
      if (match) {
        const truth = this.ask(match, elements);
        if (truth === 'no') return 'on';
        if (truth === 'maybe') doubts('other');
        continue;
      }
      const [key] = Object.keys(statement);
      if (key === 'xt') {
        const name = record(statement.xt)?.name;
        if (record(statement.xt)?.type !== 'target') {
          if (name !== 'comment') doubts(TRACKING.includes(name) ? 'tracking' : 'other');
          continue;
        }
        if (PASSING.includes(name)) continue;
        if (name === 'REJECT') return end('refuse');
        if (this.changes(name)) continue;
        if (name === 'DNAT' || name === 'SNAT' || name === 'MASQUERADE' || name === 'REDIRECT') return end('accept');
        return end('other');
      }
      if (key === 'counter') {
        const counted = count(record(statement.counter)?.packets);
        if (this.isCounted && counted === 0) {
          // What may come here did not.
          this.isContradicted ||= doubt === 'none' && outer === 'none';
          return 'on';
        }
        if (this.isCounted) packets = counted ?? packets;
        continue;
      }
      if (QUIET.includes(key)) continue;
      if (AT_TIMES.includes(key) || (key === 'set' && record(statement.set)?.stmt !== undefined)) {
        doubts('other');
        continue;
      }
      if (key === 'set' || key === 'map') continue;
      if (key === 'notrack') {
        this.packet.state = isSure() ? 'untracked' : null;
        continue;
      }
      if (key === 'mangle') {
        this.mangle(record(statement.mangle), isSure());
        continue;
      }
      if (key === 'accept' || key === 'drop') return end(key);
      if (key === 'reject') return end('refuse');
      if (key === 'dnat') {
        this.translate(record(statement.dnat), isSure());
        return end('accept');
      }
      if (key === 'snat' || key === 'masquerade' || key === 'redirect') {
        this.changes(key === 'redirect' ? 'REDIRECT' : 'SNAT');
        return end('accept');
      }
      if (key === 'vmap') {
        const vmap = record(statement.vmap) ?? {};
        const entry = mapped(vmap, this.packet, elements);
        this.noteAssumed(entry === null ? 'maybe' : 'yes', vmap.key);
        if (entry === undefined) return 'on';
        if (entry !== null) return follow(record(entry.item));
        this.isLost = true;
        ends.push({ kind: 'other', place: null, doubt: 'other' });
        return 'may return';
      }
      if (key === 'return' || key === 'jump' || key === 'goto') return follow(statement);
      return end('other');
    }
    return 'on';
  }

  private follow(verdict: Row, { rule, chain, base, outer, isSure, packets, ends, depth }: Standing): Step {
    if ('accept' in verdict || 'drop' in verdict) {
      const kind = 'accept' in verdict ? 'accept' : 'drop';
      ends.push({ kind, place: placeOf(chain, base, rule, packets), doubt: outer });
      return isSure ? 'ends' : 'on';
    }
    if ('return' in verdict) return isSure ? 'returns' : 'may return';
    if ('continue' in verdict) return 'on';
    const target = text(record(verdict.jump ?? verdict.goto)?.target);
    const next = target === null ? undefined : this.ruleset.chains.get(chainKey(chain.family, chain.table, target));
    if (!next) {
      ends.push({ kind: 'other', place: null, doubt: 'other' });
      return 'may return';
    }
    if (!this.pass(next, base, outer, ends, depth + 1)) return isSure ? 'ends' : 'on';
    if (!('goto' in verdict)) return 'on';
    return isSure ? 'returns' : 'may return';
  }

  private ask(match: Row, elements: Elements): Truth {
    const truth = holdsFor(match, this.packet, elements);
    this.noteAssumed(truth, match.left);
    return truth;
  }

  private noteAssumed(truth: Truth, left: unknown): void {
    if (truth === 'maybe') return;
    if (this.packet.isMarkAssumed && asksFor(left, MARK)) this.assumesMark = true;
    if (asksFor(left, OUTPUT)) this.assumesRoute = true;
  }

  private mangle(mangle: Row | null, isSure: boolean): void {
    const key = record(mangle?.key);
    const meta = record(key?.meta)?.key;
    const { packet } = this;
    if (meta === 'mark') {
      const value = written(mangle?.value);
      packet.mark = isSure && typeof value === 'number' ? value : null;
      packet.isMarkAssumed = false;
    } else if (record(key?.payload)) this.forget();
  }

  /** What a target of iptables writes is not shown. Returns whether the packet goes on behind it. */
  private changes(target: unknown): boolean {
    const { packet } = this;
    if (target === 'MARK' || target === 'CONNMARK') {
      packet.mark = null;
      packet.isMarkAssumed = false;
      return true;
    }
    if (target === 'CT' || target === 'NOTRACK') {
      packet.state = null;
      return true;
    }
    if (target === 'SNAT' || target === 'MASQUERADE') packet.source = packet.sourcePort = null;
    if (target === 'DNAT' || target === 'REDIRECT' || target === 'NETMAP' || target === 'TPROXY')
      packet.destination = packet.destinationPort = packet.isTranslated = packet.isLocal = null;
    return false;
  }

  private translate(nat: Row | null, isSure: boolean): void {
    const { packet } = this;
    const ip = parseIp(text(nat?.addr) ?? '');
    const isKnown = isSure && ip !== null && (ip.family === 4) === packet.isIpv4;
    packet.destination = isKnown ? addressValue(ip.words) : null;
    packet.isTranslated = isSure ? true : null;
    packet.isLocal = null;
    if (nat?.port !== undefined) packet.destinationPort = isSure ? count(nat.port) : null;
  }

  private forget(): void {
    const { packet } = this;
    packet.source = packet.destination = packet.sourcePort = packet.destinationPort = null;
  }
}

function worse(a: Doubt, b: Doubt): Doubt {
  if (a === 'other' || b === 'other') return 'other';
  return a === 'tracking' ? a : b;
}

function placeOf(chain: Chain, base: BaseChain, rule: Rule | null, packets: number | null): Place {
  const { family, table, name } = chain;
  return { family, table, chain: name, base: base.name, hook: base.hook, rule, packets };
}
