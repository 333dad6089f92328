import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { asSymptom, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated } from '../parts/repeated.js';
import type { Rule, RuleId } from '../rule.js';
import { ipvlan } from './egress-filtered.js';
import { childWith } from './parts/child.js';

const MAX_QUESTIONS = 1000;
/** Resolutions looked at, and MACs and frames named. */
const MAX_ROWS = 10_000;
const MAX_NAMED = 8;

/** Stations of one machine that ask for one and the same target. */
interface Group {
  readonly segment: number;
  readonly tpa: number;
  /** The device that carries them; null where no host context says so. */
  readonly parent: Device | null;
  /** By row of `Stations`, which are in the order of first appearance. */
  readonly served: Set<number>;
  readonly refused: Map<number, Question>;
}

/** The first MACs of a machine are served, and those that came later are not (catalogue B8). */
export const macLimit: Rule = {
  meta: {
    id: 'macvlan/mac-limit',
    severity: 'warning',
    summary: 'The first MACs behind a port are served and those that came later are not: the port has a limit',
    catalogue: 'B6 B7 B8',
    silence: true,
    thresholds: {
      served: { value: 3, unit: 'MACs that are served', source: 'catalogue B8; with two it is a hint' },
      refused: { value: 2, unit: 'MACs that are not', source: 'catalogue B8: one may be a fault of its own' },
      requests: { value: 3, unit: 'requests in vain of each', source: 'the kernel’s mcast_solicit (catalogue 2)' },
    },
  },
  create({ network, report, thresholds }) {
    const { resolutions, stations, claims, addresses, segments } = network;
    const unanswered = new Set<number>();
    const again = new Set<number>();

    /** Groups of questions, those in vain first, by segment, target and carrying device. */
    function groups(capture: number): Group[] {
      const found: Group[] = [];
      for (const row of unanswered) {
        const segment = resolutions.segment(row);
        if (segments.captureOf(segment) !== capture || resolutions.requests(row) < thresholds.requests) continue;
        const station = stations.find(segment, resolutions.hi(row), resolutions.lo(row));
        const parent = carrierOf(network, resolutions.hi(row), resolutions.lo(row));
        if (station < 0 || resolutions.run(row) === 0 || stations.wasWrittenTo(station)) continue;
        if (!isHere(network, station, parent)) continue;
        const question = questionOf(network, row);
        const tpa = resolutions.tpa(row);
        if (question.target && parent && carrierOfDevice(question.target) === parent) continue;
        let group = found.find((each) => each.segment === segment && each.tpa === tpa && each.parent === parent);
        if (!group) {
          group = { segment, tpa, parent, served: new Set(), refused: new Map() };
          found.push(group);
        }
        group.refused.set(station, question);
      }
      for (let row = 0; row < Math.min(resolutions.count, MAX_ROWS) && found.length > 0; row++) {
        if (resolutions.lastAnswer(row) === Number.NEGATIVE_INFINITY || resolutions.run(row) !== 0) continue;
        const segment = resolutions.segment(row);
        const tpa = resolutions.tpa(row);
        const rivals = found.filter((each) => each.segment === segment && each.tpa === tpa);
        if (rivals.length === 0 || resolutions.repeats.count(row) > 0) continue;
        const station = stations.find(segment, resolutions.hi(row), resolutions.lo(row));
        const parent = carrierOf(network, resolutions.hi(row), resolutions.lo(row));
        if (station < 0 || !isHere(network, station, parent)) continue;
        rivals.find((each) => each.parent === parent)?.served.add(station);
      }
      return found;
    }

    function tell({ segment, tpa, parent, served, refused }: Group): void {
      if (served.size < 2 || refused.size < thresholds.refused) return;
      // Rows of stations are in the order in which they were seen, unless early ones were given up.
      if (stations.evicted > 0 || Math.max(...served) > Math.min(...refused.keys())) return;
      const questions = [...refused.entries()].sort(([a], [b]) => a - b).map(([, question]) => question);
      const first = Math.min(...questions.map((question) => question.first));
      // A target that died meanwhile would leave those that came later without answers, too.
      if (claims.lastOf(segment, tpa) <= first) return;
      const isSure = served.size >= thresholds.served;
      const capture = segments.captureOf(segment);
      const ip = addresses.format(tpa);
      const macsServed = [...served].sort((a, b) => a - b).map((row) => stations.format(row));
      const macsRefused = questions.map(({ mac }) => mac);
      const children = network.context
        ? questions.map((question) => question.asker).filter((each) => each !== null)
        : [];
      const child = children.find((each) => parent !== null && each.parent === parent);
      report({
        key: `${segment} ${ip} ${macsRefused[0]}`,
        segment,
        capture,
        count: refused.size,
        first,
        last: Math.max(...questions.map((question) => question.last)),
        confidence: isSure ? 'likely' : 'hint',
        title: `${served.size} MACs ${parent ? `of ${label(parent)} ` : ''}are served, and ${refused.size} that came later are not: a limit of the port`,
        summary:
          `All ask who has ${ip}. ${list(macsServed)} were seen first and are answered; ${list(macsRefused)} came later, ask ${thresholds.requests} times and more, and nothing is ever sent to them. ` +
          `${ip} is alive meanwhile. The port takes so many MACs and drops frames from any further one.`,
        subject: { mac: macsRefused[0], ip, ...(parent ? { device: label(parent) } : {}) },
        evidence: questions.slice(0, MAX_NAMED).flatMap((question) => requestFrames(network, question)),
        cause:
          'The switch port has a limit of MACs (port security; Cisco’s default is 1, and 2 with a phone), and the first ones to speak took the places; or the network assigned addresses to the first ones only, as clouds do.',
        remedy: [
          {
            text: 'Cisco: let more MACs in, and clear the port if it was shut down',
            commands: ['switchport port-security maximum 20', 'errdisable recovery cause psecure-violation'],
          },
          child && parent
            ? ipvlan(network.context, { child, parent })
            : {
                text: 'Or ipvlan in place of macvlan: its children share the MAC of the host, and the limit does not count them',
                commands: ['ip link add ipvl0 link <parent> type ipvlan mode l2'],
              },
        ],
        caveats: isSure ? [] : ['two MACs alone are served: the others may have a fault in common'],
        wouldRaise: [
          'the switch’s own count: `show port-security interface <port>`',
          `a capture at ${ip}: nothing from the later MACs arrives there`,
        ],
        context: children.slice(0, MAX_NAMED).map(modeOf),
        explains: questions.flatMap((question) => symptoms(question)),
      });
    }

    function symptoms(question: Question): { rule: RuleId; key: string }[] {
      const filtered = 'macvlan/egress-filtered';
      const found: { rule: RuleId; key: string }[] = [...asSymptom(question), { rule: filtered, key: question.key }];
      // Others ask for it again and again, as its answers get lost on the way out.
      for (const row of again) {
        if (resolutions.segment(row) !== question.segment || resolutions.tpa(row) !== resolutions.spa(question.row))
          continue;
        if (resolutions.repeats.count(row) + 1 < thresholds.requests) continue;
        const repeated = questionOf(network, row);
        found.push(asRepeated(repeated), { rule: filtered, key: `again ${repeated.key}` });
      }
      return found;
    }

    return {
      events: {
        unanswered(row) {
          if (unanswered.size < MAX_QUESTIONS) unanswered.add(row);
        },
        answered(row) {
          unanswered.delete(row);
        },
        askedAgain(row) {
          if (again.size < MAX_QUESTIONS) again.add(row);
        },
      },
      captureEnd(capture) {
        for (const group of groups(capture)) tell(group);
      },
    };
  },
};

/** The device that a MAC leaves by, as the host context shows it: the parent of a macvlan child, or the device itself. */
function carrierOf(network: Network, hi: number, lo: number): Device | null {
  const child = childWith(network, hi, lo);
  if (child) return child.parent;
  const devices = network.context?.devicesByMac(hi, lo) ?? [];
  return devices.length === 1 ? devices[0] : null;
}

function carrierOfDevice(device: Device): Device {
  return device.parent ?? device;
}

/** Whether a station is of the machine whose port this is. */
function isHere({ stations, context }: Network, station: number, parent: Device | null): boolean {
  return context ? parent !== null : stations.sentOut(station);
}

function list(macs: readonly string[]): string {
  const more = macs.length > MAX_NAMED ? ` and ${macs.length - MAX_NAMED} more` : '';
  return `${macs.slice(0, MAX_NAMED).join(', ')}${more}`;
}
