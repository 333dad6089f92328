import type { Frame } from '../../../wire/frame.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { lastOfPing, pingAnsweredBeyond, vanishedPing } from './pings.js';
import { Questions } from './questions.js';
import type { Vanished } from './requests.js';
import { lastLeg, lastOfAttempt, lostAnswers, vanishedSyns } from './syns.js';

/** Findings of a rule, and requests in one, at most. */
const MAX_GROUPS = 256;
const MAX_MEMBERS = 32;

/**
 * Handlers of a rule that tells what becomes of vanished requests; it has the threshold `syns`. `judge` names the finding that requests belong to, null
 * if to none; `tell` words it for all of them. `beyond`: requests are looked at too that were passed on and answered, and the answers lost on their way back.
 * `answers`: SYN-ACKs that come in at a device which shows no SYN are looked at as well.
 * `questions`: with a host context, DNS questions are looked at as well; the rule has the threshold `questions`.
 * `last`: with a host context, requests that a capture shows at several ports are looked at where it shows them last.
 */
export function vanishing(
  { network, report, withdraw, thresholds }: RuleContext,
  judge: (vanished: Vanished) => string | null,
  tell: (members: readonly Vanished[]) => Diagnosis,
  { beyond = false, last = false, answers = false, questions = false } = {},
): Handlers {
  const groups = new Map<string, Map<string, Vanished>>();
  const groupOf = new Map<string, string>();

  function look(name: string, vanished: Vanished | null): void {
    const key = vanished && judge(vanished);
    const before = groupOf.get(name);
    if (before !== undefined && before !== key) leave(name, before);
    if (!vanished || key === null) return;
    const group = groups.get(key) ?? new Map<string, Vanished>();
    if (!groups.has(key)) {
      if (groups.size === MAX_GROUPS) return;
      groups.set(key, group);
    }
    if (!group.has(name) && group.size === MAX_MEMBERS) return;
    group.set(name, vanished);
    groupOf.set(name, key);
    report(tell([...group.values()]));
  }

  function leave(name: string, key: string): void {
    groupOf.delete(name);
    const group = groups.get(key);
    if (!group?.delete(name)) return;
    // What was heard may speak against the others too: who answers one is there.
    for (const [other, member] of group)
      if (judge(member) !== key) {
        group.delete(other);
        groupOf.delete(other);
      }
    if (group.size > 0) report(tell([...group.values()]));
    else {
      groups.delete(key);
      withdraw(key);
    }
  }

  const asked = questions && network.context ? new Questions(network) : null;

  return {
    ...(asked && {
      captureEnd(capture: number) {
        for (const vanished of asked.unanswered(capture, thresholds.questions))
          look(`dns ${vanished.segment} ${vanished.from} ${vanished.to}`, vanished);
      },
    }),
    events: {
      ...(asked && {
        dns: (frame: Frame, layer: number) => asked.observe(frame, layer),
      }),
      pingLost(row) {
        const seen = last && network.context ? lastOfPing(network, row) : row;
        const vanished = vanishedPing(network, row, seen) ?? (beyond ? pingAnsweredBeyond(network, row) : null);
        look(`ping ${row}`, vanished);
      },
      connecting(row) {
        const seen = last && network.context ? lastOfAttempt(network, row) : row;
        const how = { enough: thresholds.syns, beyond };
        if (answers && network.context) look(`answers ${row}`, lostAnswers(network, row, thresholds.syns));
        look(`syn ${row}`, seen === row ? vanishedSyns(network, row, how) : lastLeg(network, seen, how.enough));
      },
    },
  };
}
