import { readMac } from '../../../network/context/address.js';
import type { Network } from '../../../network/network.js';
import { DhcpMessage } from '../../../wire/dhcp.js';
import type { Frame } from '../../../wire/frame.js';
import { clientOf, dhcpFrames } from '../../dhcp/parts/client.js';
import { at } from '../../parts/device-argument.js';
import { asSymptoms, questionOf, requestFrames } from '../../parts/question.js';
import { seconds } from '../../parts/words.js';
import type { Diagnosis, EvidenceRef, RuleId } from '../../rule.js';
import { type TreePort, TreePorts } from './spanning-tree.js';

const MAX_QUESTIONS = 64;
const MAX_CLIENTS = 1024;
const MAX_NAMED = 3;
/** What a host asked for in vain at first. Times as `Frame.time`. */
interface Lack {
  /** Row of `segments`, and row of `stations` of who asks. */
  readonly segment: number;
  readonly station: number;
  readonly words: string;
  readonly subject: string;
  readonly requests: number;
  readonly first: number;
  readonly last: number;
  /** When it was answered at last, NaN if it was not. */
  readonly served: number;
  readonly slack: number;
  readonly evidence: readonly EvidenceRef[];
  readonly explains: readonly { rule: RuleId; key: string }[];
}

/** How a port that was closed showed. */
interface Closed {
  readonly lacks: readonly Lack[];
  readonly says: string;
  readonly confidence: 'certain' | 'likely';
  readonly frames: readonly EvidenceRef[];
}

/**
 * Ports that spanning tree keeps closed, told from BPDUs. Rapid spanning tree says itself whether the port forwards. Of the
 * old one shows that a host is heard by nobody, hears nobody but the bridge, and is served as soon as the time is over
 * that a port listens and learns.
 */
export class ClosedPorts {
  private readonly ports: TreePorts;
  /** What is asked for in vain, as it was told last, by row of `resolutions`. */
  private readonly questions = new Map<number, Lack>();
  /** When a DHCP client got its first offer, by row of clients. */
  private readonly offered = new Map<number, number>();

  constructor(
    private readonly network: Network,
    private readonly report: (diagnosis: Diagnosis) => void,
    /** Thresholds of the rule; windows in seconds. */
    private readonly windows: Readonly<Record<'requests' | 'asking' | 'hello' | 'retry' | 'dhcpRetry', number>>,
  ) {
    this.ports = new TreePorts(network);
  }

  observe(frame: Frame, layer: number): void {
    this.ports.observe(frame, layer);
  }

  unanswered(row: number): void {
    if (this.ports.all.size === 0 || (this.questions.size === MAX_QUESTIONS && !this.questions.has(row))) return;
    const lack = this.lackOf(row);
    if (lack.requests >= this.windows.requests) this.questions.set(row, lack);
  }

  leased(exchange: number, type: number): void {
    const client = this.network.leases.clientOf(exchange);
    if (type === DhcpMessage.Offer && this.offered.size < MAX_CLIENTS && !this.offered.has(client))
      this.offered.set(client, this.network.leases.time(exchange, type));
  }

  /** Tells of the ports of a capture that has ended. */
  finish(capture: number): void {
    const ports = [...this.ports.all.values()].filter((port) => port.capture === capture);
    if (ports.length === 0) return;
    const lacks = [...this.questions.values(), ...this.discovered()];
    for (const port of ports) {
      const here = lacks.filter(({ segment }) => this.covers(port, segment));
      const closed = saidClosed(port, here, this.windows.hello * 1e9) ?? this.seenClosed(port, here);
      if (closed) this.report(this.diagnose(port, closed));
    }
  }

  /** BPDUs without a tag speak for all VLANs of the link. */
  private covers({ segment }: TreePort, asked: number): boolean {
    return asked === segment || this.network.segments.trunkOf(asked) === segment;
  }

  private lackOf(row: number): Lack {
    const { network } = this;
    const { resolutions, stations } = network;
    const question = questionOf(network, row);
    const { segment, spa, tpa, requests, first, last, key } = question;
    return {
      segment,
      station: stations.find(segment, resolutions.hi(row), resolutions.lo(row)),
      words: `${spa} asks who has ${tpa}`,
      subject: spa,
      requests,
      first,
      last,
      served: resolutions.recovered(row) ? resolutions.lastAnswer(row) : Number.NaN,
      slack: this.windows.retry * 1e9,
      evidence: requestFrames(network, question),
      explains: [...asSymptoms(network, question), { rule: 'bridge/port-not-forwarding', key }],
    };
  }

  private discovered(): Lack[] {
    const { network, offered } = this;
    const { leases, stations } = network;
    const lacks: Lack[] = [];
    for (let client = 0; client < Math.min(leases.clientCount, MAX_CLIENTS); client++) {
      const { key, segment, capture, mac, first, last } = clientOf(network, client);
      const places = leases.asking(client);
      if (places.length < 2) continue;
      lacks.push({
        segment,
        station: stations.find(segment, leases.hi(client), leases.lo(client)),
        words: `${mac} asks for an address by DHCP`,
        subject: mac,
        requests: places.length,
        first,
        last,
        served: offered.get(client) ?? Number.NaN,
        slack: this.windows.dhcpRetry * 1e9,
        evidence: dhcpFrames(capture, 'DHCP discover', places),
        explains: [{ rule: 'dhcp/no-offer', key }],
      });
    }
    return lacks;
  }

  /** The port of a bridge with the old spanning tree, by what passes and when. */
  private seenClosed(port: TreePort, lacks: readonly Lack[]): Closed | null {
    const hello = this.windows.hello * 1e9;
    const retry = this.windows.retry * 1e9;
    if (port.heard === null || port.delay < hello) return null;
    const askers = new Set(lacks.map(({ station }) => station));
    const others = port.heard.filter(({ row }) => !askers.has(row) && !this.isOurs(row));
    const found = lacks.filter(({ first, served, slack }) => {
      const waited = served - first;
      if (!(waited >= Math.max(this.windows.asking * 1e9, port.delay / 2)) || waited > 2 * port.delay + slack)
        return false;
      if (port.first > served - hello || others.some(({ time }) => time < served - retry)) return false;
      // A port that begins to forward is a change of the topology, and the bridge says so.
      const changes = port.changes.filter(({ since, until }) => since <= served + retry && until >= served);
      const up = served - port.first;
      const isOnTime = up >= 2 * port.delay - retry && up <= 2 * port.delay + slack;
      return changes.some(({ since }) => isOnTime || since >= served - slack);
    });
    const says =
      'Until then the bridge was the only one heard here, and it speaks spanning tree: its port listened and learned, and began to forward then.';
    return found.length === 0 ? null : { lacks: found, says, confidence: 'likely', frames: port.frames };
  }

  /** A station of the capturing machine. */
  private isOurs(row: number): boolean {
    const { stations } = this.network;
    return stations.sentOut(row) && !stations.cameIn(row);
  }

  private diagnose({ segment, capture, bridge, number, delay }: TreePort, closed: Closed): Diagnosis {
    const { lacks, says, confidence, frames } = closed;
    const mac = readMac(bridge);
    const device =
      (mac && this.network.context?.devicesByMac(mac.hi, mac.lo).find(({ kind }) => kind === 'bridge')) ?? null;
    const name = device?.name ?? '<bridge>';
    const first = Math.min(...lacks.map((lack) => lack.first));
    const served = lacks.map((lack) => lack.served).filter((time) => !Number.isNaN(time));
    const last = Math.max(...lacks.map((lack) => lack.last), ...served);
    return {
      key: `stp ${segment} ${bridge} ${number}`,
      segment,
      capture,
      count: lacks.reduce((sum, { requests }) => sum + requests, 0),
      first,
      last,
      confidence,
      title: `Spanning tree keeps port ${number} of bridge ${bridge} closed: ${lacks[0].subject} is not heard`,
      summary:
        `${lacks
          .slice(0, MAX_NAMED)
          .map(({ words, requests }) => `${words}, ${requests} times in vain`)
          .join('; ')}. ` +
        (served.length > 0 ? `After ${seconds(Math.min(...served) - first)} it is answered. ` : '') +
        `${says} A port does so for ${seconds(2 * delay)} each time its cable comes up (twice the forward delay); until then nothing passes but the bridge’s own frames.`,
      subject: { bridge, port: number },
      evidence: [...lacks.flatMap((lack) => lack.evidence), ...frames],
      cause:
        'Spanning tree is on at a port to a host, and the port is not told that a host is there: after link-up it listens and learns before it forwards (IEEE 802.1D-2004 clause 8.4).',
      remedy: [
        {
          text: 'A switch (here Cisco): let ports to hosts forward at once',
          commands: ['spanning-tree portfast', 'spanning-tree bpduguard enable'],
        },
        {
          text: 'A Linux bridge without a second path: turn spanning tree off',
          commands: [at(device, `ip link set ${name} type bridge stp_state 0`)],
        },
        {
          text: 'A Linux bridge that needs it: the shortest forward delay, 2 s',
          commands: [at(device, `ip link set ${name} type bridge forward_delay 200`)],
        },
      ],
      wouldRaise: confidence === 'certain' ? [] : ['`bridge -d link` while it lasts: state listening or learning'],
      explains: lacks.flatMap((lack) => lack.explains),
    };
  }
}

/** The port of a bridge with rapid spanning tree, by its own word. */
function saidClosed({ closed, number }: TreePort, lacks: readonly Lack[], hello: number): Closed | null {
  if (!closed || closed.last === closed.first) return null;
  const end = Number.isFinite(closed.until) ? closed.until : closed.last;
  const found = lacks.filter(({ first, last, served, slack }) => {
    if (first < closed.first - hello || first > end) return false;
    return Number.isNaN(served) ? last <= end + hello : served >= closed.last && served <= end + slack;
  });
  const says = `All that while port ${number} said in its BPDUs that it does not forward.`;
  return found.length === 0 ? null : { lacks: found, says, confidence: 'certain', frames: closed.frames };
}
