import { ipKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { REFLECTION_WINDOW_NS } from '../../network/link/copies.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Type, NdpOption, ndpOption, TARGET } from '../../wire/icmpv6.js';
import { SOURCE } from '../../wire/ipv6.js';
import { printable } from '../../wire/printable.js';
import { Protocol } from '../../wire/protocol.js';
import { confidenceBy } from '../parts/confidence.js';
import { sourceAt } from '../parts/link.js';
import { label, modeOf, questionOf } from '../parts/question.js';
import { isAtReflector } from '../parts/reflector.js';
import { segmentAt } from '../parts/segment.js';
import type { EvidenceRef, Rule, RuleId } from '../rule.js';
import { reflectedCures } from './parts/reflected-cures.js';

const MAX_PROBERS = 1000;
/** Addresses named of one prober, and questions for them. */
const MAX_TARGETS = 32;
/** Bytes of a neighbor solicitation without options (RFC 4861 section 4.3). */
const MESSAGE_LENGTH = 24;

/** An address whose probe came back. */
interface Target {
  readonly address: number;
  readonly frames: readonly EvidenceRef[];
  /** Nobody answers for it later on. */
  unanswered: boolean;
}

/** A station that hears its own questions. */
interface Prober {
  readonly segment: number;
  readonly base: number;
  readonly capture: number;
  readonly hi: number;
  readonly lo: number;
  readonly targets: Map<number, Target>;
  /** Directions tell that the probe came back by the port where it passed. */
  directed: boolean;
  /** One frame came so often that it goes round: a loop's doing. */
  loops: boolean;
  first: number;
  last: number;
  count: number;
  /** Findings of `nd/unanswered` about its addresses. */
  readonly symptoms: Map<string, { rule: RuleId; key: string }>;
}

/** The own probe of duplicate address detection comes back and is taken for another station's (catalogue A17 b). */
export const dadReflected: Rule = {
  meta: {
    id: 'nd/dad-reflected',
    severity: 'warning',
    summary: 'A host’s question whether an IPv6 address is free comes back to it, and it takes it for another’s',
    catalogue: 'A17',
    thresholds: {
      loop: {
        value: 5,
        unit: 'sightings of one frame that speak of a loop, not of a relay',
        source: 'a relay sends each back once',
      },
      seconds: {
        value: 5,
        unit: 'seconds without a packet from a link-local address that show that it is not used',
        source: 'a router solicitation follows within a second, and after four the next (RFC 4861 section 6.3.7)',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { addresses, bindings, segments, copies } = network;
    const probers = new Map<string, Prober>();

    function tell(key: string, prober: Prober): void {
      const { segment, capture, base, hi, lo, count, first, last } = prober;
      // An address that is used passed its detection.
      const targets = [...prober.targets.values()].filter(({ address }) => bindings.find(segment, hi, lo, address) < 0);
      const device = deviceOf(network, prober);
      if (prober.loops || targets.length === 0 || (device && isSpared(device))) {
        withdraw(key);
        return;
      }
      const mac = formatMac(hi, lo);
      const ips = targets.map(({ address }) => addresses.format(address));
      const failed = device
        ? targets.filter(({ address }) => isFailed(network, device, addresses.words(address))).length
        : 0;
      const isDead = targets.some(
        (target) => target.unanswered || keepsSilent(network, target, last, thresholds.seconds),
      );
      const isSeen = prober.directed || isAtReflector(network);
      const confidence = confidenceBy({ certain: failed > 0, likely: isDead || (isSeen && device !== null) });
      const others = ips.length > 1 ? ` and ${ips.length - 1} more` : '';
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        confidence,
        title: `${mac} hears its own question for ${ips[0]}${others} and ${confidence === 'hint' ? 'may give' : 'gives'} the address up`,
        summary:
          `${mac} asks whether ${ips.join(', ')} is free (duplicate address detection), and the same frame comes back within ${REFLECTION_WINDOW_NS / 1e6} ms. ` +
          'It carries no nonce (RFC 7527) by which its sender would know it: the host takes it for another one that wants the address too, and marks the address dadfailed.',
        subject: { ip: ips[0], mac },
        evidence: targets.flatMap(({ frames }) => frames),
        cause:
          'The switch port facing the host sends frames back to where they came from (hairpin, reflective relay), and the host probes without a nonce: ' +
          'net.ipv6.conf.*.enhanced_dad is 0, or its system does not know RFC 7527.',
        remedy: reflectedCures(network, device, ips),
        caveats:
          confidence === 'hint'
            ? [
                'a capture that shows each frame twice looks alike, and so does a macvlan child in vepa or bridge mode, which is not handed its own frames',
              ]
            : [],
        wouldRaise:
          confidence === 'certain' ? [] : ['`ip -6 addr` at the host (--context): dadfailed beside the address'],
        context: device
          ? [
              ...(device.mode ? [modeOf(device)] : []),
              ...(failed > 0 ? [`${label(device)}: ${printable(ips.join(', '))} dadfailed`] : []),
            ]
          : [],
        explains: [{ rule: 'ethernet/reflection', key: String(base) }, ...prober.symptoms.values()],
      });
    }

    return {
      events: {
        copied(copy, frame, base) {
          const layer = probeLayer(frame);
          if (layer < 0) return;
          const segment = segmentAt(network, frame, layer);
          if (segment < 0) return;
          const [hi, lo] = sourceAt(frame, 0);
          const key = `${segment} ${formatMac(hi, lo)}`;
          let prober = probers.get(key);
          const isOften = copies.count(copy) + 1 >= thresholds.loop;
          if (!prober) {
            if (probers.size === MAX_PROBERS) return;
            const first = copies.firstTime(copy);
            const { capture, time: last } = frame;
            const none = { targets: new Map(), symptoms: new Map(), directed: false, loops: false, count: 0 };
            prober = { segment, base, capture, hi, lo, first, last, ...none };
            probers.set(key, prober);
          }
          if (isOften) prober.loops = true;
          else if (copies.count(copy) > 1) return;
          else if (!note(prober, copy, frame, layer)) return;
          tell(key, prober);
        },
        unanswered(row) {
          if (probers.size === 0) return;
          const segment = network.resolutions.segment(row);
          const address = network.resolutions.tpa(row);
          for (const [key, prober] of probers) {
            const target = prober.targets.get(address);
            if (!target || prober.symptoms.size >= MAX_TARGETS || !isAlike(network, prober.segment, segment)) continue;
            const question = questionOf(network, row);
            if (question.first < prober.first) continue;
            target.unanswered = true;
            prober.symptoms.set(question.key, { rule: 'nd/unanswered', key: question.key });
            tell(key, prober);
          }
        },
      },
      captureEnd(capture) {
        for (const [key, prober] of probers) if (prober.capture === capture) tell(key, prober);
      },
    };

    /** Takes in a probe that came back; false if it is none that its sender would be troubled by. */
    function note(prober: Prober, copy: number, frame: Frame, layer: number): boolean {
      const before = copies.firstDirection(copy);
      const isDirected =
        (before === Direction.Out && frame.direction === Direction.In) ||
        (before === Direction.In && frame.direction === Direction.Out);
      if (!isDirected && (before !== Direction.Unknown || frame.direction !== Direction.Unknown)) return false;
      if (frame.time - copies.firstTime(copy) > REFLECTION_WINDOW_NS) return false;
      const at = frame.offsets[layer];
      const address = addresses.ipv6(frame.view, at + TARGET);
      if (prober.targets.size < MAX_TARGETS || prober.targets.has(address)) {
        const ip = addresses.format(address);
        const place = {
          capture: segments.captureOf(prober.segment),
          layer: 'icmpv6',
          offset: at - frame.start,
          length: MESSAGE_LENGTH,
        };
        prober.targets.set(address, {
          address,
          unanswered: false,
          frames: [
            { ...place, frame: copies.firstNumber(copy), note: `asks whether ${ip} is free, without a nonce` },
            { ...place, frame: frame.number, note: 'the same question comes back' },
          ],
        });
      }
      prober.directed ||= isDirected;
      prober.last = frame.time;
      prober.count++;
      return true;
    }
  },
};

/** The layer of a probe without a nonce, in the outermost frame; -1 if it is something else. */
function probeLayer({ kinds, layerCount, offsets, limits, statuses, view }: Frame): number {
  const layer = layerCount - 1;
  // LINUX_SLL does not tell devices apart: what goes out at one comes in at another.
  if (layer < 2 || kinds[layer] !== Protocol.Icmpv6 || kinds[0] === Protocol.Sll || statuses[layer] !== 0) return -1;
  if (kinds[layer - 1] !== Protocol.Ipv6) return -1;
  for (let each = 1; each < layer - 1; each++) if (kinds[each] !== Protocol.Vlan) return -1;
  const at = offsets[layer];
  if (icmpv6Type(view, at) !== Icmpv6Type.NeighborSolicitation) return -1;
  const source = offsets[layer - 1] + SOURCE;
  for (let word = 0; word < 16; word += 4) if (view.getInt32(source + word) !== 0) return -1;
  return ndpOption(view, at, limits[layer], NdpOption.Nonce) < 0 ? layer : -1;
}

function deviceOf({ context }: Network, { hi, lo }: Prober): Device | null {
  const devices = context?.devicesByMac(hi, lo) ?? [];
  return (
    devices.find(isSpared) ??
    devices.find(({ addresses }) => addresses.some((each) => each.dadFailed)) ??
    devices[0] ??
    null
  );
}

/** The kernel does not hand such a child what it sent itself (`macvlan_multicast_rx` in drivers/net/macvlan.c). */
function isSpared({ kind, mode }: Device): boolean {
  return (kind === 'macvlan' || kind === 'macvtap') && (mode === 'vepa' || mode === 'bridge');
}

function isFailed({ context }: Network, { mac }: Device, words: ArrayLike<number>): boolean {
  const holders = context?.devicesByIp(words) ?? [];
  return holders.some(
    (holder) =>
      holder.mac?.text === mac?.text &&
      holder.addresses.some((each) => each.dadFailed === true && ipKey(each.words) === ipKey(words)),
  );
}

/** A link-local address that is used says so at once: its owner solicits routers and reports its groups from it. */
function keepsSilent({ addresses, now }: Network, { address }: Target, last: number, seconds: number): boolean {
  return addresses.words(address)[0] >>> 22 === 0xfe80 >>> 6 && now - last > seconds * 1e9;
}

/** Whether two segments are the same VLANs and tunnels, perhaps at different ports of one capture. */
function isAlike({ segments }: Network, a: number, b: number): boolean {
  if (a === b) return true;
  const [one, other] = [segments.describe(a), segments.describe(b)];
  const path = ({ vlans, vnis }: typeof one) => `${vlans}/${vnis}`;
  return one.capture === other.capture && path(one) === path(other);
}
