import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { asSymptoms, inNamespace, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated, REPETITIONS, repeatedFrames, repeatedSpan } from '../parts/repeated.js';
import { Trials } from '../parts/trials.js';
import { REQUESTS, SYNS } from '../parts/usual-thresholds.js';
import type { Diagnosis, Remedy, Rule, RuleId } from '../rule.js';
import { ClosedPorts } from './parts/closed-ports.js';
import { policyBetween } from './parts/port-policy.js';
import { type Ports, portsBetween } from './parts/ports.js';
import { unflooded } from './parts/unflooded.js';

/** Closed ports, and questions about each, that are told together at most. */
const MAX_TOLD = 64;

/** A bridge port between asker and target lets nothing pass (catalogue D7), as the host context or its BPDUs show. */
export const portNotForwarding: Rule = {
  meta: {
    id: 'bridge/port-not-forwarding',
    severity: 'warning',
    summary: 'A bridge port between two hosts is down, not in the state forwarding, locked, or not flooded to',
    catalogue: 'D7',
    silence: true,
    thresholds: {
      requests: REQUESTS,
      syns: SYNS,
      asking: {
        value: 3,
        unit: 'seconds that a host asks in vain at least',
        source: 'half the shortest forward delay of 4 s (IEEE 802.1D-2004 table 17-1), and a retry: no slow answer',
      },
      hello: {
        value: 2,
        unit: 'seconds between BPDUs: what they tell may be so old',
        source: 'hello time, IEEE 802.1D-2004 table 17-1',
      },
      retry: {
        value: 4,
        unit: 'seconds from when the port forwards to the first answer, and to the word that the topology changed',
        source: 'an ARP retry each second, some pauses between runs, and a BPDU each 2 s',
      },
      trial: {
        value: 5,
        unit: 'seconds from the last request to the offer of the address asked for, which was tried out then',
        source: 'as in arp/unanswered',
      },
      dhcpRetry: {
        value: 18,
        unit: 'the same for DHCP',
        source: 'a client waits up to 17 s before its fourth discover (RFC 2131 section 4.1)',
      },
    },
  },
  create(rule) {
    const { network, report, withdraw, thresholds } = rule;
    const { requests, asking, hello, retry, dhcpRetry } = thresholds;
    const trials = new Trials(network, thresholds.trial);
    /** By capture and closed port, what is told of it, by question. */
    const closedFor = new Map<string, Map<string, Diagnosis>>();
    const closed = new ClosedPorts(network, report, { requests, asking, hello, retry, dhcpRetry });

    function closedAt(question: Question, port: Device, ports: Ports): Diagnosis {
      const { spa, tpa, mac } = question;
      return {
        ...question,
        // Listening and learning pass within 30 s, and STP may have blocked the port since.
        confidence: port.state === 'disabled' || !port.up ? 'certain' : 'likely',
        title: isBridgeDown(port)
          ? `${spa} cannot reach ${tpa}: the bridge ${nameOf(port.master)} between them is set down`
          : `${spa} cannot reach ${tpa}: bridge port ${printable(port.name)} is ${stateOf(port)}`,
        summary:
          `${spa} asks who has ${tpa}, ${question.requests} times in vain. Between them is the bridge ${nameOf(port.master)}, and its port ${label(port)} ` +
          `towards ${port === ports.target ? tpa : spa} is ${stateOf(port)}: no frame passes it.`,
        subject: { ip: tpa, requester: spa, mac },
        evidence: requestFrames(network, question),
        cause: isBridgeDown(port)
          ? 'The ports of a bridge that is set down are disabled, all of them, until it is set up (kernel: br_stp_disable_bridge in net/bridge/br_stp_if.c).'
          : 'A bridge forwards between ports in the state forwarding alone (kernel: net/bridge/br_forward.c).',
        remedy: [cureOf(port)],
        wouldRaise:
          port.state === 'disabled' || !port.up ? [] : ['`bridge -d link` again: the port is still in that state'],
        context: [`${label(ports.asker)}: ${stateOf(ports.asker)}`, `${label(ports.target)}: ${stateOf(ports.target)}`],
        explains: asSymptoms(network, question),
      };
    }

    /** One finding for a port, with the first question; the others are its symptoms. */
    function tellClosed(question: Question, port: Device, ports: Ports): void {
      const { key, capture } = question;
      const diagnosis = closedAt(question, port, ports);
      const name = `${capture} ${label(isBridgeDown(port) && port.master ? port.master : port)}`;
      const told = closedFor.get(name) ?? new Map<string, Diagnosis>();
      if (closedFor.size < MAX_TOLD) closedFor.set(name, told);
      if (told.size < MAX_TOLD || told.has(key)) told.set(key, diagnosis);
      const [first = diagnosis, ...others] = told.values();
      if (first !== diagnosis) report(diagnosis);
      report(withOthers(first, others));
    }

    function forget(key: string): void {
      withdraw(key);
      for (const told of closedFor.values()) {
        if (!told.delete(key)) continue;
        const [first, ...others] = told.values();
        if (first) report(withOthers(first, others));
      }
    }

    /** Both ports forward, and one does not pass this all the same. */
    function tellPolicy(question: Question, ports: Ports): void {
      const { context, vantage } = network;
      if (!context || trials.isTrial(question)) return;
      const policy = policyBetween(context, ports, question);
      // What is seen behind a port did pass it.
      if (!policy || (policy.port === ports.asker && vantage !== null && seenBehind(context, policy.port, vantage)))
        return;
      if (policy.port === ports.target && vantage !== null && vantage === policy.port.peer) return;
      const { spa, tpa, mac, requests: times } = question;
      report({
        ...question,
        confidence: policy.isSure ? 'certain' : 'likely',
        title: `${spa} cannot reach ${tpa}: ${policy.title}`,
        summary: `${spa} asks who has ${tpa}, ${times} times in vain. ${policy.summary}`,
        subject: { ip: tpa, requester: spa, mac },
        evidence: requestFrames(network, question),
        cause: policy.cause,
        remedy: policy.remedy,
        wouldRaise: policy.isSure ? [] : ['`bridge -j fdb` in the host context: has the bridge an entry for it?'],
        context: [policy.context],
        explains: [...asSymptoms(network, question), ...answeredAgain(network, question)],
      });
    }

    /** What is answered again and again: the answers do not pass the port of who asks. */
    function tellAnswers(row: number): void {
      const { context, resolutions, vantage } = network;
      if (!context || resolutions.repeats.count(row) < REPETITIONS) return;
      const question = questionOf(network, row);
      const ports = portsBetween(network, question);
      const policy = ports && policyBetween(context, ports, question);
      // What is seen behind that port got there.
      if (!policy?.losesAnswers || vantage === question.asker || vantage === policy.port) return;
      const { spa, tpa, mac } = question;
      const span = repeatedSpan(network, row);
      report({
        ...question,
        ...span,
        confidence: policy.isSure ? 'certain' : 'likely',
        title: `${spa} cannot reach ${tpa}: ${policy.title}`,
        summary: `${spa} asks who has ${tpa}, ${span.count} times, though it is answered each time. ${policy.summary}`,
        subject: { ip: tpa, requester: spa, mac },
        evidence: repeatedFrames(network, row),
        cause: policy.cause,
        remedy: policy.remedy,
        context: [policy.context],
        explains: [...asSymptoms(network, question), asRepeated(question)],
      });
    }

    return {
      layers: { Stp: (frame, layer) => closed.observe(frame, layer) },
      captureEnd: (capture) => closed.finish(capture),
      events: {
        leased(exchange, type) {
          closed.leased(exchange, type);
          const trial = trials.leased(exchange, type);
          if (trial) forget(trial.key);
        },
        unanswered(row) {
          closed.unanswered(row);
          const question = questionOf(network, row);
          const { context, vantage } = network;
          if (!context || question.requests < thresholds.requests) return;
          const ports = portsBetween(network, question);
          if (!ports) return;
          const port = [ports.target, ports.asker].find(isClosed);
          if (!port) tellPolicy(question, ports);
          // What is seen behind the asker's port did pass it: it was closed later.
          const isBehind = port === ports.asker && vantage !== null && seenBehind(context, port, vantage);
          if (!port || isBehind || trials.isTrial(question)) return;
          tellClosed(question, port, ports);
        },
        askedAgain: tellAnswers,
        ...unflooded(rule).events,
        answered(row) {
          forget(questionOf(network, row).key);
        },
      },
    };
  },
};

/** The same question where the answers to it are seen, and do not get to the asker. */
function answeredAgain({ resolutions, segments }: Network, question: Question): { rule: RuleId; key: string }[] {
  const tail = question.key.slice(question.key.indexOf(' '));
  return resolutions
    .askedFor(resolutions.tpa(question.row))
    .filter((row) => resolutions.spa(row) === resolutions.spa(question.row) && resolutions.repeats.count(row) > 0)
    .map((row) => resolutions.segment(row))
    .filter((segment) => segments.captureOf(segment) === question.capture)
    .map((segment) => asRepeated({ key: `${segment}${tail}` }));
}

/** Whether a device is at another port of the same bridge, or the bridge itself. */
function seenBehind(context: HostContext, port: Device, vantage: Device): boolean {
  if (vantage === port.master) return true;
  const other = vantage.master ? vantage : context.switchPort(vantage);
  return other !== null && other !== port && other.master !== null && other.master === port.master;
}

function withOthers(first: Diagnosis, others: readonly Diagnosis[]): Diagnosis {
  if (others.length === 0) return first;
  const more = others.length === 1 ? 'One more question is' : `${others.length} more questions are`;
  return {
    ...first,
    summary: `${first.summary} ${more} in vain for the same reason.`,
    explains: [
      ...(first.explains ?? []),
      ...others.map(({ key }) => ({ rule: 'bridge/port-not-forwarding', key }) as const),
    ],
  };
}

function isClosed({ up, noCarrier, state }: Device): boolean {
  return !up || noCarrier || (state !== null && state !== 'forwarding');
}

function isBridgeDown({ up, noCarrier, master }: Device): boolean {
  return up && !noCarrier && master?.up === false;
}

function stateOf({ up, noCarrier, state }: Device): string {
  if (!up) return 'set down';
  return noCarrier ? 'without carrier' : printable(state ?? 'in an unknown state');
}

function nameOf(device: Device | null): string {
  return device ? label(device) : 'that joins them';
}

function cureOf(port: Device): Remedy {
  if (!port.up) return { text: 'Set the port up', commands: [inNamespace(port, `ip link set ${port.name} up`)] };
  if (port.noCarrier)
    return {
      text: 'Set the other end of its cable up; see which it is',
      commands: [
        port.peer
          ? inNamespace(port.peer, `ip link set ${port.peer.name} up`)
          : inNamespace(port, `ip -d link show ${port.name}`),
      ],
    };
  if (port.master && isBridgeDown(port))
    return {
      text: 'Set the bridge up',
      commands: [inNamespace(port.master, `ip link set dev ${port.master.name} up`)],
    };
  return {
    text: 'Let the port forward; with spanning tree on, see first why it is closed, as opening it by hand can make a loop',
    commands: [inNamespace(port, `bridge link set dev ${port.name} state 3`)],
  };
}
