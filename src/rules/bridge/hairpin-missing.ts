import type { Device } from '../../network/context/device.js';
import { type AddressMatch, contains } from '../../network/context/firewall-match.js';
import { formatIpv4 } from '../../wire/address.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { stuckConnections } from '../parts/connection.js';
import { at } from '../parts/device-argument.js';
import { label } from '../parts/question.js';
import type { Remedy, Rule } from '../rule.js';
import { type HairpinCase, HairpinCases } from './parts/hairpin-cases.js';

const HANDSHAKE = TcpFlag.Syn | TcpFlag.Ack | TcpFlag.Rst;

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
    const cases = new HairpinCases(network);

    function tell(each: HairpinCase): void {
      const { key, segment, capture, rounds, first, last, port, frames: evidence } = each;
      if (each.isAnswered || rounds < thresholds.rounds) return;
      if ((each.seenAt === 'server' && each.again === 0) || (each.seenAt === 'nat' && !areNeighbors(each))) return;
      const isItself = each.server === each.client;
      const [client, service, server] = [each.client, each.service, each.server].map(formatIpv4);
      const asked = each.service === 0 ? 'the published address' : service;
      const bridgePort = isItself ? portOf(each.client) : null;
      const isOff = bridgePort?.hairpin === false;
      const named = bridgePort ? label(bridgePort) : '';
      const routed = isItself && !bridgePort ? routedPeer(each.client) : null;
      const nat = holderOf(each.service) ?? bridgePort ?? routed;
      // Nothing that it could name is missing there: something else drops the SYN.
      if (isItself && (routed || bridgePort?.hairpin === true) && hasMasquerade(bridgePort ?? routed, each.client))
        return;
      const hairpin: Remedy = {
        text: 'Let frames leave by the bridge port they came from',
        commands: [
          at(bridgePort, `bridge link set dev ${bridgePort ? bridgePort.name : '<port of the client>'} hairpin on`),
        ],
      };
      const masquerade: Remedy = {
        text: 'Give such connections the address of the NAT host as source, if that is missing',
        commands: [at(nat, `iptables -t nat -A POSTROUTING -s ${client} -d ${client} -j MASQUERADE`)],
      };
      report({
        key,
        segment,
        capture,
        count: rounds,
        // The translated answer, of which a bridge shows both, is not here.
        silence: true,
        first,
        last,
        confidence:
          each.seenAt !== 'client'
            ? 'likely'
            : !isItself || (isOff && each.service !== 0)
              ? 'certain'
              : isOff || each.service !== 0
                ? 'likely'
                : 'hint',
        title: isItself
          ? `${client} cannot reach itself through ${asked}: NAT sends its SYN back to it`
          : each.seenAt === 'server'
            ? `${client} resets what ${server} answers, and its SYN comes again: the answer bypasses NAT`
            : each.seenAt === 'nat'
              ? `${client} asks ${asked}, NAT asks ${server} in its place, and the answer bypasses NAT`
              : `${client} asks ${asked} and ${server} answers: the answer bypasses NAT`,
        summary: isItself
          ? `NAT turns the SYN of ${client} to ${asked} into one from ${client} to ${client} port ${port}, ${rounds} times, and no SYN-ACK follows. It would have to ${routed ? 'have' : 'leave by the bridge port that it came from, with'} another source address; a host drops packets that claim to come from itself.`
          : each.seenAt === 'server'
            ? `SYNs from ${client} to ${server} port ${port} are handed on by another machine, and ${server}, on the same network, answers ${client} directly. ${client} resets the answer, and yet its SYN comes again, ${rounds} times: it asked another address, which NAT turned into ${server}.`
            : each.seenAt === 'nat'
              ? `${client} connects to ${asked}. NAT sends that on to ${server} port ${port} and leaves the source as it is. ${server} is on the same network and answers ${client} directly, past the NAT; ${client} never asked ${server}, drops the answer and sends its SYN again, ${rounds} times in all.`
              : `${client} connects to ${asked}. NAT sends that on to ${server} port ${port} and leaves the source as it is, so ${server}, ${isBeside(each) ? 'on the same network, answers' : 'whose way back does not lead through the NAT, answers'} ${client} directly. ${client} never asked ${server}, and resets: ${rounds} times.`,
        subject: { client, service: each.service === 0 ? server : service, server },
        evidence,
        cause: routed
          ? 'Destination NAT without source NAT for the client itself.'
          : isItself
            ? 'The bridge port has hairpin off, so that the frame is not translated on its way back.'
            : 'Destination NAT without source NAT for clients on the network of the server.',
        remedy: routed
          ? [masquerade]
          : isItself
            ? lacksMasquerade(bridgePort, each.client)
              ? [masquerade, hairpin]
              : [hairpin, masquerade]
            : [
                {
                  text: 'On the NAT host: give clients of this network its own address as source',
                  commands: [
                    at(
                      nat,
                      `iptables -t nat -A POSTROUTING -s ${client} -d ${server} -p tcp --dport ${port} -j MASQUERADE`,
                    ),
                  ],
                },
              ],
        explains: [service, server].flatMap((address) => stuckConnections(segment, client, address)),
        context: isOff ? [`${named}: hairpin off`] : [],
        wouldRaise:
          each.seenAt === 'server'
            ? [`a capture at ${client}: which address does it ask?`]
            : isItself && !isOff
              ? ['`bridge -d link`: hairpin off at the port of the client']
              : [],
      });
    }

    /** Whether the server speaks ARP in the segment of the client. */
    function isBeside({ segment, server }: HairpinCase): boolean {
      return network.claims.holder(segment, network.addresses.ipv4(server)) >= 0;
    }

    /** Whether client and server both speak ARP in the segment: the server answers the client directly. */
    function areNeighbors({ segment, client, server }: HairpinCase): boolean {
      const { claims, addresses } = network;
      return [client, server].every((each) => claims.holder(segment, addresses.ipv4(each)) >= 0);
    }

    /** A device with the address; null where the context shows none, or more than one machine with it. */
    function holderOf(address: number): Device | null {
      const devices = address === 0 ? [] : (network.context?.devicesByIp(Int32Array.of(address)) ?? []);
      return devices.every(({ namespace }) => namespace === devices[0].namespace) ? (devices[0] ?? null) : null;
    }

    /** The machine of the bridge is known to have no source NAT for a client that reaches itself. */
    function lacksMasquerade(port: Device | null, client: number): boolean {
      return firewallOf(port) !== null && !mayMasquerade(port, client);
    }

    function mayMasquerade(port: Device | null, client: number): boolean {
      const covers = (match: AddressMatch | null) =>
        match === null || !match.whole || match.prefixes.some((each) => contains(each, [client])) !== match.negated;
      return firewallOf(port)?.sourceNat.some((each) => covers(each.source) && covers(each.destination)) ?? false;
    }

    /** It has a rule for this very client as source and destination. */
    function hasMasquerade(port: Device | null, client: number): boolean {
      const isIt = (match: AddressMatch | null) =>
        match?.whole === true &&
        !match.negated &&
        match.prefixes.every((each) => each.length === 32 && contains(each, [client]));
      return firewallOf(port)?.sourceNat.some((each) => isIt(each.source) && isIt(each.destination)) ?? false;
    }

    function firewallOf(port: Device | null) {
      return (port && network.context?.namespaces.get(port.namespace)?.firewall) ?? null;
    }

    /** Other end of the cable of the one device that has the address, if it is a router's rather than a port of a bridge. */
    function routedPeer(address: number): Device | null {
      const devices = network.context?.devicesByIp(Int32Array.of(address)) ?? [];
      const peer = devices.length === 1 ? devices[0].peer : null;
      return peer && !peer.master && peer.namespace !== devices[0].namespace ? peer : null;
    }

    /** Bridge port of the one device that has the address. */
    function portOf(address: number): Device | null {
      const devices = network.context?.devicesByIp(Int32Array.of(address)) ?? [];
      return devices.length === 1 ? (network.context?.switchPort(devices[0]) ?? null) : null;
    }

    return {
      layers: {
        Tcp(frame, layer) {
          const flags = tcpFlags(frame.view, frame.offsets[layer]) & HANDSHAKE;
          if ((flags & (TcpFlag.Syn | TcpFlag.Rst)) !== 0) cases.look(frame, layer, flags);
        },
      },
      captureEnd(capture) {
        for (const each of cases.values()) if (each.capture === capture) tell(each);
      },
    };
  },
};
