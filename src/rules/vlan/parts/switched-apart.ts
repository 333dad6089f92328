import type { HostContext } from '../../../network/context/host-context.js';
import { type Access, accessOf, takes, vlanFrom } from '../../../network/context/port-vlans.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import { repeatedFrames, repeatedSpan } from '../../parts/repeated.js';
import type { Remedy } from '../../rule.js';
import type { Mismatch } from './mismatch.js';
import { sameQuestion } from './tags.js';

/** Two hosts at ports of one switch, and the VLANs that it puts their frames into. */
interface Split {
  readonly asker: Access;
  readonly target: Access;
  readonly asked: number;
  readonly answered: number;
  /** Whether the target gets what the asker sends: then only the answers are lost. */
  readonly isHeard: boolean;
}

/** A switch of the context keeps the frames of the two hosts in different VLANs, at least those of one way. */
export function switchedApart(network: Network, question: Question): Mismatch | null {
  const split = network.context && splitOf(network.context, question);
  if (!split || passed(network, question, split)) return null;
  const { spa, tpa, requests } = question;
  return {
    confidence: 'likely',
    ...wordsOf(question, split),
    summary: `${spa} asks who has ${tpa}, ${requests} times in vain. ${fate(question, split)}`,
    evidence: [],
    wouldRaise: [
      'the VLANs of both ports at the time of the capture (`bridge vlan show`): the host context shows one moment',
    ],
  };
}

/** As the former, where the answers are seen, and the question comes again all the same. */
export function answeredInAnother(network: Network, question: Question): Mismatch | null {
  const { repeats } = network.resolutions;
  const split = network.context && splitOf(network.context, question);
  // arping and monitors ask on though they are answered.
  if (!split?.isHeard || repeats.isByTheClock(question.row) || repeats.isByProgram(question.row)) return null;
  // The question is seen with another tag at the same port: it is told there.
  if (repeats.hasAnswersOnly(question.row) && isAskedBeside(network, question)) return null;
  const { spa, tpa } = question;
  const span = repeatedSpan(network, question.row);
  return {
    ...span,
    confidence: 'certain',
    ...wordsOf(question, split),
    summary: `${spa} asks who has ${tpa}, ${span.count} times, though it is answered. ${fate(question, split)}`,
    evidence: repeatedFrames(network, question.row),
    wouldRaise: [],
  };
}

function isAskedBeside(network: Network, { row, segment }: Question): boolean {
  return network.segments.siblings(segment).some((other) => {
    const twin = sameQuestion(network, row, other);
    return twin >= 0 && network.resolutions.requests(twin) > 0;
  });
}

function splitOf(context: HostContext, { asker, target }: Question): Split | null {
  const from = asker && accessOf(context, asker);
  const to = target && accessOf(context, target);
  if (!from || !to || from.port === to.port || from.port.master !== to.port.master) return null;
  const asked = vlanFrom(from);
  const answered = vlanFrom(to);
  // A port may send several VLANs untagged: two hosts of different VLANs hear each other then.
  if (asked === null || answered === null || asked === answered || takes(from, answered)) return null;
  return { asker: from, target: to, asked, answered, isHeard: takes(to, asked) };
}

/** Whether the question is seen where it does not get to by the context, which was another then. */
function passed({ vantage }: Network, { target }: Question, split: Split): boolean {
  if (split.isHeard || !vantage) return false;
  const { port } = split.target;
  return vantage === port || vantage === port.peer || vantage === target;
}

function wordsOf({ spa, tpa }: Question, split: Split) {
  const { asked, answered, asker, target, isHeard } = split;
  return {
    title: isHeard
      ? `${tpa} hears ${spa} in VLAN ${asked}, and its answers go to VLAN ${answered}`
      : `${spa} is in VLAN ${asked} of the switch, and ${tpa} in VLAN ${answered}`,
    cause: isHeard
      ? `Switch port ${printable(target.port.name)} sends VLAN ${asked} to ${tpa}, but puts what comes from it into VLAN ${answered}.`
      : 'One of the two hosts is at a port of the wrong VLAN, or they are kept apart on purpose.',
    remedy: cures(split),
    context: [asker, target].map(vlansOf),
  };
}

function fate({ spa, tpa }: Question, { asker, target, asked, answered, isHeard }: Split): string {
  const port = label(target.port);
  return isHeard
    ? `What ${spa} sends is in VLAN ${asked}, which ${port} passes on to ${tpa}. What ${tpa} sends is put into VLAN ${answered} there, and ${label(asker.port)} does not give that to ${spa}.`
    : `What ${spa} sends is in VLAN ${asked} of ${target.port.master ? label(target.port.master) : 'the switch'}; ${port}, towards ${tpa}, is in VLAN ${answered}, and does not pass on the other.`;
}

function cures({ target: { port, tag }, asked, answered }: Split): Remedy[] {
  if (tag !== null)
    return [
      {
        text: `Give one of the two a device for the VLAN of the other: ${asked} or ${answered}`,
        commands: [inNamespace(port, 'bridge vlan show')],
      },
    ];
  const name = printable(port.name);
  return [
    {
      text: `If VLAN ${asked} is right: one and the same VLAN in both directions on that port (other switches: its access VLAN)`,
      commands: [
        inNamespace(port, `bridge vlan del dev ${name} vid ${answered}`),
        inNamespace(port, `bridge vlan add dev ${name} vid ${asked} pvid untagged`),
      ],
    },
  ];
}

function vlansOf({ port, tag }: Access): string {
  const all = [...(port.portVlans ?? [])].slice(0, 8);
  const words = all.map(([id, { pvid, untagged }]) =>
    [id, pvid && 'PVID', untagged && 'untagged'].filter(Boolean).join(' '),
  );
  return `${label(port)}: VLANs ${words.join(', ') || 'none'}${tag === null ? '' : `; the host takes VLAN ${tag} with its tag`}`;
}
