import { macKey } from './address.js';
import {
  type Device,
  type Draft,
  type Found,
  isPair,
  isStacked,
  type Link,
  type Namespace,
  sharesMac,
} from './device.js';

/** More devices of other namespaces with the wanted index than this say nothing, and would cost their square. */
const MAX_CANDIDATES = 1024;

/** Masters that take the receive handler of a device, which macvlan and ipvlan need for themselves. */
const HANDLER = new Set(['bridge', 'bond', 'team', 'openvswitch', 'hsr']);

/**
 * Finds parents and veth peers. A link into another namespace names an interface index and a number that stands
 * for that namespace, not its name; what the kernel makes true of parents, children and peers narrows the choice.
 * Only what is proved, or paired off without a rival, is entered as `device`; the rest stays in `candidates`.
 */
export function resolveLinks(namespaces: ReadonlyMap<string, Namespace>, drafts: readonly Draft[]): void {
  new Resolver(namespaces, drafts).run();
}

class Resolver {
  private readonly byIndex = new Map<number, Draft[]>();
  private readonly pairs = new Map<string, Draft[]>();
  private readonly open = new Set<Draft>();
  /** (namespace, netnsid) → namespace, as the host says or settled links prove it; null for one that is not in the file. */
  private readonly netns = new Map<string, Map<number, string | null>>();

  constructor(
    private readonly namespaces: ReadonlyMap<string, Namespace>,
    private readonly drafts: readonly Draft[],
  ) {
    for (const [name, { ids }] of namespaces) if (ids.size > 0) this.netns.set(name, new Map(ids));
    for (const device of drafts) {
      if (canCarry(device)) append(this.byIndex, device.index, device);
      if (isPair(device) && device.link?.index) append(this.pairs, `${device.index} ${device.link.index}`, device);
    }
  }

  run(): void {
    for (const device of this.drafts) this.start(device);
    this.settleByNamespace();
    for (const device of this.open) this.settleByAddress(device);
    this.settleByNamespace();
    for (const device of this.open) this.settleByCounters(device);
    this.settleByNamespace();
    // Last, and followed by no conclusions: it is the one that a namespace missing in the file can deceive.
    for (const device of this.open) this.settleByPairing(device);
    for (const device of this.open) this.narrow(device, this.rivals(device));
  }

  private start(device: Draft): void {
    const { link } = device;
    if (!link) return;
    if (link.name) {
      const other = this.namespaces.get(device.namespace)?.devices.get(link.name);
      if (other && other !== device && !(isStacked(device) && isStacked(other))) enter(device, other, 'name');
      return;
    }
    this.open.add(device);
    this.narrow(device, this.candidates(device, link));
  }

  private candidates(device: Draft, link: Link): Device[] {
    const group = isPair(device) ? this.pairs.get(`${link.index} ${device.index}`) : this.byIndex.get(link.index ?? 0);
    if (!group || group.length > MAX_CANDIDATES) return [];
    return group.filter((other) => isPossible(device, other));
  }

  private settleByAddress(device: Draft): void {
    const shares = sharesMac(device);
    const candidates = this.rivals(device);
    const proved = shares ? candidates : candidates.filter((other) => hasMet(device, other));
    if (proved.length === 1) this.settle(device, proved[0], shares ? 'mac' : 'fdb');
  }

  private settleByNamespace(): void {
    for (const device of this.open) {
      const { link } = device;
      if (!link || link.netnsid === null) continue;
      const known = this.netns.get(device.namespace);
      const target = known?.get(link.netnsid);
      if (target === null) this.narrow(device, []);
      else if (target !== undefined) {
        const other = this.namespaces.get(target)?.byIndex.get(link.index ?? 0);
        // What the kernel says itself needs no other sign; of a pair both ends must say it, for they are asked one after the other.
        const isSaid = !isPair(device) && this.namespaces.get(device.namespace)?.ids.has(link.netnsid);
        if (other && (isSaid || isPossible(device, other))) this.settle(device, other, 'netns');
        else this.narrow(device, []);
      } else if (known) {
        const taken = new Set(known.values());
        this.narrow(
          device,
          link.candidates.filter((other) => !taken.has(other.namespace)),
        );
      }
    }
  }

  /** Equal traffic both ways, as of a ping, fits other pairs as well: only what differs tells the ends apart. */
  private settleByCounters(device: Draft): void {
    if (!isPair(device) || device.counters?.rxBytes === device.counters?.txBytes) return;
    const mirrors = (end: Device) => this.rivals(end).filter((other) => isMirrored(end, other));
    this.settleMutual(device, mirrors, 'counters');
  }

  private settleByPairing(device: Draft): void {
    if (!isPair(device)) return;
    const [other] = this.rivals(device);
    if (other && isMirrored(device, other) !== false) this.settleMutual(device, (end) => this.rivals(end), 'pair');
  }

  /** Settles two ends that choose each other and nobody else. */
  private settleMutual(device: Draft, choose: (end: Device) => readonly Device[], found: Found): void {
    const others = choose(device);
    const [back, ...more] = others.length === 1 ? choose(others[0]) : [];
    if (back === device && more.length === 0) this.settle(device, others[0], found);
  }

  private narrow(device: Draft, candidates: readonly Device[]): void {
    if (device.link) device.link = { ...device.link, candidates };
  }

  /** Candidates, less those that are wired to another device already. */
  private rivals(device: Device): readonly Device[] {
    const candidates = device.link?.candidates ?? [];
    return isPair(device) ? candidates.filter((other) => other.peer === null) : candidates;
  }

  private settle(device: Draft, other: Device, found: Found): void {
    this.open.delete(device);
    enter(device, other, found);
    this.bind(device);
    if (!isPair(device)) return;
    this.open.delete(other as Draft);
    enter(other as Draft, device, found);
    this.bind(other);
  }

  private bind(device: Device): void {
    const { link } = device;
    if (!link?.device || link.netnsid === null) return;
    const known = this.netns.get(device.namespace) ?? new Map<number, string | null>();
    if (!known.has(link.netnsid)) known.set(link.netnsid, link.device.namespace);
    this.netns.set(device.namespace, known);
  }
}

function enter(device: Draft, other: Device, found: Found): void {
  if (!device.link) return;
  device.link = { ...device.link, device: other, found, candidates: [other] };
  if (isPair(device)) device.peer = other;
  else device.parent = other;
}

/** Whether `other` can be at the far end of the link of `device`, which leads into another namespace. */
function isPossible(device: Device, other: Device): boolean {
  if (other === device || other.namespace === device.namespace) return false;
  if (isPair(device)) {
    const free = other.peer === null || other.peer === device;
    return free && other.kind === device.kind && other.link?.index === device.index && other.link.name === null;
  }
  if (!canCarry(other)) return false;
  return !sharesMac(device) || (device.mac !== null && other.mac !== null && equalMac(device, other));
}

/** Loopback carries nothing, macvlan and ipvlan children lean on the real device below (macvlan.c, ipvlan_main.c). */
function canCarry(device: Device): boolean {
  if (device.loopback || isStacked(device)) return false;
  return device.masterKind === null || !HANDLER.has(device.masterKind);
}

function equalMac(a: Device, b: Device): boolean {
  return a.mac?.hi === b.mac?.hi && a.mac?.lo === b.mac?.lo;
}

/**
 * A parent receives for its child's address. A bridge port has learned the address of its peer; a peer that is
 * a bridge port itself proves nothing, for its bridge passes on other addresses too.
 */
function hasMet(device: Device, other: Device): boolean {
  if (!isPair(device)) return knows(other.filter, device);
  return (!device.master && knows(other.learned, device)) || (!other.master && knows(device.learned, other));
}

/** Whether each end counted what the other did; null where that cannot be told. */
function isMirrored(a: Device, b: Device): boolean | null {
  if (!a.counters || !b.counters || a.counters.rxPackets + a.counters.txPackets === 0) return null;
  return (
    a.counters.rxPackets === b.counters.txPackets &&
    a.counters.txPackets === b.counters.rxPackets &&
    a.counters.rxBytes === b.counters.txBytes &&
    a.counters.txBytes === b.counters.rxBytes
  );
}

function knows(macs: ReadonlySet<number>, device: Device): boolean {
  return device.mac !== null && macs.has(macKey(device.mac.hi, device.mac.lo));
}

function append<K>(groups: Map<K, Draft[]>, key: K, device: Draft): void {
  const group = groups.get(key);
  if (group) group.push(device);
  else groups.set(key, [device]);
}
