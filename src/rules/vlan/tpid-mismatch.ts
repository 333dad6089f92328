import type { Device, Vlan } from '../../network/context/device.js';
import { stackOf } from '../../network/context/vlan-paths.js';
import { RUN_REQUESTS } from '../../network/neighbors/resolutions.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { inNamespace, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import type { Rule } from '../rule.js';
import { bothWays, symptoms } from './parts/tags.js';
import { type UnknownTag, unknownTag } from './parts/unknown-tag.js';

/** Tag protocol identifiers by the names that `ip link` gives them. */
const PROTOCOLS = new Map([
  ['802.1Q', 0x8100],
  ['802.1ad', 0x88a8],
]);
const CAUSE =
  'The two ends use the same VLAN id with different tag protocols: 802.1Q (0x8100) and 802.1ad (0x88a8) are different tags.';
/** Identifiers of outer tags that are in use. */
const OUTER = [0x8100, 0x88a8, 0x9100, 0x9200];

/** One end marks the outer tag as customer tag, the other as provider tag (IEEE 802.1ad). */
export const tpidMismatch: Rule = {
  meta: {
    id: 'vlan/tpid-mismatch',
    severity: 'warning',
    summary: 'The same VLAN id is tagged with different tag protocols (802.1Q and 802.1ad) by the two ends',
    catalogue: '',
  },
  create({ network, report, withdraw }) {
    const { segments, tags } = network;

    /** The device that takes these VLANs, but marked otherwise than they are: where the target is, or where the capture was taken. */
    function otherwise(target: Device | null, vlans: readonly number[], tpids: readonly number[][]): Device | null {
      if (target && differs(stackOf(target), vlans, tpids)) return target;
      if (!network.context || !network.vantage) return null;
      const outer = network.context.childrenOf(network.vantage).filter(({ vlan }) => vlan?.id === vlans[0]);
      const wrong = outer.filter((device) => differs(stackOf(device).slice(-1), vlans.slice(0, 1), tpids));
      return wrong.length > 0 && wrong.length === outer.length ? wrong[0] : null;
    }

    function tellOfSwitch(question: Question, also: Question[], { ip, device, port, protocol }: UnknownTag): void {
      const { spa, tpa, mac, requests } = question;
      const [id, own] = [device.vlan?.id ?? 0, printable(device.vlan?.protocol ?? '')];
      const bridge = port.master ? label(port.master) : 'the switch';
      const name = printable(device.name);
      report({
        ...question,
        confidence: 'likely',
        title: `${spa} cannot reach ${tpa}: ${label(device)} tags VLAN ${id} as ${own}, the switch knows ${printable(protocol)}`,
        summary:
          `${spa} asks who has ${tpa}, ${requests} times in vain. ${ip} is on ${label(device)}, which marks its frames with tag ${id} of ${own}. ` +
          `${bridge} keeps VLANs apart by ${printable(protocol)} and takes that tag for data: at ${label(port)} these frames are untagged to it, and none comes out as ${own}.`,
        subject: { ip: tpa, requester: spa, mac, vlan: id },
        evidence: [question, ...also].flatMap((each) => requestFrames(network, each)),
        cause: CAUSE,
        remedy: [
          {
            text: 'Make the device anew with the protocol of the switch (its addresses and what sits on it go with it)',
            commands: [
              `ip link del ${name}`,
              `ip link add link ${printable(device.parent?.name ?? '<parent>')} name ${name} type vlan proto ${printable(protocol)} id ${id}`,
            ].map((command) => inNamespace(device, command)),
          },
        ],
        context: [`${label(device)}: ${own} ${id}`, `${bridge}: vlan_protocol ${printable(protocol)}`],
        wouldRaise: ['a capture at both sides of the switch: the host context shows one moment'],
        explains: [question, ...also].flatMap((each) => symptoms(network, each)),
      });
    }

    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { segment, target, spa, tpa, mac, requests } = question;
          if (!network.context || requests < RUN_REQUESTS) return;
          const both = bothWays(network, question);
          const unknown = unknownTag(network, both.first);
          if (unknown) return tellOfSwitch(both.first, both.also, unknown);
          const { vlans, vnis } = segments.describe(segment);
          if (vlans.length === 0 || vnis.length > 0) return;
          const tpids = segments.tpids(segment);
          const device = otherwise(target, vlans, tpids);
          if (!device) return;
          const stack = stackOf(device);
          const at = stack.findIndex(({ protocol }, index) => !agrees(protocol, tpids[index]));
          const wire = tpids[at].map(hex).join(' and ');
          const [id, protocol] = [vlans[at], printable(stack[at].protocol ?? '')];
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: VLAN ${id} is tagged ${wire}, ${label(device)} expects ${protocol}`,
            summary:
              `${spa} asks who has ${tpa}, ${requests} times in vain, in VLAN ${vlans.join('/')}. Tag ${id} on these frames is marked ${wire}; ` +
              `${label(device)} takes VLAN ${id} only as ${protocol} (${hex(PROTOCOLS.get(stack[at].protocol ?? '') ?? 0)}), and passes over these.`,
            subject: { ip: tpa, requester: spa, mac, vlan: id },
            evidence: requestFrames(network, question),
            cause: CAUSE,
            remedy: [
              {
                text: 'Make the device anew with the protocol of the wire (its addresses and what sits on it go with it)',
                commands: [
                  `ip link del ${outerName(device, stack.length - at)}`,
                  `ip link add link ${below(device, stack.length - at)} name ${outerName(device, stack.length - at)} type vlan proto ${nameOf(tpids[at][0])} id ${id}`,
                ].map((command) => inNamespace(device, command)),
              },
            ],
            context: [
              `${label(device)}: ${stack.map((vlan) => `${printable(vlan.protocol ?? '?')} ${vlan.id}`).join(', ')}`,
            ],
            explains: symptoms(network, question),
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
        tagged(row) {
          const around = tags.around(row);
          const segment = tags.segment(row);
          if (around === 0 || tags.isPriority(row)) return;
          for (const tpid of OUTER) {
            const other = tpid === around ? -1 : tags.find(segment, tags.tpid(row), tpid);
            if (other < 0) continue;
            const pair = other < row ? [other, row] : [row, other];
            const [a, b] = pair.map((each) => formatMac(tags.hi(each), tags.lo(each)));
            // One sender with both: a switch on the way, or the place of the capture, translates.
            if (a === b) continue;
            const { vlans } = segments.describe(segment);
            const outer = vlans[vlans.length - 2];
            const capture = segments.captureOf(segment);
            const apart = pair.every((each) => tags.hasOneSender(each));
            report({
              key: `tags ${pair.join(' ')}`,
              segment,
              capture,
              confidence: apart ? 'likely' : 'hint',
              title: `VLAN ${vlans.join('/')} is tagged ${hex(tags.around(pair[0]))} by ${a} and ${hex(tags.around(pair[1]))} by ${b}`,
              summary: `${a} marks the outer tag ${outer} with ${hex(tags.around(pair[0]))}, ${b} marks it with ${hex(tags.around(pair[1]))}. A device takes one of them only: the two do not hear each other.`,
              subject: { mac: a, other: b, vlan: outer },
              count: tags.frames(row) + tags.frames(other),
              first: Math.min(tags.first(row), tags.first(other)),
              last: Math.max(tags.last(row), tags.last(other)),
              evidence: pair.flatMap((each) =>
                tags.places(each).map((place) => ({
                  capture,
                  layer: 'vlan',
                  note: `inside a tag marked ${hex(tags.around(each))}`,
                  ...place,
                })),
              ),
              cause: CAUSE,
              remedy: [
                {
                  text: 'Use one protocol at both ends, 802.1ad for the outer tag',
                  commands: [`ip link add link <device> name svlan type vlan proto 802.1ad id ${outer}`],
                },
              ],
              wouldRaise: ['host context of both ends: `ip -d link` names the protocol of each VLAN device'],
            });
          }
        },
      },
    };
  },
};

/** Whether a stack of VLAN devices is for these ids and, at some tag, only for another protocol than was seen. */
function differs(stack: readonly Vlan[], vlans: readonly number[], tpids: readonly number[][]): boolean {
  if (stack.length !== vlans.length || stack.some(({ id }, index) => id !== vlans[index])) return false;
  return stack.some(({ protocol }, index) => !agrees(protocol, tpids[index]));
}

/** True as well where the protocol is not known. */
function agrees(protocol: string | null, seen: readonly number[]): boolean {
  const tpid = PROTOCOLS.get(protocol ?? '');
  return tpid === undefined || seen.includes(tpid);
}

function nameOf(tpid: number): string {
  for (const [name, value] of PROTOCOLS) if (value === tpid) return name;
  return hex(tpid);
}

function hex(tpid: number): string {
  return `0x${tpid.toString(16).padStart(4, '0')}`;
}

/** Name of the device `levels` - 1 below, and of what that one sits on. */
function outerName(device: Device, levels: number): string {
  let each = device;
  for (let level = 1; level < levels && each.parent; level++) each = each.parent;
  return each.name;
}

function below(device: Device, levels: number): string {
  return outerName(device, levels + 1);
}
