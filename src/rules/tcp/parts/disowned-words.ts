import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { IpProtocol } from '../../../wire/ip-protocols.js';
import { printable } from '../../../wire/printable.js';
import { confidenceBy } from '../../parts/confidence.js';
import { answerFrames, type Connection, connectionOf, synFrames } from '../../parts/connections/connection.js';
import { onHost } from '../../parts/device-argument.js';
import { unansweredPings } from '../../parts/pings/ping.js';
import { inNamespace, label } from '../../parts/question.js';
import { misplacedSource } from '../../parts/translators.js';
import { applying, times } from '../../parts/words.js';
import type { Diagnosis, EvidenceRef, Remedy, RuleId } from '../../rule.js';
import type { Shown } from './synack-words.js';

/** Attempts with the sequence numbers of one finding's that are looked at: each passes a few captures, if nobody made them alike. */
const MAX_LEGS = 64;

type Symptom = { readonly rule: RuleId; readonly key: string };

type Words = Pick<
  Diagnosis,
  'confidence' | 'title' | 'summary' | 'evidence' | 'cause' | 'remedy' | 'caveats' | 'wouldRaise' | 'context'
>;

/** Something resets SYN-ACKs in the name of a client that asks on: they come to a machine, or a network stack, that did not ask. */
export function disowned(network: Network, connections: readonly Connection[], shown: Shown): Words {
  const { handshakes, addresses } = network;
  const [{ client, server, port, clientRow, serverRow }] = connections;
  const misplaced = misplacedSource(network.context, addresses.words(clientRow), addresses.words(serverRow));
  const rows = connections.map(({ row }) => row);
  const again = rows.reduce((sum, row) => sum + handshakes.disowned(row), 0);
  const other = rows.find((row) => handshakes.resetByOther(row));
  const nearer = Math.max(...rows.map((row) => handshakes.nearerBy(row)));
  const isProven = other !== undefined || nearer > 0;
  // Scanners that send each SYN several times, whatever comes back, do so with a TTL of their own, and their host resets with its.
  const isScanner = !isProven && nearer < 0;
  const isEnough = again >= 2;
  const mac = other === undefined ? '' : formatMac(handshakes.resetHi(other), handshakes.resetLo(other));
  return {
    confidence: confidenceBy({
      hint: shown.isPassing || isScanner || !(isProven || isEnough),
      certain: isProven && isEnough,
    }),
    title: `SYN-ACKs of ${server} ${shown.ports} come to a machine that did not ask: it resets them as ${client}`,
    summary:
      `${client} asks ${server}, TCP ${shown.ports}, ${server} answers, a RST comes from ${client}, and then the same SYN again: ${times(again)}. ` +
      'Who resets a connection does not ask on for it, so that the one that asks is not the one that resets.' +
      (mac ? ` The RSTs come from ${mac}, the SYNs from another MAC.` : '') +
      (nearer > 0
        ? ` By its TTL the RST was made ${nearer === 1 ? 'a hop' : `${nearer} hops`} nearer than the SYN.`
        : ''),
    evidence: [
      ...synFrames(network, connections, `SYN ${client} > ${server}`),
      ...answerFrames(network, connections, `SYN-ACK ${server} > ${client}`),
      ...resetFrames(network, connections),
    ],
    cause: misplaced
      ? `In ${printable(misplaced.translator.namespace)} source NAT gives these connections ${client}, and ${label(misplaced.holder)} has that address: the answers go there.`
      : guess(shown, client, server, mac, nearer),
    remedy: misplaced ? moved(misplaced, client) : look(network, client, server, port, mac),
    caveats: applying([
      !isEnough && !isProven && 'the SYN came again only once',
      !isProven && 'a scanner that sends each SYN several times, whatever comes back, looks alike',
      shown.isPassing && 'other connections of the same client to this port came up after it',
    ]),
    wouldRaise: misplaced
      ? []
      : [`a capture at each port of the machine that has ${client}, and its host context (--context)`],
    context: misplaced
      ? [
          `NAT rule to ${client} in ${printable(misplaced.translator.namespace)}`,
          `${label(misplaced.holder)}: has ${client}`,
        ]
      : [],
  };
}

/**
 * What else comes of it: SYNs that get no answer before they are translated, here or in another capture, pings from there,
 * and ports that are closed to whatever else came back. It looks at every attempt: for the end of a capture.
 */
export function disownedSymptoms(network: Network, connections: readonly Connection[]): Symptom[] {
  const { handshakes } = network;
  const [{ segment, clientRow, serverRow }] = connections;
  const sequences = new Set(connections.map(({ sequence }) => sequence));
  const rows = new Set(connections.map(({ row }) => row));
  const found: Symptom[] = closedPorts(network, segment, clientRow);
  let legs = 0;
  for (let other = 0; other < handshakes.count && legs < MAX_LEGS; other++) {
    if (!sequences.has(handshakes.sequence(other)) || rows.has(other) || handshakes.syns(other) === 0) continue;
    legs++;
    const asked = connectionOf(network, other);
    found.push({ rule: 'tcp/syn-unanswered', key: asked.key });
    found.push(...unansweredPings(network, asked.segment, asked.clientRow, serverRow));
  }
  return found;
}

function closedPorts({ icmpErrors }: Network, segment: number, host: number): Symptom[] {
  const found: Symptom[] = [];
  for (let row = 0; row < icmpErrors.count; row++) {
    if (icmpErrors.segment(row) !== segment || icmpErrors.reporter(row) !== host) continue;
    if (icmpErrors.protocol(row) === IpProtocol.Udp && icmpErrors.destination(row) === host)
      found.push({ rule: 'icmp/unreachable', key: String(row) });
  }
  return found;
}

function guess({ atServer }: Shown, client: string, server: string, mac: string, nearer: number): string {
  if (!mac) return `${translated(client)}${nearer > 0 ? '' : ` Or two machines have ${client}.`}`;
  const bypassed =
    `the SYNs pass a machine that translates their destination, and the answers of ${server} go straight to ${client}, which asked another address and does not know them` +
    (atServer ? '' : ', as they do not pass that machine again');
  return `Two machines send as ${client}, one of them perhaps a router whose source NAT uses that address; or ${bypassed}.`;
}

function translated(client: string): string {
  return (
    `The machine that translates the connections to ${client} (source NAT) does not know their answers again and takes them for its own: ` +
    'connection tracking is off for one direction (notrack), the directions are in different zones, the translation is stateless and lacks its way back, or the entries were flushed.'
  );
}

function look(network: Network, client: string, server: string, port: number, mac: string): Remedy[] {
  const tracked = [
    `conntrack -L -p tcp --orig-port-dst ${port}`,
    'nft list ruleset | grep -nE "notrack|zone|set"',
    'iptables-save -t raw',
  ];
  const holders = {
    text: `On ${server}: does more than one machine answer for ${client}?`,
    commands: [`arping -c 3 ${client}`, `ip route get ${client}`].map((command) => onHost(network, server, command)),
  };
  return [
    ...(mac ? [holders] : []),
    {
      text: `On the machine that translates to ${client}: is the connection tracked in both directions, in one zone?`,
      commands: mac ? tracked : tracked.map((command) => onHost(network, client, command)),
    },
  ];
}

/** The address goes to the machine whose rule uses it. */
function moved({ translator, holder }: NonNullable<ReturnType<typeof misplacedSource>>, client: string): Remedy[] {
  const host = client.includes(':') ? 128 : 32;
  const own = holder.addresses.find(({ text }) => text === client)?.prefixLength ?? host;
  return [
    {
      text: 'Where the address belongs to the machine that translates: take it from the other, and let neighbors learn it at once; lasts until their networks start again',
      commands: [
        inNamespace(holder, `ip addr del ${client}/${own} dev ${holder.name}`),
        inNamespace(translator, `ip addr add ${client}/${host} dev ${translator.name}`),
        ...(host === 32 ? [inNamespace(translator, `arping -c 2 -U -I ${translator.name} ${client}`)] : []),
      ],
    },
    {
      text: 'Where it belongs to the other: let the rule name an address of its own machine',
      commands: [inNamespace(translator, 'nft list ruleset | grep -n snat')],
    },
  ];
}

function resetFrames({ handshakes }: Network, connections: readonly Connection[]): EvidenceRef[] {
  return connections.flatMap(({ row, capture, client, server }) =>
    handshakes
      .resetPlaces(row)
      .map((place) => ({ capture, layer: 'tcp', note: `RST ${client} > ${server}; the SYN comes again`, ...place })),
  );
}
