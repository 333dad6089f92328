import type { Device } from '../../network/context/device.js';
import { KeyTable } from '../../network/key-table.js';
import { formatIpv4 } from '../../wire/address.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import {
  TcpFlag,
  tcpAcknowledgment,
  tcpDestinationPort,
  tcpFlags,
  tcpSequence,
  tcpSourcePort,
} from '../../wire/tcp.js';
import { stuckConnections } from '../connection.js';
import { inNamespace, label } from '../question.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { segmentAt } from '../segment.js';

const MAX_ATTEMPTS = 4096;
const MAX_CASES = 256;
const MAX_FRAMES = 32;
/** Offset in an Ethernet header. */
const SOURCE_MAC = 6;
const HANDSHAKE = TcpFlag.Syn | TcpFlag.Ack | TcpFlag.Rst;
/** Rows: segment, client, its port, sequence number of the SYN | service, frame, offset and length of the first SYN to it. */
const SERVICE = 4;
const FRAME = 5;
const OFFSET = 6;
const LENGTH = 7;
/** Source MAC of that SYN. */
const HI = 8;
const LO = 9;
const STRIDE = 10;

/** A connection attempt whose answer comes from elsewhere, or whose SYN comes back to its sender. */
interface Case {
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly client: number;
  /** Address that the client asked, 0 where that is not in the capture. */
  readonly service: number;
  /** Address that answers, or that the SYN was sent on to. */
  readonly server: number;
  readonly port: number;
  /** Resets of the strange answers, or SYNs that came back. */
  rounds: number;
  isAnswered: boolean;
  /** At the server: SYNs come by another machine, the client itself resets the answers; how often the SYN came again after that. */
  readonly isBehindNat: boolean;
  again: number;
  readonly first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** A client cannot reach a service on its own bridge through the address that NAT publishes (catalogue B11). */
export const hairpinMissing: Rule = {
  meta: {
    id: 'bridge/hairpin-missing',
    severity: 'error',
    summary: 'A client cannot reach a service beside it, or itself, through the published address: NAT lacks hairpin',
    catalogue: 'B11',
    thresholds: {
      rounds: { value: 2, unit: 'rounds of a SYN sent again', source: 'one may be a packet that went astray' },
    },
  },
  create({ network, report, thresholds }) {
    const attempts = new KeyTable(STRIDE, MAX_ATTEMPTS);
    const cases = new Map<string, Case>();

    function syn(frame: Frame, layer: number, source: number, destination: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const segment = segmentAt(network, frame, layer);
      const port = tcpSourcePort(view, at);
      const sequence = tcpSequence(view, at) | 0;
      const row = attempts.add(segment, source, port, sequence);
      const cell = row * STRIDE;
      if (source !== destination && attempts.cells[cell + FRAME] === 0) {
        attempts.cells[cell + SERVICE] = destination;
        attempts.cells[cell + FRAME] = frame.number;
        attempts.cells[cell + OFFSET] = at - frame.start;
        attempts.cells[cell + LENGTH] = frame.ends[layer] - at;
        attempts.cells[cell + HI] = view.getUint16(senderAt(frame, layer));
        attempts.cells[cell + LO] = view.getInt32(senderAt(frame, layer) + 2);
        return;
      }
      const known = cases.get(keyOf(segment, source, port, sequence));
      if (source !== destination) {
        if (!known || destination !== (known.isBehindNat ? known.server : known.service)) return;
        known.again++;
        note(known, frame, layer, 'the same SYN again');
        return;
      }
      const own = known ?? open(frame, row, port, source, tcpDestinationPort(view, at));
      if (!own) return;
      own.rounds++;
      note(own, frame, layer, 'SYN with the same address as source and destination');
    }

    function synAck(frame: Frame, layer: number, source: number, client: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const segment = segmentAt(network, frame, layer);
      const port = tcpDestinationPort(view, at);
      const sequence = (tcpAcknowledgment(view, at) - 1) | 0;
      const row = attempts.find(segment, client, port, sequence);
      if (row < 0) return;
      const known = cases.get(keyOf(segment, client, port, sequence));
      if (known?.isBehindNat) return;
      const service = attempts.cells[row * STRIDE + SERVICE];
      if (source === service || source === client) {
        if (known) known.isAnswered = true;
        // An answer as it should be: whatever else is seen of it is another leg of the same NAT.
        else attempts.cells[row * STRIDE + SERVICE] = 0;
        return;
      }
      if (service === 0) return;
      const strange = known ?? open(frame, row, port, source, tcpSourcePort(view, at));
      if (strange) note(strange, frame, layer, `SYN-ACK from ${formatIpv4(source)}, which was not asked`);
    }

    function reset(frame: Frame, layer: number, client: number, server: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const segment = segmentAt(network, frame, layer);
      const port = tcpSourcePort(view, at);
      const sequence = (tcpSequence(view, at) - 1) | 0;
      const known =
        cases.get(keyOf(segment, client, port, sequence)) ??
        openBehindNat(
          frame,
          layer,
          attempts.find(segment, client, port, sequence),
          port,
          server,
          tcpDestinationPort(view, at),
        );
      if (!known || known.server !== server || known.server === client) return;
      known.rounds++;
      note(known, frame, layer, 'RST: the client knows no such connection');
    }

    /** The client resets with its own MAC what was answered to a SYN that another machine handed on. */
    function openBehindNat(
      frame: Frame,
      layer: number,
      row: number,
      clientPort: number,
      server: number,
      port: number,
    ): Case | null {
      if (row < 0 || attempts.cells[row * STRIDE + FRAME] === 0) return null;
      const at = senderAt(frame, layer);
      const isSame =
        frame.view.getUint16(at) === attempts.cells[row * STRIDE + HI] &&
        frame.view.getInt32(at + 2) === attempts.cells[row * STRIDE + LO];
      return isSame ? null : open(frame, row, clientPort, server, port, true);
    }

    function open(
      frame: Frame,
      row: number,
      clientPort: number,
      server: number,
      port: number,
      isBehindNat = false,
    ): Case | null {
      if (cases.size === MAX_CASES) return null;
      const { cells } = attempts;
      const at = row * STRIDE;
      const [segment, client, , sequence, service, number, offset, length] = cells.subarray(at, at + STRIDE);
      const key = keyOf(segment, client, clientPort, sequence);
      const { capture, time } = frame;
      const note = `SYN to ${formatIpv4(isBehindNat ? server : service)}`;
      const opened: Case = {
        key,
        segment,
        capture,
        client,
        service: isBehindNat ? 0 : service,
        server,
        port,
        rounds: 0,
        isAnswered: false,
        isBehindNat,
        again: 0,
        first: time,
        last: time,
        frames: number === 0 ? [] : [{ capture, frame: number, layer: 'tcp', offset, length, note }],
      };
      cases.set(key, opened);
      return opened;
    }

    function tell(each: Case): void {
      const { key, segment, capture, rounds, first, last, port, frames: evidence } = each;
      if (each.isAnswered || rounds < thresholds.rounds || (each.isBehindNat && each.again === 0)) return;
      const isItself = each.server === each.client;
      const [client, service, server] = [each.client, each.service, each.server].map(formatIpv4);
      const asked = each.service === 0 ? 'the published address' : service;
      const bridgePort = isItself ? portOf(each.client) : null;
      const isOff = bridgePort?.hairpin === false;
      const named = bridgePort ? label(bridgePort) : '';
      report({
        key,
        segment,
        capture,
        count: rounds,
        first,
        last,
        confidence: each.isBehindNat
          ? 'likely'
          : !isItself || (isOff && each.service !== 0)
            ? 'certain'
            : isOff || each.service !== 0
              ? 'likely'
              : 'hint',
        title: isItself
          ? `${client} cannot reach itself through ${asked}: NAT sends its SYN back to it`
          : each.isBehindNat
            ? `${client} resets what ${server} answers, and its SYN comes again: NAT lacks a way back`
            : `${client} asks ${asked} and ${server} answers: NAT lacks a way back`,
        summary: isItself
          ? `NAT turns the SYN of ${client} to ${asked} into one from ${client} to ${client} port ${port}, ${rounds} times, and no SYN-ACK follows. It would have to leave by the bridge port that it came from, with another source address; a host drops packets that claim to come from itself.`
          : each.isBehindNat
            ? `SYNs from ${client} to ${server} port ${port} are handed on by another machine, and ${server}, on the same network, answers ${client} directly. ${client} resets the answer, and yet its SYN comes again, ${rounds} times: it asked another address, which NAT turned into ${server}.`
            : `${client} connects to ${asked}. NAT sends that on to ${server} port ${port} and leaves the source as it is, so ${server}, on the same network, answers ${client} directly. ${client} never asked ${server}, and resets: ${rounds} times.`,
        subject: { client, service: each.service === 0 ? server : service, server },
        evidence,
        cause: isItself
          ? 'The bridge port has hairpin off, so that the frame is not translated on its way back.'
          : 'Destination NAT without source NAT for clients on the network of the server.',
        remedy: isItself
          ? [
              {
                text: 'Let frames leave by the bridge port they came from',
                commands: [
                  bridgePort
                    ? inNamespace(bridgePort, `bridge link set dev ${bridgePort.name} hairpin on`)
                    : 'bridge link set dev <port of the client> hairpin on',
                ],
              },
              {
                text: 'Give such connections the address of the NAT host as source, if that is missing',
                commands: [`iptables -t nat -A POSTROUTING -s ${client} -d ${client} -j MASQUERADE`],
              },
            ]
          : [
              {
                text: 'On the NAT host: give clients of this network its own address as source',
                commands: [
                  `iptables -t nat -A POSTROUTING -s ${client} -d ${server} -p tcp --dport ${port} -j MASQUERADE`,
                ],
              },
            ],
        explains: [service, server].flatMap((address) => stuckConnections(segment, client, address)),
        context: isOff ? [`${named}: hairpin off`] : [],
        wouldRaise: each.isBehindNat
          ? [`a capture at ${client}: which address does it ask?`]
          : isItself && !isOff
            ? ['`bridge -d link`: hairpin off at the port of the client']
            : [],
      });
    }

    /** Bridge port of the one device that has the address. */
    function portOf(address: number): Device | null {
      const devices = network.context?.devicesByIp(Int32Array.of(address)) ?? [];
      return devices.length === 1 ? (network.context?.switchPort(devices[0]) ?? null) : null;
    }

    function look(frame: Frame, layer: number, flags: number): void {
      if ((flags & TcpFlag.Rst) !== 0 && attempts.rowCount === 0) return;
      // Cooked headers show each frame at several devices, before and after NAT.
      if (layer === 0 || frame.kinds[layer - 1] !== Protocol.Ipv4 || frame.kinds[0] !== Protocol.Ethernet) return;
      const source = ipv4Source(frame.view, frame.offsets[layer - 1]);
      const destination = ipv4Destination(frame.view, frame.offsets[layer - 1]);
      // 127.0.0.0/8, and the loopback device, whose MACs are zero: there a host does talk to itself.
      const view = frame.view;
      const at = frame.offsets[0];
      if (source >>> 24 === 127 || (view.getUint16(at + 6) === 0 && view.getInt32(at + 8) === 0)) return;
      if (flags & TcpFlag.Rst) reset(frame, layer, source, destination);
      else if (flags & TcpFlag.Ack) synAck(frame, layer, source, destination);
      else syn(frame, layer, source, destination);
    }

    return {
      layers: {
        Tcp(frame, layer) {
          const flags = tcpFlags(frame.view, frame.offsets[layer]) & HANDSHAKE;
          if ((flags & (TcpFlag.Syn | TcpFlag.Rst)) !== 0) look(frame, layer, flags);
        },
      },
      captureEnd(capture) {
        for (const each of cases.values()) if (each.capture === capture) tell(each);
      },
    };
  },
};

/** Offset of the source MAC of the Ethernet frame that carries a layer. */
function senderAt({ kinds, offsets }: Frame, layer: number): number {
  let link = layer;
  while (link > 0 && kinds[link] !== Protocol.Ethernet) link--;
  return offsets[link] + SOURCE_MAC;
}

function keyOf(segment: number, client: number, port: number, sequence: number): string {
  return `${segment} ${formatIpv4(client)} ${port} ${sequence >>> 0}`;
}

function note(each: Case, frame: Frame, layer: number, text: string): void {
  each.last = frame.time;
  if (each.frames.length >= MAX_FRAMES) return;
  const at = frame.offsets[layer];
  const { capture, number } = frame;
  each.frames.push({
    capture,
    frame: number,
    layer: 'tcp',
    offset: at - frame.start,
    length: frame.ends[layer] - at,
    note: text,
  });
}
