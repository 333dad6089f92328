import { splitPort, tagsBetween, wrongPort } from '../../network/context/vlan-paths.js';
import { RUN_REQUESTS } from '../../network/neighbors/resolutions.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { confidenceBy } from '../parts/confidence.js';
import { inNamespace, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import { REPETITIONS } from '../parts/repeated.js';
import type { Rule } from '../rule.js';
import type { Mismatch } from './parts/mismatch.js';
import { shutOut } from './parts/shut-out.js';
import { silentVlan } from './parts/silent-vlan.js';
import { answeredInAnother, switchedApart } from './parts/switched-apart.js';
import { answeredBelow, astray, bothWays, differByOne, mutualQuestion, symptoms, tagWords } from './parts/tags.js';

/** Questions whose VLAN may prove silent. */
const MAX_OPEN = 64;

/** Two hosts of one subnet are in different VLANs, or a port between them does not carry theirs (catalogue E1). */
export const tagMismatch: Rule = {
  meta: {
    id: 'vlan/tag-mismatch',
    severity: 'error',
    summary: 'Two hosts that look for each other are in different VLANs, or a port does not carry theirs',
    catalogue: 'E1',
    silence: true,
    thresholds: {
      quiet: {
        value: 30,
        unit: 'seconds without a frame of anybody else in the VLAN',
        source:
          'catalogue E1; routers and querying switches are heard every 30 s or so, hosts refresh their neighbours as often',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    /** Rows of questions in VLANs that nothing has explained yet. */
    const open = new Set<number>();

    function tell(question: Question, { wouldRaise, ...found }: Mismatch): void {
      const isEnough = question.requests >= RUN_REQUESTS;
      report(
        toldOf(question, {
          ...found,
          confidence: isEnough ? found.confidence : 'hint',
          wouldRaise: [...wouldRaise, ...(isEnough ? [] : ['a third request in vain'])],
        }),
      );
    }

    function toldOf(question: Question, { also = [], ...words }: Mismatch) {
      return {
        ...question,
        ...words,
        subject: { ip: question.tpa, requester: question.spa, mac: question.mac },
        explains: [question, ...also].flatMap((each) => symptoms(network, each)),
      };
    }

    return {
      /** Only the end of the capture tells that a VLAN was silent. */
      captureEnd(capture) {
        for (const row of open) {
          const question = questionOf(network, row);
          if (question.capture !== capture || question.requests < RUN_REQUESTS) continue;
          const silent = silentVlan(network, question, thresholds.quiet);
          if (silent) report(silent);
        }
      },
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { first, also } = bothWays(network, question);
          const shut = shutOut(network, first);
          if (shut) {
            for (const each of [first, ...also]) open.delete(each.row);
            const evidence = [first, ...also].flatMap((each) => requestFrames(network, each));
            return tell(first, { ...shut, also, evidence });
          }
          const found =
            answersAstray(network, question) ??
            holderElsewhere(network, question) ??
            notCarried(network, question) ??
            switchedApart(network, question) ??
            lostAbove(network, question) ??
            apart(network, question);
          if (!found) {
            if (open.size < MAX_OPEN) open.add(row);
            return;
          }
          open.delete(row);
          tell(question, { ...found, evidence: [...requestFrames(network, question), ...found.evidence] });
        },
        askedAgain(row) {
          if (network.resolutions.repeats.count(row) < REPETITIONS) return;
          const question = questionOf(network, row);
          const found = answeredInAnother(network, question);
          if (!found) return;
          const { explains, ...diagnosis } = toldOf(question, found);
          // At the device above a tag the same question is in vain: one finding tells of both.
          const above = explains.filter(({ rule, key }) => rule === 'arp/unanswered' && key !== question.key);
          const same = above.map(({ key }) => ({ rule: 'vlan/tag-mismatch', key }) as const);
          report({ ...diagnosis, explains: [...explains, ...same] });
        },
        answered(row) {
          open.delete(row);
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

/** The answers come with another tag than the requests. */
function answersAstray(network: Network, question: Question): Mismatch | null {
  const found = astray(network, question);
  if (!found || found.isNative) return null;
  const { asked, answered, count, evidence } = found;
  const { spa, tpa, requests } = question;
  const [vid, other] = [asked[asked.length - 1], answered[answered.length - 1]];
  const port = network.context && splitPort(network.context, vid, other);
  const name = port ? printable(port.name) : `<port of ${tpa}>`;
  const onSwitch = (command: string) => (port ? inNamespace(port, command) : command);
  // A private VLAN answers in another VLAN too, and the host takes that answer: a kernel asks again only because it has none.
  const retried = network.resolutions.retries(question.row) > 0;
  return {
    confidence: confidenceBy({ hint: !retried, certain: count > 1 }),
    title: `${tpa} answers ${spa} ${tagWords(answered)}, but was asked ${tagWords(asked)}`,
    summary:
      `${spa} asks who has ${tpa} ${tagWords(asked)}, ${requests} times. The answers come ${tagWords(answered)} (${count}), ` +
      `where ${spa} does not listen: it asks again and never gets one.`,
    cause: `The switch port of ${tpa} sends VLAN ${vid} to it, but puts what comes from it into VLAN ${other}; or a device on the way rewrites the tag.`,
    remedy: [
      {
        text: `On a Linux bridge as switch: one and the same VLAN in both directions on the port of ${tpa} (other switches: the access VLAN of that port)`,
        commands: [
          onSwitch(`bridge vlan del dev ${name} vid ${other}`),
          onSwitch(`bridge vlan add dev ${name} vid ${vid} pvid untagged`),
        ],
      },
    ],
    evidence,
    context: port ? [`${label(port)}: sends VLAN ${vid} untagged, takes untagged frames into VLAN ${other}`] : [],
    wouldRaise: retried ? [] : ['requests a second apart by a kernel, which stops as soon as an answer comes'],
  };
}

/** The host context knows who holds the address, on the very device where the capture was taken, behind other tags. */
function holderElsewhere(network: Network, question: Question): Mismatch | null {
  const { context, vantage, segments } = network;
  const { target, segment, spa, tpa, requests } = question;
  if (!context || !vantage || !target) return null;
  const { vlans: asked, vnis } = segments.describe(segment);
  const held = vnis.length > 0 || asked.length === 0 ? null : tagsBetween(context, vantage, target);
  if (!held || held.join() === asked.join() || isLocal(network, question)) return null;
  const vid = asked[asked.length - 1];
  return {
    confidence: 'certain',
    title: `${spa} asks for ${tpa} ${tagWords(asked)}, but ${tpa} is ${tagWords(held)}`,
    summary: `${spa} asks who has ${tpa}, ${requests} times, ${tagWords(asked)}. The requests come to ${label(vantage)}, but ${tpa} is on ${label(target)}, which takes only frames ${tagWords(held)}: nobody there hears the question.`,
    cause: 'The two ends use different VLAN ids for one subnet.',
    remedy: [
      {
        text: `If VLAN ${vid} is right: a device for it here, with the address moved to it`,
        commands: [
          inNamespace(vantage, `ip link add link ${vantage.name} name ${vantage.name}.${vid} type vlan id ${vid}`),
          inNamespace(vantage, `ip link set ${vantage.name}.${vid} up`),
        ],
      },
      {
        text: `Otherwise put ${spa} into the VLAN of ${tpa}`,
        commands: [`ip -d link show type vlan   # on ${spa}: which id it uses`],
      },
    ],
    evidence: [],
    context: [`${label(target)}: ${tpa}, frames ${tagWords(held)} on ${printable(vantage.name)}`],
    wouldRaise: [],
  };
}

/** A switch of the context knows the sender, and does not let its VLAN out where a machine waits for it. */
function notCarried({ context, resolutions }: Network, question: Question): Mismatch | null {
  const found =
    context && wrongPort(context, resolutions.hi(question.row), resolutions.lo(question.row), question.target);
  if (found?.how !== 'missing') return null;
  const { vlan, entry, port, device } = found;
  const { spa, tpa, mac, requests } = question;
  return {
    confidence: 'likely',
    title: `${spa} cannot reach ${tpa}: switch port ${printable(port.name)} does not carry VLAN ${vlan}`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times in vain. The switch has learned ${mac} in VLAN ${vlan} on ${label(entry)}. ` +
      `${label(device)} waits for VLAN ${vlan} behind ${label(port)}, but that port is not in this VLAN: the request ends in the switch.`,
    cause: `VLAN ${vlan} is not allowed on the trunk to ${printable(device.namespace)}.`,
    remedy: [
      {
        text: 'Let the port carry the VLAN (other switches: `switchport trunk allowed vlan add`)',
        commands: [inNamespace(port, `bridge vlan add dev ${port.name} vid ${vlan}`)],
      },
    ],
    evidence: [],
    context: [
      `${label(port)}: VLANs ${[...(port.portVlans?.keys() ?? [])].slice(0, 8).join(', ') || 'none'}`,
      `${label(device)}: VLAN ${vlan}`,
    ],
    wouldRaise: [`host context that tells where ${tpa} is`],
  };
}

/** An answer came to the device below the VLAN device that asks. LINUX_SLL2 does not keep its tag, so this is all that shows. */
function lostAbove(network: Network, question: Question): Mismatch | null {
  const { asker, spa, tpa, requests } = question;
  if (!asker?.vlan || !asker.parent || !answeredBelow(network, question)) return null;
  const parent = label(asker.parent);
  return {
    confidence: 'likely',
    title: `The answer of ${tpa} reaches ${parent}, but not its VLAN ${asker.vlan.id}`,
    summary: `${spa} asks who has ${tpa} through ${label(asker)}, ${requests} times. Answers come in at ${parent} and are not handed up to it: they are not tagged with VLAN ${asker.vlan.id}.`,
    cause: `What comes from ${tpa} is put into another VLAN than what goes to it.`,
    remedy: [
      {
        text: 'See the tag of the answers',
        commands: [inNamespace(asker.parent, `tcpdump -eni ${asker.parent.name} arp or vlan`)],
      },
    ],
    evidence: [],
    context: [`${label(asker)}: VLAN ${asker.vlan.id}, parent ${parent}`],
    wouldRaise: [`a capture on ${parent} itself: a capture on all devices does not keep the tags`],
  };
}

/** Each looks for the other in a VLAN of its own. */
function apart(network: Network, question: Question): Mismatch | null {
  const back = mutualQuestion(network, question);
  // Told once, for the question that was asked first.
  if (back < question.row) return null;
  const { segments } = network;
  const other = questionOf(network, back);
  const [asked, sought] = [segments.describe(question.segment).vlans, segments.describe(other.segment).vlans];
  if (differByOne(asked, sought)) return null;
  const { spa, tpa } = question;
  return {
    confidence: 'likely',
    title: `${spa} and ${tpa} look for each other in different VLANs`,
    summary: `${spa} asks for ${tpa} ${tagWords(asked)}, and ${tpa} asks for ${spa} ${tagWords(sought)}, both in vain: neither hears the other.`,
    cause: 'The two are meant for one network, and one of them is in the wrong VLAN.',
    remedy: [
      { text: 'Compare the VLAN of both', commands: ['ip -d link show type vlan', 'bridge vlan show'] },
      {
        text: 'On the switch, correct the VLAN of one port',
        commands: ['bridge vlan add dev <port> vid <VLAN> pvid untagged'],
      },
    ],
    evidence: requestFrames(network, other),
    also: [other],
    context: [],
    wouldRaise: ['host context of both, or of the switch'],
  };
}

function isLocal({ context, vantage, resolutions }: Network, { row }: Question): boolean {
  return !!vantage && context?.localMac(vantage, resolutions.hi(row), resolutions.lo(row)) === 'local';
}
