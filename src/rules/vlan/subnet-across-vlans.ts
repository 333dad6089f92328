import { type Question, questionOf, requestFrames } from '../parts/question.js';
import type { Rule, RuleId } from '../rule.js';
import { Mirrored } from './parts/mirrored.js';
import { elsewhere, mutualQuestion, symptoms, tagWords } from './parts/tags.js';

/** Askers, and unanswered questions of each, remembered at most. */
const MAX_ASKERS = 1024;
const MAX_QUESTIONS = 64;

/** A host looks in one VLAN for hosts that live in another of the same port (catalogue E7). */
export const subnetAcrossVlans: Rule = {
  meta: {
    id: 'vlan/subnet-across-vlans',
    severity: 'warning',
    summary: 'A host looks in one VLAN for hosts that all live in another',
    catalogue: 'E7',
    silence: true,
    thresholds: {
      addresses: {
        value: 2,
        unit: 'addresses in the other VLAN that make it likely',
        source: 'one may be another tenant’s; two that the asker needs are no accident',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { segments, stations, resolutions } = network;
    /** Rows of unanswered questions by asker and the VLAN in which the targets live. */
    const askers = new Map<string, Set<number>>();

    const mirrored = new Mirrored(network);

    function tell(key: string, rows: ReadonlySet<number>, home: number): void {
      const questions = [...rows].map((row) => questionOf(network, row));
      const [{ segment, capture, spa, mac, row }] = questions;
      const station = stations.find(segment, resolutions.hi(row), resolutions.lo(row));
      // Who gets answers there is at home there: the addresses are another tenant's.
      if (station < 0 || stations.wasWrittenTo(station) || mirrored.joins(segment, home)) {
        withdraw(key);
        return;
      }
      // The two that look for each other are told as such.
      if (questions.length === 1 && mutualQuestion(network, questions[0]) >= 0) return;
      const targets = questions.map(({ tpa }) => tpa);
      const [asked, lives] = [segments.describe(segment).vlans, segments.describe(home).vlans];
      const isEnough = targets.length >= thresholds.addresses;
      report({
        key,
        segment,
        capture,
        confidence: isEnough ? 'likely' : 'hint',
        title: `${spa} is ${tagWords(asked)}, and the hosts it looks for are ${tagWords(lives)}`,
        summary:
          `${spa} (${mac}) asks ${tagWords(asked)} for ${targets.slice(0, 4).join(', ')}${targets.length > 4 ? ' and others' : ''} and gets no answer. ` +
          `At the same port ${targets.length === 1 ? 'this address is' : 'these addresses are'} alive ${tagWords(lives)}.`,
        subject: { requester: spa, mac, vlan: asked.join('/') || 'untagged', home: lives.join('/') || 'untagged' },
        count: questions.reduce((sum, { requests }) => sum + requests, 0),
        first: Math.min(...questions.map(({ first }) => first)),
        last: Math.max(...questions.map(({ last }) => last)),
        evidence: questions.flatMap((question) => requestFrames(network, question)),
        cause: `${spa} hangs on the wrong VLAN: a container on the wrong parent (eth0.20 instead of eth0.10), a guest on the wrong port group, or a port in the wrong VLAN.`,
        remedy: [
          {
            text: 'See on what it hangs',
            commands: ['ip -d link show type vlan', 'docker network inspect <network> --format "{{.Options.parent}}"'],
          },
          {
            text: 'Move it: a macvlan or ipvlan is made anew on the right parent; an access port gets the right VLAN',
            commands: [
              `docker network create -d macvlan --subnet <subnet> -o parent=<device>${lives.length === 0 ? '' : `.${lives[lives.length - 1]}`} <network>`,
              `bridge vlan add dev <port> vid ${lives[lives.length - 1] ?? '<VLAN>'} pvid untagged`,
            ],
          },
        ],
        wouldRaise: isEnough
          ? ['host context of the machine that asks']
          : ['questions for a second address that lives there', 'host context of the machine that asks'],
        explains: questions.flatMap((question) => causesOf(question)),
      });
    }

    /** The unanswered questions, and what the rules about tags say of each. */
    function causesOf(question: Question): { rule: RuleId; key: string }[] {
      return [
        { rule: 'vlan/tag-mismatch', key: question.key },
        { rule: 'vlan/native-mismatch', key: question.key },
        ...symptoms(network, question),
      ];
    }

    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { segment, mac, spa } = question;
          const home = resolutions.retries(row) > 0 ? elsewhere(network, question) : -1;
          if (home < 0) return;
          const key = `${segment} ${home} ${mac} ${spa}`;
          const rows = askers.get(key) ?? new Set();
          if (askers.size < MAX_ASKERS) askers.set(key, rows);
          if (rows.size < MAX_QUESTIONS) rows.add(row);
          if (rows.size > 0) tell(key, rows, home);
        },
        answered(row) {
          for (const [key, rows] of askers) if (rows.delete(row)) withdraw(key);
        },
      },
      captureEnd() {
        mirrored.forget();
        for (const [key, rows] of askers) if (rows.size > 0) tell(key, rows, Number(key.split(' ')[1]));
      },
    };
  },
};
