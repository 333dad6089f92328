import type { Device } from '../../../network/context/device.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { ns } from '../../../network/settings.js';
import { formatMac } from '../../../wire/address.js';
import { onlyOf } from '../../parts/device-argument.js';
import { label } from '../../parts/question.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { EvidenceRef } from '../../rule.js';
import { isBalanced } from './balanced.js';
import { mergedAmong } from './merged.js';

/** How two stations came to claim one address: rows of `bindings`, and in which forms. */
export interface Claimants {
  readonly a: number;
  readonly b: number;
  /** Two answers to one request. */
  readonly doubly: boolean;
  /** Time between the two answers in ns, the shortest; Infinity if there were none. */
  readonly apart: number;
  /** Answers that nobody asked for. */
  readonly usurped: boolean;
  /** How many of them. */
  readonly unasked: number;
  /** `Frame.time` of the first unasked answer that no broadcast of the other station had called for; NaN if there was none. */
  readonly uncalled: number;
  /** One more of them came a second later or more. */
  readonly goesOn: boolean;
  /** `Frame.time` of the first of the claims that contradict each other. */
  readonly since: number;
  /** The capture shows elsewhere, at another port or in another VLAN, that both MACs are one host's: known at its end. */
  readonly oneHost: boolean;
  /** Nobody got two answers, and the capture may hold two networks put together (`mergedAmong`): known at its end. */
  readonly merged: boolean;
}

/**
 * What is behind it, so that one rule speaks: `spoof` (arp/spoof, with arp/duplicate-address as its symptom), `flux`
 * (arp/flux), `virtual` (arp/vip-flip), `duplicate` (arp/duplicate-address), or something healthy.
 */
export type Kind = 'spoof' | 'flux' | 'virtual' | 'duplicate' | 'healthy';

export function kindOf(network: Network, claimants: Claimants): Kind {
  const { bindings } = network;
  const { a, b, doubly, usurped } = claimants;
  if ([a, b].some((row) => isVirtualRouter(bindings.hi(row), bindings.lo(row)))) return 'healthy';
  if (claimants.oneHost || isOneHost(network, a, b)) return 'flux';
  if (!doubly && tellsAsBalanced(network, claimants) && isBalanced(network, a, b)) return 'healthy';
  if (usurped) return 'spoof';
  // A proxy asks for the address that it answers for; arp/proxy tells it.
  if ([a, b].some((row) => (bindings.claims(row) & Claim.Asked) !== 0)) return 'healthy';
  if (isFlux(network, a, b) || isFlux(network, b, a) || answerTogether(network, claimants)) return 'flux';
  if (claimants.merged) return 'duplicate';
  if (network.virtualRouters.isVirtual(bindings.segment(a), bindings.address(a))) return 'virtual';
  return isServed(network, a, b) && isServed(network, b, a) ? 'virtual' : 'duplicate';
}

/**
 * Whether answers are told as a bond in mode balance-alb does, as far as is known yet: its broadcast makes its clients forget the MAC
 * that was meant for them, so some 2 s after each it tells them again, unasked (kernel: rlb_req_update_subnet_clients in
 * drivers/net/bonding/bond_alb.c), and otherwise only when it balances anew.
 */
function tellsAsBalanced({ now, settings }: Network, { usurped, goesOn, since }: Claimants): boolean {
  return usurped ? !goesOn : now - since < ns(settings.balanceUpdate);
}

/** Whether a claimant lets others know that it has the address, and has another one besides. */
function isServed(network: Network, row: number, rival: number): boolean {
  const serves = (network.bindings.claims(row) & (Claim.Reply | Claim.Announcement)) !== 0;
  return serves && mainAddress(network, row, rival) >= 0;
}

/**
 * An address that a claimant has beside the contested one and that the rival does not claim: with one of these on both sides
 * the contested address is one that nodes take over from each other. Row of `bindings`, -1 if there is none.
 */
export function mainAddress(network: Network, row: number, rival: number): number {
  const { bindings, claims } = network;
  const segment = bindings.segment(row);
  const main = bindings.others(row).find((other) => {
    const address = bindings.address(other);
    const theirs = bindings.find(segment, bindings.hi(rival), bindings.lo(rival), address);
    return claims.holder(segment, address) === other && (theirs < 0 || !claimsItself(network, theirs));
  });
  return main ?? -1;
}

/** Remembers who claims what against whom, and tells it again when more is known; `MAX_REMEMBERED` addresses. */
export class Contests {
  private readonly seen = new Map<number, Claimants>();

  constructor(
    private readonly network: Network,
    private readonly tell: (claim: number, claimants: Claimants) => void,
  ) {}

  /** Handlers of the events that speak of one address and several stations. */
  readonly events = {
    contested: (a: number, b: number, claim: number) => this.note(a, b, claim, false, false),
    doublyAnswered: (a: number, b: number, claim: number) => this.note(a, b, claim, true, false),
    usurped: (a: number, b: number, claim: number) => this.note(a, b, claim, false, true),
  };

  /** Tells all of a capture again: what the rest of it showed may excuse or prove. */
  again(capture: number): void {
    const { network } = this;
    const { claims, segments } = network;
    const all = [...this.seen].filter(
      ([claim, claimants]) =>
        segments.captureOf(claims.segment(claim)) === capture && isAbout(network, claim, claimants),
    );
    const hosts = new Set(
      all
        .filter(([, claimants]) => kindOf(network, claimants) === 'flux')
        .map(([, claimants]) => macs(network, claimants)),
    );
    const merged = mergedAmong(
      network,
      all.map(([, claimants]) => claimants).filter(({ doubly }) => !doubly),
    );
    for (const [claim, claimants] of all) {
      const oneHost = hosts.has(macs(network, claimants));
      this.tell(claim, { ...claimants, oneHost, merged: merged.has(claimants) });
    }
  }

  private note(a: number, b: number, claim: number, doubly: boolean, usurped: boolean): void {
    const before = this.seen.get(claim);
    const { claims, now, settings } = this.network;
    const apart = doubly ? now - claims.answeredAt(claim) : Number.POSITIVE_INFINITY;
    const isUncalled = usurped && now - claims.lastOfOther(claim) > ns(settings.balanceUpdate);
    const uncalled = before?.uncalled ?? Number.NaN;
    // The first event comes with the second answer.
    const newly = before?.usurped ? 1 : 2;
    const claimants = {
      // Who usurps stays the claimant, whatever is seen of it later.
      ...(before?.usurped ? { a: before.a, b: before.b } : { a, b }),
      doubly: doubly || (before?.doubly ?? false),
      apart: Math.min(apart, before?.apart ?? apart),
      usurped: usurped || (before?.usurped ?? false),
      unasked: (before?.unasked ?? 0) + (usurped ? newly : 0),
      uncalled: Number.isNaN(uncalled) && isUncalled ? now : uncalled,
      goesOn: (before?.goesOn ?? false) || (isUncalled && now - uncalled >= 1e9),
      since: before?.since ?? now,
      oneHost: false,
      merged: false,
    };
    if (before || this.seen.size < MAX_REMEMBERED) this.seen.set(claim, claimants);
    this.tell(claim, claimants);
  }
}

const MAX_REMEMBERED = 4096;
/** One host answers by its devices within that: recorded were 0.02 to 0.4 ms. A proxy waits longer. */
const AT_ONCE_NS = 5e6;

/** The MACs of both, whichever came first. */
function macs({ bindings }: Network, { a, b }: Claimants): string {
  return [a, b]
    .map((row) => formatMac(bindings.hi(row), bindings.lo(row)))
    .sort()
    .join();
}

/** Whether the rows still stand for that contest: full tables give them to other addresses. */
function isAbout({ bindings, claims }: Network, claim: number, { a, b }: Claimants): boolean {
  const segment = claims.segment(claim);
  const address = claims.address(claim);
  return (
    claims.isContested(segment, address) &&
    [a, b].every((row) => bindings.segment(row) === segment && bindings.address(row) === address)
  );
}

/** A contested address in words. The key is the same in all rules about it. */
export function contestOf(network: Network, claim: number, { a, b }: Claimants) {
  const { claims, segments, addresses, bindings, context } = network;
  const segment = claims.segment(claim);
  const capture = segments.captureOf(segment);
  const ip = addresses.format(claims.address(claim));
  const [claimant, rival] = [a, b].map((row) => formatMac(bindings.hi(row), bindings.lo(row)));
  const evidence: EvidenceRef[] = claims
    .frames(claim)
    .map((place) => ({ capture, layer: 'arp', note: `says that it has ${ip}`, ...place }));
  const first = claims.since(claim);
  // A contest is told before the claim that begins it is noted as the latest.
  const last = Math.max(first, claims.last(claim));
  const found = [b, a].map((row) => context?.devicesByMac(bindings.hi(row), bindings.lo(row)) ?? []);
  const names = found.flatMap((each, i) =>
    each.slice(0, 1).map((device) => `${[rival, claimant][i]} is ${label(device)}`),
  );
  const devices = found.map(onlyOf);
  const fields = { key: `${segment} ${ip}`, segment, capture, count: evidence.length, first, last, evidence };
  return { ...fields, ip, claimant, rival, names, devices };
}

/** Whether the station said by ARP itself that the address is its own. */
export function claimsItself({ bindings }: Network, row: number): boolean {
  return (bindings.claims(row) & Claim.Own) !== 0;
}

/** Whether the context shows the two as devices of one host. */
export function isOneHost(network: Network, a: number, b: number): boolean {
  return deviceOfBoth(network, a, b) !== null;
}

/** A device of the context whose namespace has a device with the MAC of either: the two are one host. */
export function deviceOfBoth({ bindings, context }: Network, a: number, b: number): Device | null {
  const here = context?.devicesByMac(bindings.hi(a), bindings.lo(a)) ?? [];
  const there = context?.devicesByMac(bindings.hi(b), bindings.lo(b)) ?? [];
  return here.find(({ namespace }) => there.some((other) => other.namespace === namespace)) ?? null;
}

/**
 * Whether they are two hosts for sure: the context has both MACs, in namespaces of their own; or packets from the address come
 * from both, while one host sends by the one device that its route names.
 */
export function areTwoHosts(network: Network, a: number, b: number): boolean {
  const { bindings, context } = network;
  if (isOneHost(network, a, b)) return false;
  if (bindings.sourcedSince(a) > 0 && bindings.sourcedSince(b) > 0) return true;
  return [a, b].every((row) => (context?.devicesByMac(bindings.hi(row), bindings.lo(row)) ?? []).length > 0);
}

/** ARP flux: what is sent to one MAC is answered from the other, so one host has both (catalogue A7). */
function isFlux(network: Network, a: number, b: number): boolean {
  const { bindings } = network;
  if (repliesAround(network, a, b)) return true;
  return (
    bindings.delivered(a) > 0 &&
    bindings.sourcedSince(a) === 0 &&
    bindings.sourcedSince(b) > 0 &&
    bindings.delivered(b) === 0
  );
}

/**
 * Whether the two answer for the same addresses at once, two or more, and neither has one of its own: several devices of one host in
 * one subnet, each with its address. Of two machines with the same addresses both would send from all of them.
 */
export function answerTogether(network: Network, { a, b, apart }: Claimants): boolean {
  const { bindings, claims } = network;
  if (apart > AT_ONCE_NS) return false;
  const segment = bindings.segment(a);
  if (mainAddress(network, a, b) >= 0 || mainAddress(network, b, a) >= 0) return false;
  const shared = [[a, b]];
  for (const other of bindings.others(a)) {
    const theirs = bindings.find(segment, bindings.hi(b), bindings.lo(b), bindings.address(other));
    const both = theirs < 0 ? 0 : bindings.claims(other) & bindings.claims(theirs);
    if ((both & Claim.Reply) !== 0 && claims.isContested(segment, bindings.address(other)))
      shared.push([other, theirs]);
  }
  const isSentByBoth = (pair: readonly number[]) => pair.every((row) => bindings.sourcedSince(row) > 0);
  return shared.length > 1 && !shared.every(isSentByBoth);
}

/** Pings to the address that went to one MAC were answered from the other. */
function repliesAround({ bindings, pings }: Network, a: number, b: number): boolean {
  const address = bindings.address(a);
  return pings
    .sentTo(bindings.segment(a), bindings.hi(a), bindings.lo(a))
    .some(
      (row) =>
        pings.destination(row) === address &&
        pings.aroundReplies(row) > 0 &&
        pings.replyHi(row) === bindings.hi(b) &&
        pings.replyLo(row) === bindings.lo(b),
    );
}
