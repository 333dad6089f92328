import type { Network } from '../../../network/network.js';
import { formatIpv4 } from '../../../wire/address.js';
import { confidenceBy } from '../../parts/confidence.js';
import { at } from '../../parts/device-argument.js';
import { label } from '../../parts/question.js';
import { applying } from '../../parts/words.js';
import type { Diagnosis, Remedy } from '../../rule.js';
import type { HairpinCase } from './hairpin-cases.js';
import { holderOf, type ItselfAt, lacksMasquerade } from './hairpin-nat.js';

type Words = Pick<
  Diagnosis,
  'confidence' | 'title' | 'summary' | 'cause' | 'remedy' | 'context' | 'caveats' | 'wouldRaise'
>;

/** A client asks for itself, and NAT sends its SYN back to it. */
export function askingItself(network: Network, each: HairpinCase, { port, routed }: ItselfAt): Words {
  const { service, rounds, seenAt } = each;
  const client = formatIpv4(each.client);
  const asked = askedBy(each);
  const isOff = port?.hairpin === false;
  const nat = holderOf(network.context, service) ?? port ?? routed;
  const hairpin: Remedy = {
    text: 'Let frames leave by the bridge port they came from',
    commands: [at(port, `bridge link set dev ${port ? port.name : '<port of the client>'} hairpin on`)],
  };
  const masquerade: Remedy = {
    text: 'Give such connections the address of the NAT host as source, if that is missing',
    commands: [at(nat, `iptables -t nat -I POSTROUTING -s ${client} -d ${client} -j MASQUERADE`)],
  };
  const isOn = port?.hairpin === true;
  const isNat = routed !== null || isOn;
  const bridged = lacksMasquerade(network, port, each.client) ? [masquerade, hairpin] : [hairpin, masquerade];
  const isAtClient = seenAt === 'client';
  const signs = Number(isOff) + Number(service !== 0);
  return {
    confidence: confidenceBy({ certain: isAtClient && signs === 2, likely: !isAtClient || signs === 1 }),
    title: `${client} cannot reach itself through ${asked}: NAT sends its SYN back to it`,
    summary:
      `NAT turns the SYN of ${client} to ${asked} into one from ${client} to ${client} port ${each.port}, ${rounds} times, and no SYN-ACK follows. ` +
      `It would have to ${isNat ? 'have' : 'leave by the bridge port that it came from, with'} another source address; a host drops packets that claim to come from itself.`,
    cause: isNat
      ? 'Destination NAT without source NAT for the client itself.'
      : 'The bridge port has hairpin off, so that the frame is not translated on its way back.',
    remedy: isNat ? [masquerade] : bridged,
    context: port && (isOff || isOn) ? [`${label(port)}: hairpin ${isOn ? 'on' : 'off'}`] : [],
    wouldRaise: applying([
      seenAt === 'server' && captureAt(client),
      seenAt !== 'server' && !isOff && !isOn && '`bridge -d link`: hairpin off at the port of the client',
    ]),
  };
}

/** A server on the client's own network answers it directly, past the NAT that the client asked. */
export function pastNat(network: Network, each: HairpinCase): Words {
  const [client, server] = [each.client, each.server].map(formatIpv4);
  const nat = holderOf(network.context, each.service);
  return {
    confidence: each.seenAt === 'client' ? 'certain' : 'likely',
    ...told(network, each, client, server),
    cause: 'Destination NAT without source NAT for clients on the network of the server.',
    remedy: [
      {
        text: 'On the NAT host: give clients of this network its own address as source',
        commands: [
          at(nat, `iptables -t nat -I POSTROUTING -s ${client} -d ${server} -p tcp --dport ${each.port} -j MASQUERADE`),
        ],
      },
    ],
    context: [],
    caveats:
      each.seenAt === 'server'
        ? [`a router whose source NAT uses ${client}, an address that another machine has, looks alike from here`]
        : [],
    wouldRaise: each.seenAt === 'server' ? [captureAt(client)] : [],
  };
}

function told(network: Network, each: HairpinCase, client: string, server: string): Pick<Words, 'title' | 'summary'> {
  const { seenAt, port, rounds } = each;
  const asked = askedBy(each);
  if (seenAt === 'server')
    return {
      title: `${client} resets what ${server} answers, and its SYN comes again: the answer bypasses NAT`,
      summary:
        `SYNs from ${client} to ${server} port ${port} are handed on by another machine, and ${server}, on the same network, answers ${client} directly. ` +
        `${client} resets the answer, and yet its SYN comes again, ${rounds} times: it asked another address, which NAT turned into ${server}.`,
    };
  const sent = `${client} connects to ${asked}. NAT sends that on to ${server} port ${port} and leaves the source as it is`;
  if (seenAt === 'nat')
    return {
      title: `${client} asks ${asked}, NAT asks ${server} in its place, and the answer bypasses NAT`,
      summary:
        `${sent}. ${server} is on the same network and answers ${client} directly, past the NAT; ` +
        `${client} never asked ${server}, drops the answer and sends its SYN again, ${rounds} times in all.`,
    };
  const { claims, addresses } = network;
  const isBeside = claims.holder(each.segment, addresses.ipv4(each.server)) >= 0;
  const where = isBeside ? 'on the same network, answers' : 'whose way back does not lead through the NAT, answers';
  return {
    title: `${client} asks ${asked} and ${server} answers: the answer bypasses NAT`,
    summary: `${sent}, so ${server}, ${where} ${client} directly. ${client} never asked ${server}, and resets: ${rounds} times.`,
  };
}

function askedBy({ service }: HairpinCase): string {
  return service === 0 ? 'the published address' : formatIpv4(service);
}

function captureAt(client: string): string {
  return `a capture at ${client}: which address does it ask?`;
}
