import type { Device } from '../../network/context/device.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { ns } from '../../network/settings.js';
import { formatMac } from '../../wire/address.js';
import { confidenceBy } from '../parts/confidence.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { at, deviceHolding } from '../parts/device-argument.js';
import { guardedPort } from '../parts/firewalls/guarded-port.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { label, type Question, questionOf, requestFrames, trailOf } from '../parts/question.js';
import { saidUnreachable } from '../parts/refusals/icmp-error.js';
import { setting } from '../parts/setting.js';
import { Trials } from '../parts/trials.js';
import type { Rule } from '../rule.js';
import { muteTarget } from './parts/mute-target.js';
import { nobodyInside } from './parts/nobody-inside.js';
import { otherSource } from './parts/other-source.js';
import { ownTarget } from './parts/own-target.js';

/** Questions that are looked at again at the end of a capture, at most. */
const MAX_TOLD = 1024;

/** Asked again and again and never answered (catalogue A1). */
export const unanswered: Rule = {
  meta: {
    id: 'arp/unanswered',
    severity: 'warning',
    summary: 'A host asks for an address by ARP again and again, and nobody answers',
    catalogue: 'A1',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain that make more than a hint', source: "the kernel's mcast_solicit" },
      trial: {
        value: 5,
        unit: 'seconds from the last request to the lease of the address asked for, which was tried out then',
        source: 'dnsmasq waits 3 s for an answer to its ping (PING_WAIT), a relay or a busy server longer',
      },
      answerEarly: setting('answerEarly'),
      answerLate: setting('answerLate'),
      runPause: setting('runPause'),
      retryMin: setting('retryMin'),
      retryMax: setting('retryMax'),
      sweepTargets: setting('sweepTargets'),
      sweepWindow: setting('sweepWindow'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    const trials = new Trials(network, thresholds.trial);
    /** Questions that were told, by key: what the target does after the last request shows at the end. */
    const told = new Map<string, Question>();

    function tell(question: Question): void {
      const { row, spa, tpa, mac, requests, asker, target } = question;
      const sees = network.seesAnswersTo(row);
      const enough = requests >= thresholds.requests;
      const itself = enough ? ownTarget(network, question) : null;
      const alive = enough && !itself && isHeardSince(network, question) ? holderOf(network, question) : null;
      const down = itself ? null : downHolder(network, resolutions.tpa(row));
      const isLost = !itself && !alive && wasAnswered(network, question);
      const mute = enough && !itself && !down ? muteTarget(network, question) : null;
      const isOpen = enough && !alive && !down;
      const own =
        itself ??
        mute ??
        (isOpen && !isLost ? otherSource(network, question) : null) ??
        (isOpen ? nobodyInside(network, question) : null);
      const guarded = enough && !own && !down ? guardedPort(network, question) : null;
      const lack = isLost ? ' any more' : '';
      const title = `${spa} asks for ${tpa}${own?.clause ?? ''} and gets no answer${alive ? ', though it is there' : lack}${guarded?.clause ?? ''}`;
      report({
        ...question,
        confidence: confidenceBy({ hint: !enough, certain: sees !== 'no' }),
        title,
        summary:
          `${spa} (${mac}) asks who has ${tpa}, ${requests} times, and no answer is in this capture. ` +
          'That it asks again after the usual second shows that none reached it.' +
          (own?.sentence ?? '') +
          (alive ? ` Meanwhile ${tpa} speaks by ARP itself, from ${alive}.` : '') +
          (isLost ? ` Earlier in this capture ${tpa} answered it.` : ''),
        subject: { ip: tpa, requester: spa, mac },
        evidence: requestFrames(network, question),
        explains: [...stuckConnections(question.segment, spa, tpa), ...saidUnreachable(network, question)],
        trail: trailOf(question, title, setUp(down)),
        cause: own?.cause ?? guarded?.cause ?? causeOf(question, { alive, down, isLost }),
        remedy: own?.remedy ??
          guarded?.remedy ?? [
            ...setUp(down),
            {
              text: 'See what the asking host knows, and ask by hand while capturing at the target',
              commands: [`ip neigh show ${tpa}`, `arping -c 3 -I ${deviceHolding(asker, spa)} ${tpa}`].map((command) =>
                at(asker, command),
              ),
            },
            {
              text: 'At the target, or at a switch before it: look whether the request arrives',
              commands: [at(target, `tcpdump -eni ${target?.name ?? 'any'} arp and host ${tpa}`)],
            },
          ],
        caveats: [
          ...(guarded?.caveats ?? []),
          ...(sees !== 'no'
            ? []
            : [
                'no frame for the asking host is in this capture: that nothing answers is concluded from its asking again',
              ]),
          ...(resolutions.recovered(row) ? ['a later request was answered: the fault passed'] : []),
          ...(isLost && network.segments.describe(question.segment).deviceIndex > 0
            ? [
                'a capture with `-i any` does not show whom a request that goes out was sent to: the first of these may have gone by unicast to the MAC that was known (arp/neighbor-lost)',
              ]
            : []),
          ...(enough ? [] : ['only two requests, the last of them perhaps answered after the capture ended']),
        ],
        context: own?.context ?? guarded?.context ?? [],
        wouldRaise: [
          `a capture at ${tpa} or at its switch port: does the request arrive, and does an answer leave?`,
          ...(network.context
            ? []
            : [
                'host context (--context): `ip -d link` tells whether both are macvlan or ipvlan children of one device, in VEPA or private mode',
              ]),
        ],
      });
    }

    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          if (!question.isIpv4) return;
          const { key, segment, requests } = question;
          // Somebody who asks for dozens of addresses a second looks for hosts; most of them need not exist.
          if (resolutions.sweeps(segment, resolutions.hi(row), resolutions.lo(row))) return;
          // A bystander hears broadcast requests but not the unicast answers: there only a kernel's retries prove silence.
          const isProved = resolutions.retries(row) >= Math.min(requests, thresholds.requests) - 1;
          if (!isProved && network.seesAnswersTo(row) !== 'yes') return;
          // It announced itself, or asked somebody: the asker learned it without an answer, and asked no more.
          const isLearned = requests < thresholds.requests && isHeardSince(network, question);
          if (trials.isTrial(question) || isLearned) {
            forget(key);
            return;
          }
          if (told.size < MAX_TOLD) told.set(key, question);
          tell(question);
        },
        leased(exchange, type) {
          const trial = trials.leased(exchange, type);
          if (trial) forget(trial.key);
        },
        answered(row) {
          forget(questionOf(network, row).key);
        },
      },
      captureEnd(capture) {
        for (const before of told.values()) {
          if (before.capture !== capture) continue;
          const question = questionOf(network, before.row);
          // That its sender is a DHCP server may have shown since.
          if (trials.isTrial(question)) {
            forget(before.key);
            continue;
          }
          // What was asked since is another run.
          const isSame = question.key === before.key && question.requests >= before.requests;
          if (isSame && isHeardSince(network, question)) tell(question);
        }
      },
    };

    function forget(key: string): void {
      told.delete(key);
      withdraw(key);
    }
  },
};

/** What is known of a target beside its silence. */
interface Standing {
  /** The MAC from which it was heard meanwhile. */
  readonly alive: string | null;
  /** The device that is down, with which it is. */
  readonly down: Device | null;
  /** Whether it answered before. */
  readonly isLost: boolean;
}

function causeOf({ tpa, mac, target }: Question, { alive, down, isLost }: Standing): string {
  if (alive)
    return (
      `${tpa} is up, so it is about who asks: requests from ${mac} do not reach it, or its answers do not come back to this MAC. ` +
      'A virtual switch or a port that takes one MAC only does that, a switch that reflects nothing (VEPA), isolated ports, an ARP filter, a tag that differs one way.'
    );
  if (down) return `${label(down)} is down${down === target ? '' : `, and ${tpa} hangs on it`}.`;
  const [fate, again] = isLost ? ['went down or lost its address', ' any more'] : ['does not exist or is down', ''];
  return `${tpa} ${fate}, the request does not reach it${again}, or its answer does not come back: from this place the three look alike.`;
}

/** MAC of the station that has the target, null if that is not known, or if it announced itself: it may just have come up. */
function holderOf({ claims, bindings, resolutions }: Network, { segment, row }: Question): string | null {
  const holder = claims.holder(segment, resolutions.tpa(row));
  if (holder < 0 || (bindings.claims(holder) & Claim.Announcement) !== 0) return null;
  return formatMac(bindings.hi(holder), bindings.lo(holder));
}

/** Whether the target answered this asker before: a neighbour was lost. */
function wasAnswered({ resolutions }: Network, { row, first }: Question): boolean {
  const answered = resolutions.lastAnswer(row);
  return answered !== Number.NEGATIVE_INFINITY && answered < first;
}

/** Whether the target was heard from the first request on by ARP of its own, as long as an answer is waited for. */
function isHeardSince({ claims, resolutions, settings }: Network, { segment, row, first, last }: Question): boolean {
  const heard = claims.lastOf(segment, resolutions.tpa(row));
  return heard >= first - ns(settings.answerEarly) && heard <= last + ns(settings.answerLate);
}
