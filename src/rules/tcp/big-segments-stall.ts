import type { Stream } from '../../network/flows/streams.js';
import type { Network } from '../../network/network.js';
import { andOthers, isToldMtu, streamWords, tcpFrames, Worst } from '../parts/connections/stream.js';
import { at, onHost, setMtu } from '../parts/device-argument.js';
import { clampFor, letTooBigPass } from '../parts/firewalls/netfilter.js';
import { label } from '../parts/question.js';
import { culprits } from '../parts/sizes/culprits.js';
import { narrowAt } from '../parts/sizes/narrow-way.js';
import { applying } from '../parts/words.js';
import type { Rule } from '../rule.js';

/** No path has a smaller MTU than this (IPv6, RFC 8200 section 5): what is smaller is lost for another reason. */
const SMALLEST_MTU = 1280;
/** Longer frames are cut by the network device: their size says nothing (catalogue K5). */
const LONGEST_PACKET = 9216;

/** Connections that hang where packets of this size arrived in others before: a path that became narrow stops more than one. */
const CHANGED = 2;

/** How often all connections are looked through at most, for one that delivered as much. */
const MAX_SEARCHES = 1 << 12;

/** Full-sized segments never arrive while small ones do (catalogue J4, G2). */
export const bigSegmentsStall: Rule = {
  meta: {
    id: 'tcp/big-segments-stall',
    severity: 'error',
    summary: 'A TCP connection hangs: its full-sized segments vanish on the way while small ones arrive',
    catalogue: 'J4',
    silence: true,
    thresholds: {
      tries: { value: 3, unit: 'repetitions of one segment in vain', source: 'fewer are a loss now and then' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { retransmissions, addresses, flows } = network;
    const worst = new Worst();
    let searches = 0;
    return {
      events: {
        stalled(row) {
          const stream = retransmissions.stream(row);
          const words = streamWords(network, stream);
          const { key, segment, capture, from, to, fromPort, toPort } = words;
          const tries = retransmissions.tries(row);
          const size = retransmissions.size(row);
          const healed = retransmissions.healedBy(row);
          const arrived = Math.max(retransmissions.delivered(row), healed);
          const isStuck =
            tries >= thresholds.tries &&
            size > SMALLEST_MTU &&
            size <= LONGEST_PACKET &&
            searches++ < MAX_SEARCHES &&
            deliveredSince(network, stream) < size &&
            !isToldMtu(network, words);
          if (!isStuck) {
            if (worst.drop(words)) withdraw(key);
            return;
          }
          const connections = worst.add(words, retransmissions.stuckFirst(row), tries);
          if (connections === 0) return;
          // Packets of this size did arrive in connections before these: one that hangs may be forgotten by a firewall, several speak of the path.
          const isNew = flows.delivered(segment, stream.isIpv6, stream.source, stream.destination) >= size;
          if (isNew && connections < CHANGED) return;
          const isAnswered = livesOn(network, row, stream);
          const isAwaited = retransmissions.isAwaited(row);
          // After a rest a firewall may have forgotten the connection, whatever the size; the receiver knows it still if it answers.
          const hasRested = retransmissions.rested(row) > 0;
          const isSure = healed > 0 || isAwaited || (isAnswered && !hasRested);
          const isIpv4 = addresses.isIpv4(words.source);
          const known = culprits(arrived, size);
          const narrow = narrowAt(network, words.source, words.destination, Math.max(arrived, SMALLEST_MTU), size);
          const mtu = narrow?.mtu ?? known[0]?.mtu ?? Math.max(arrived, SMALLEST_MTU);
          report({
            key,
            segment,
            capture,
            count: tries,
            first: retransmissions.stuckFirst(row),
            last: retransmissions.stuckLast(row),
            confidence: isSure ? 'likely' : 'hint',
            title: `TCP from ${from} to ${to} hangs: packets of ${size} bytes do not arrive, small ones do`,
            summary:
              `The connection ${fromPort} > ${toPort} came up, and then one segment, ${size} bytes as IP packet, is sent again ${tries} times and never acknowledged` +
              `${andOthers(connections)}. ` +
              (healed > 0 ? `Its data went through at last in packets of ${healed} bytes. ` : '') +
              (healed === 0 && arrived > 0 ? `Packets of up to ${arrived} bytes from ${from} did arrive. ` : '') +
              (isAwaited && healed === 0 ? `${to} lives and waits for just this one. ` : '') +
              (isAnswered && !isAwaited ? 'Another connection of the two came up meanwhile: the path lives. ' : '') +
              (isNew ? 'In connections before it packets of this size did arrive: something has changed since. ' : '') +
              'No ICMP message about its size is in this capture. Such a path lets ping and handshakes pass and hangs TLS, SSH at key exchange, and downloads.',
            subject: { sender: from, receiver: to, fails: size, ...(arrived > 0 ? { passes: arrived } : {}) },
            evidence: tcpFrames(
              capture,
              retransmissions.stuckPlaces(row),
              `${fromPort} > ${toPort}, ${size} bytes, sent again`,
            ),
            cause:
              `Somewhere on the path to ${to} packets of ${size} bytes are too big, and the router there does not say so, or a filter drops its message.` +
              (narrow ? ` ${label(narrow)} has an MTU of ${narrow.mtu}.` : '') +
              (known.length > 0 ? ` Usual limits below that: ${known.map(({ words }) => words).join(', ')}.` : ''),
            remedy: [
              {
                text: `On ${from}: find the size from which on it fails`,
                commands: [onHost(network, from, `tracepath -n ${to}`)],
              },
              {
                text: 'Make packets small enough where they start, in containers and guests too; until the next restart',
                commands: [setMtu(network, from, mtu)],
              },
              {
                text: `On ${narrow ? label(narrow) : 'the router with the small MTU'}: let TCP learn the size from the start, in both directions; until the next restart`,
                commands: [at(narrow, clampFor(to))],
              },
              {
                text: 'Let the messages about sizes pass on firewalls (made by iptables; what a rule of another nftables table drops stays dropped)',
                commands: [letTooBigPass(to, 'FORWARD')],
              },
              {
                text: `On ${from}: find smaller sizes by itself, in connections that begin from now on, each of which hangs some seconds before; until the next restart`,
                commands: [onHost(network, from, 'sysctl -w net.ipv4.tcp_mtu_probing=1')],
              },
            ],
            explains: [{ rule: 'tcp/retransmissions', key }],
            caveats: applying([
              !isSure &&
                !isAnswered &&
                `nothing from ${to} follows: it, or the path to it, may have failed at this very moment`,
              !isSure &&
                hasRested &&
                'the connection had rested before: a firewall or NAT may have forgotten it, whatever the size',
            ]),
            wouldRaise: [`a ping of that size: ping -M do -s ${size - (isIpv4 ? 28 : 48)} ${to}`],
          });
        },
      },
    };
  },
};

/** Longest packet that arrived in this direction of a connection, and of those of the two that began later. */
function deliveredSince({ flows }: Network, stream: Stream): number {
  const { segment, isIpv6, source, destination, sourcePort, destinationPort } = stream;
  return flows.delivered(segment, isIpv6, source, destination, (sourcePort << 16) | destinationPort);
}

/** Whether the two made another connection while the segment was sent again: neither the receiver nor the whole path had failed. */
function livesOn({ retransmissions, handshakes, flows }: Network, row: number, stream: Stream): boolean {
  const { segment, isIpv6, source, destination, sourcePort, destinationPort } = stream;
  const established = handshakes.lastEstablishedLike(stream);
  return (
    established > retransmissions.stuckFirst(row) &&
    established < retransmissions.stuckLast(row) &&
    // A receiver that was started anew does not know the old connection.
    !flows.wasReset(segment, isIpv6, source, destination, (sourcePort << 16) | destinationPort)
  );
}
