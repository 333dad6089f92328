import { count, type Row, record, text } from '../rows.js';
import { type Elements, holdsFor, mapped, type Truth } from './conditions.js';
import type { Place } from './fate.js';
import { isForMany, type Packet } from './packet.js';
import { applyTarget, mangle, redirect, translate } from './rewriting.js';
import { type BaseChain, type Chain, chainKey, type Rule, type Ruleset } from './ruleset.js';
import { AT_TIMES, PASSING, QUIET, TRACKING } from './statements.js';
import { asksFor } from './values.js';

/** Jumps inside each other (kernel: NFT_JUMP_STACK_SIZE in include/net/netfilter/nf_tables.h). */
const MAX_JUMPS = 16;

/** Statements that one run looks at, at most. */
const MAX_STEPS = 50_000;

/** Where connection tracking comes in (kernel: NF_IP_PRI_CONNTRACK). */
const TRACKING_PRIORITY = -200;

/** Targets of iptables that translate addresses, and let the packet through by that. */
const TRANSLATING: readonly unknown[] = ['DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT'];
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

/** A chain that a packet is in, and how it came there. */
interface Standing {
  readonly chain: Chain;
  readonly base: BaseChain;
  /** What is not known about the packet's coming to this chain. */
  readonly outer: Doubt;
  readonly ends: End[];
  /** Jumps that led here. */
  readonly depth: number;
}

/** How far a packet is through the statements of a rule. */
interface Reading extends Standing {
  readonly rule: Rule;
  readonly elements: Elements;
  /** What is not known about the conditions of the rule so far. */
  doubt: Doubt;
  /** Packets that the counter met last has counted. */
  packets: number | null;
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
    const isOn = this.pass({ chain: base, base, outer: 'none', ends, depth: 0 });
    const packets = this.isCounted ? base.packets : null;
    // What surely comes to the policy did not.
    if (isOn && packets === 0 && ends.length === 0) this.isContradicted = true;
    if (isOn)
      ends.push({ kind: base.drops ? 'drop' : 'accept', place: placeOf(base, base, null, packets), doubt: 'none' });
    return ends;
  }

  /** Adds the ends that a chain may have; returns whether the packet may go on behind it. */
  private pass(standing: Standing): boolean {
    if (standing.depth > MAX_JUMPS) {
      this.steps = MAX_STEPS + 1;
      return true;
    }
    let mayReturn = false;
    for (const rule of standing.chain.rules) {
      const way = this.apply(rule, standing);
      if (this.isExhausted || this.isContradicted) return true;
      if (way === 'ends') return mayReturn;
      if (way === 'returns') return true;
      if (way === 'may return') mayReturn = true;
    }
    return true;
  }

  private apply(rule: Rule, standing: Standing): Step {
    const { family, table } = standing.chain;
    const elements: Elements = (name) => this.ruleset.elements.get(chainKey(family, table, name)) ?? null;
    const reading: Reading = { ...standing, rule, elements, doubt: 'none', packets: null };
    for (const statement of rule.statements) {
      if (++this.steps > MAX_STEPS) return 'on';
      const step = this.take(statement, reading);
      if (step !== null) return step;
    }
    return 'on';
  }

  /** What a statement makes of the packet; null where the next one of the rule decides. */
  private take(statement: Row, reading: Reading): Step | null {
    const [key] = Object.keys(statement);
    switch (key) {
      case 'match':
        return this.takeMatch(record(statement.match), reading);
      case 'xt':
        return this.takeExtension(record(statement.xt), reading);
      case 'counter':
        return this.takeCounter(record(statement.counter), reading);
      case 'set':
        if (record(statement.set)?.stmt !== undefined) raise(reading, 'other');
        return null;
      case 'map':
        return null;
      case 'notrack':
        this.packet.state = this.isSure(reading) ? 'untracked' : null;
        return null;
      case 'mangle':
        mangle(this.packet, record(statement.mangle), this.isSure(reading));
        return null;
      case 'accept':
      case 'drop':
        return this.end(key, reading);
      case 'reject':
        return this.end('refuse', reading);
      case 'dnat':
        translate(this.packet, record(statement.dnat), this.isSure(reading));
        return this.end('accept', reading);
      case 'snat':
      case 'masquerade':
        applyTarget(this.packet, 'SNAT');
        return this.end('accept', reading);
      case 'redirect':
        redirect(this.packet, record(statement.redirect), this.isSure(reading));
        return this.end('accept', reading);
      case 'vmap':
        return this.takeMap(record(statement.vmap) ?? {}, reading);
      case 'return':
      case 'jump':
      case 'goto':
        return this.follow(statement, reading);
      default:
        if (QUIET.includes(key)) return null;
        if (!AT_TIMES.includes(key)) return this.end('other', reading);
        raise(reading, 'other');
        return null;
    }
  }

  private takeMatch(match: Row | null, reading: Reading): Step | null {
    if (!match) return this.end('other', reading);
    const truth = this.ask(match, reading.elements);
    if (truth === 'no') return 'on';
    if (truth === 'maybe') raise(reading, 'other');
    return null;
  }

  /** A condition or target of iptables that nft has no words for. */
  private takeExtension(xt: Row | null, reading: Reading): Step | null {
    const name = xt?.name;
    if (xt?.type !== 'target') {
      if (name !== 'comment') raise(reading, TRACKING.includes(name) ? 'tracking' : 'other');
      return null;
    }
    if (PASSING.includes(name)) return null;
    if (name === 'REJECT') return this.end('refuse', reading);
    if (applyTarget(this.packet, name)) return null;
    return this.end(TRANSLATING.includes(name) ? 'accept' : 'other', reading);
  }

  private takeCounter(counter: Row | null, reading: Reading): Step | null {
    if (!this.isCounted) return null;
    const counted = count(counter?.packets);
    reading.packets = counted ?? reading.packets;
    if (counted !== 0) return null;
    // What may come here did not.
    this.isContradicted ||= reading.doubt === 'none' && reading.outer === 'none';
    return 'on';
  }

  private takeMap(vmap: Row, reading: Reading): Step {
    const entry = mapped(vmap, this.packet, reading.elements);
    this.noteAssumed(entry === null ? 'maybe' : 'yes', vmap.key);
    if (entry === undefined) return 'on';
    if (entry !== null) return this.follow(record(entry.item) ?? {}, reading);
    this.isLost = true;
    reading.ends.push({ kind: 'other', place: null, doubt: 'other' });
    return 'may return';
  }

  /** Whether the packet surely came as far as this in the rule. */
  private isSure({ doubt, outer }: Reading): boolean {
    return doubt === 'none' && outer === 'none' && !this.isLost;
  }

  private end(verdict: End['kind'], reading: Reading): Step {
    const { doubt, ends } = reading;
    // Nobody is told of what is for many (RFC 1122 section 3.2.2; RFC 4443 section 2.4).
    const kind = verdict === 'refuse' && isForMany(this.packet.destination) ? 'drop' : verdict;
    ends.push({ kind, place: placeIn(reading), doubt: doubtOf(reading) });
    if (doubt === 'none') return 'ends';
    this.isLost = true;
    return 'on';
  }

  private follow(verdict: Row, reading: Reading): Step {
    const { chain, base, ends, depth } = reading;
    const isSure = reading.doubt === 'none';
    const outer = doubtOf(reading);
    if (!isSure) this.isLost = true;
    if ('accept' in verdict || 'drop' in verdict) {
      const kind = 'accept' in verdict ? 'accept' : 'drop';
      ends.push({ kind, place: placeIn(reading), doubt: outer });
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
    if (!this.pass({ chain: next, base, outer, ends, depth: depth + 1 })) return isSure ? 'ends' : 'on';
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
}

/** Another condition is not known: of several, the one that says least counts. */
function raise(reading: Reading, doubt: Doubt): void {
  if (reading.doubt !== 'other') reading.doubt = doubt;
}

/** What is not known about the packet's coming to where it is in a rule. */
function doubtOf({ outer, doubt }: Reading): Doubt {
  return worse(outer, doubt);
}

function placeIn({ chain, base, rule, packets }: Reading): Place {
  return placeOf(chain, base, rule, packets);
}

function worse(a: Doubt, b: Doubt): Doubt {
  if (a === 'other' || b === 'other') return 'other';
  return a === 'tracking' ? a : b;
}

function placeOf(chain: Chain, base: BaseChain, rule: Rule | null, packets: number | null): Place {
  const { family, table, name } = chain;
  return { family, table, chain: name, base: base.name, hook: base.hook, rule, packets };
}
