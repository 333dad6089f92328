import type { Device } from '../../network/context/device.js';
import { isTrunkOnly, tagsBetween, vlanOfSender, vlanOn, wrongPort } from '../../network/context/vlan-paths.js';
import { RUN_REQUESTS } from '../../network/neighbors/resolutions.js';
import type { Network } from '../../network/network.js';
import type { Frame } from '../../wire/frame.js';
import { printable } from '../../wire/printable.js';
import { confidenceBy } from '../parts/confidence.js';
import { inNamespace, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import type { Confidence, Diagnosis, EvidenceRef, Rule } from '../rule.js';
import { Mirrored } from './parts/mirrored.js';
import { NativeTold, type Speaker } from './parts/native-told.js';
import { astray, differByOne, mutualQuestion, symptoms, tagWords } from './parts/tags.js';

interface Mismatch {
  readonly confidence: Confidence;
  readonly vlan: number | null;
  readonly title: string;
  readonly summary: string;
  readonly evidence: readonly EvidenceRef[];
  readonly context: readonly string[];
  /** Further questions that it answers. */
  readonly also?: readonly Question[];
  /** Commands for the switch, where it is known. */
  readonly commands: readonly string[];
}

/** One end of a link sends a VLAN untagged, the other expects its tag (catalogue E2). */
export const nativeMismatch: Rule = {
  meta: {
    id: 'vlan/native-mismatch',
    severity: 'warning',
    summary: 'One end of a link sends a VLAN without tag, the other end expects the tag',
    catalogue: 'E2',
  },
  create({ network, report, withdraw }) {
    const told = new NativeTold(network);
    const mirrored = new Mirrored(network);

    function look(frame: Frame, layer: number): void {
      told.look(frame, layer);
    }

    return {
      layers: { Cdp: look, Lldp: look },
      captureEnd(capture) {
        for (const { segment, ends } of told.mismatches(capture)) report(saidOf(segment, capture, ends));
      },
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const found =
            answersAstray(network, question) ??
            untaggedForTrunk(network, question) ??
            apart(network, question, mirrored);
          if (!found) return;
          const { vlan, commands, evidence, also = [], ...words } = found;
          const isEnough = question.requests >= RUN_REQUESTS;
          report({
            ...question,
            ...words,
            confidence: isEnough ? words.confidence : 'hint',
            subject: {
              ip: question.tpa,
              requester: question.spa,
              mac: question.mac,
              ...(vlan === null ? {} : { vlan }),
            },
            evidence: [...requestFrames(network, question), ...evidence],
            cause: 'The native (untagged) VLAN of the two ends of a link is not the same.',
            remedy: [
              {
                text: 'Send the VLAN with its tag on this link (other switches: the native VLAN of the trunk, or tag it too)',
                commands: commands.length > 0 ? commands : [sendTagged(network, vlan)],
              },
              {
                text: 'Or take it untagged on the host: use the device itself instead of the VLAN device',
                commands: ['ip -d link show type vlan'],
              },
            ],
            wouldRaise: [
              ...(isEnough ? [] : ['a third request in vain']),
              ...(words.confidence === 'certain'
                ? []
                : ['host context of the switch: `bridge -d -j vlan` tells the VLANs of each port']),
            ],
            explains: [question, ...also].flatMap((each) => symptoms(network, each)),
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

/** The two ends of a link say by CDP or LLDP that they take different VLANs for the native one. */
function saidOf(segment: number, capture: number, [one, two]: readonly [Speaker, Speaker]): Diagnosis {
  // One end is here, the other at the other end of the cable. A capture that mirrors two ports shows two speakers as well.
  const isLink = (one.wentOut && two.cameIn) || (two.wentOut && one.cameIn);
  return {
    key: `${segment} ${one.mac} ${two.mac}`,
    segment,
    capture,
    count: one.count + two.count,
    first: Math.min(one.first, two.first),
    last: Math.max(one.last, two.last),
    confidence: isLink ? 'likely' : 'hint',
    title: `The two ends of a link say that their native VLAN is ${one.vlan} and ${two.vlan}`,
    summary:
      `${one.mac} says that VLAN ${one.vlan} goes without tag at its port, and ${two.mac} says so of VLAN ${two.vlan}. ` +
      `What leaves VLAN ${one.vlan} without a tag at one end gets into VLAN ${two.vlan} at the other: broadcasts of one network leak into the other, and hosts of one VLAN do not find each other.`,
    subject: { mac: one.mac, other: two.mac, vlan: one.vlan, otherVlan: two.vlan },
    evidence: [...one.frames, ...two.frames],
    cause: 'The native (untagged) VLAN of the two ends of a link is not the same.',
    remedy: [
      {
        text: 'Give both ends the same native VLAN, or tag it too (Cisco)',
        commands: [`switchport trunk native vlan ${one.vlan}`, 'vlan dot1q tag native'],
      },
      {
        text: 'Linux bridge: the VLAN of its port for untagged frames',
        commands: [`bridge vlan add dev <port> vid ${one.vlan} pvid untagged`],
      },
    ],
    caveats: isLink ? [] : ['if the capture mirrors several ports, the two need not be ends of one link'],
    wouldRaise: isLink ? [] : ['a capture on one of the two, with directions'],
  };
}

/** The port at the other end of the cable of the capture, if the host context knows that it takes the tag off. */
function sendTagged({ vantage }: Network, vlan: number | null): string {
  const port = vantage?.peer;
  if (vlan === null || !port?.portVlans?.get(vlan)?.untagged)
    return `bridge vlan add dev <port of the switch> vid ${vlan ?? '<VLAN>'}`;
  return inNamespace(port, `bridge vlan add dev ${port.name} vid ${vlan}`);
}

/** Asked with a tag and answered without it, or the other way round. */
function answersAstray(network: Network, question: Question): Mismatch | null {
  const found = astray(network, question);
  if (!found?.isNative) return null;
  const { asked, answered, count, evidence } = found;
  const { spa, tpa, requests } = question;
  const retried = network.resolutions.retries(question.row) > 0;
  return {
    // Tags that the capturing side lost look alike, but then the host has its answer and does not ask again.
    confidence: confidenceBy({ hint: !retried, certain: count > 1 }),
    vlan: extra(asked, answered),
    title: `${tpa} answers ${spa} ${tagWords(answered)}, but was asked ${tagWords(asked)}`,
    summary:
      `${spa} asks who has ${tpa} ${tagWords(asked)}, ${requests} times. The answers come ${tagWords(answered)} (${count}), ` +
      `where ${spa} does not listen: it asks again and never gets one.`,
    evidence,
    context: [],
    commands: [],
  };
}

/** Untagged requests come to a device on which nothing takes untagged frames. */
function untaggedForTrunk(network: Network, question: Question): Mismatch | null {
  const { context, vantage, segments, resolutions } = network;
  const { row, segment, spa, tpa, mac, requests, target } = question;
  if (!context) return null;
  const [hi, lo] = [resolutions.hi(row), resolutions.lo(row)];
  const wrong = wrongPort(context, hi, lo, target);
  if (wrong?.how === 'untagged') {
    const { vlan, entry, port, device } = wrong;
    return {
      confidence: vantage && vantage === port.peer ? 'certain' : 'likely',
      vlan,
      title: `${spa} cannot reach ${tpa}: port ${printable(port.name)} sends VLAN ${vlan} untagged, its host expects a tag`,
      summary:
        `${spa} asks who has ${tpa}, ${requests} times in vain. The switch has learned ${mac} in VLAN ${vlan} on ${label(entry)}, and sends this VLAN without tag ` +
        `through ${label(port)}. At the other end only ${label(device)} takes VLAN ${vlan}, with its tag; untagged frames go to nobody.`,
      evidence: [],
      context: [`${label(port)}: VLAN ${vlan} untagged`, `${label(device)}: VLAN ${vlan}, tagged`],
      commands: [inNamespace(port, `bridge vlan add dev ${port.name} vid ${vlan}`)],
    };
  }
  const { vlans, vnis } = segments.describe(segment);
  if (!vantage || vlans.length > 0 || vnis.length > 0 || context.localMac(vantage, hi, lo) === 'local') return null;
  const held = target && tagsBetween(context, vantage, target);
  const known = vlanOfSender(context, hi, lo);
  const vlan = held?.length === 1 ? held[0] : known?.vlan;
  const device = vlan === undefined ? null : vlanOn(context, vantage, vlan);
  if (vlan === undefined || !device || (!held && !isTrunkOnly(context, vantage))) return null;
  // The VLAN device's own frames are untagged here: the capture lost the tags (catalogue K10).
  if (isSeenUntagged(network, segment, device)) return null;
  return {
    confidence: held ? 'certain' : 'likely',
    vlan,
    title: `Requests of ${spa} for ${tpa} come untagged to ${label(vantage)}, which expects VLAN ${vlan} with its tag`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times in vain. The requests come untagged to ${label(vantage)}; ` +
      (held
        ? `${tpa} is behind ${label(device)} and hears only frames with tag ${vlan}.`
        : `${mac} is in VLAN ${vlan}, and only ${label(device)} takes that VLAN here, with its tag.`),
    evidence: [],
    context: [
      `${label(device)}: VLAN ${vlan}, tagged`,
      ...(known ? [`${mac} learned on ${label(known.where)}, VLAN ${known.vlan}`] : []),
    ],
    commands: [],
  };
}

/** One asks untagged, the other with a tag, each for the other. */
function apart(network: Network, question: Question, mirrored: Mirrored): Mismatch | null {
  const back = mutualQuestion(network, question);
  // Told once, for the question that was asked first.
  if (back < question.row) return null;
  const { segments } = network;
  const other = questionOf(network, back);
  const [asked, sought] = [segments.describe(question.segment).vlans, segments.describe(other.segment).vlans];
  if (!differByOne(asked, sought) || mirrored.joins(question.segment, other.segment)) return null;
  const { spa, tpa } = question;
  return {
    confidence: 'likely',
    vlan: extra(asked, sought),
    title: `${spa} and ${tpa} look for each other, one ${tagWords(asked)}, the other ${tagWords(sought)}`,
    summary: `${spa} asks for ${tpa} ${tagWords(asked)}, and ${tpa} asks for ${spa} ${tagWords(sought)}, both in vain: neither hears the other.`,
    evidence: requestFrames(network, other),
    also: [other],
    context: [],
    commands: [],
  };
}

/** The VLAN whose tag one side has and the other has not. */
function extra(a: readonly number[], b: readonly number[]): number | null {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  return longer.find((vlan, index) => shorter[index] !== vlan) ?? null;
}

function isSeenUntagged({ bindings, addresses }: Network, segment: number, { mac, addresses: own }: Device): boolean {
  if (!mac) return false;
  return own.some(
    ({ family, words }) => family === 4 && bindings.find(segment, mac.hi, mac.lo, addresses.ipv4(words[0])) >= 0,
  );
}
