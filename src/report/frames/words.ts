import { ArpOperation } from '../../wire/arp.js';
import { ICMP_HEADER, IcmpType } from '../../wire/icmp.js';
import { Icmpv6Type } from '../../wire/icmpv6.js';
import { PROTOCOL_COUNT, Protocol } from '../../wire/protocol.js';
import { PacketType } from '../../wire/sll.js';
import { BpduType } from '../../wire/stp.js';
import { TcpFlag } from '../../wire/tcp.js';
import type { Fields } from './describe.js';

/** What is known beside the fields of a layer: bytes behind its header, and the ports of what it carries. */
type Words = (fields: Fields, payload: number, ports: Fields | null) => string;

/** The words of one protocol each, indexed by its number; the others are told as names and values. */
const WORDS: readonly (Words | undefined)[] = (() => {
  const table: (Words | undefined)[] = new Array(PROTOCOL_COUNT).fill(undefined);
  table[Protocol.Ethernet] = (fields) => `${fields.source} > ${fields.destination}, ${typeWords(fields)}`;
  table[Protocol.Sll] = sllWords;
  table[Protocol.Sll2] = (fields) => `device ${fields.interfaceIndex} ${sllWords(fields)}`;
  table[Protocol.Vlan] = ({ id, priority, dei, ...fields }) =>
    `vlan ${id}, p ${priority}${dei ? ', DEI' : ''}, ${typeWords(fields)}`;
  table[Protocol.Llc] = llcWords;
  table[Protocol.Arp] = arpWords;
  table[Protocol.Ipv4] = ipv4Words;
  table[Protocol.Ipv6] = addressWords;
  table[Protocol.Ipv6Extension] = extensionWords;
  table[Protocol.Icmp] = icmpWords;
  table[Protocol.Icmpv6] = icmpv6Words;
  table[Protocol.Udp] = (_, payload) => `UDP, length ${payload}`;
  table[Protocol.Tcp] = tcpWords;
  table[Protocol.Vxlan] = ({ vni, flags, reservedBits, groupPolicy }) =>
    `VXLAN, flags 0x${hex(flags, 2)}, vni ${vni}${reservedBits ? ', reserved bits set' : ''}` +
    `${groupPolicy === undefined ? '' : `, group policy ${groupPolicy}`}`;
  table[Protocol.Geneve] = ({ vni, protocolType }) => `Geneve, vni 0x${hex(vni, 1)}, ${protocolWords(protocolType)}`;
  table[Protocol.Gre] = ({ protocolType, key }) =>
    `GRE${key === undefined ? '' : `, key 0x${hex(key, 1)}`}, ${protocolWords(protocolType)}`;
  table[Protocol.Erspan] = ({ session }) => `ERSPAN, session ${session}`;
  table[Protocol.Dhcp] = dhcpWords;
  table[Protocol.Stp] = stpWords;
  table[Protocol.Mpls] = ({ label, bottom, ttl }) => `MPLS label ${label}${bottom ? ' [S]' : ''}, ttl ${ttl}`;
  table[Protocol.Data] = ({ length }) => `data, length ${length}`;
  return table;
})();

/** A layer that was read well, in the words of tcpdump where it has any. */
export function layerWords(protocol: number, fields: Fields, payload: number, ports: Fields | null): string {
  const words = WORDS[protocol];
  if (words !== undefined) return words(fields, payload, ports);
  const { protocol: name, quoted: _, ...rest } = fields;
  const values = Object.entries(rest).map(([field, value]) => `${field} ${value}`);
  return [name, ...values].join(', ');
}

function hex(value: Fields[string], digits: number): string {
  return Number(value).toString(16).padStart(digits, '0');
}

/** Names of EtherTypes as tcpdump writes them. */
const ETHER_TYPES: Readonly<Record<number, string>> = {
  2048: 'IPv4',
  2054: 'ARP',
  25944: 'TEB',
  32821: 'Reverse ARP',
  33024: '802.1Q',
  34525: 'IPv6',
  34825: 'Slow Protocols',
  34887: 'MPLS unicast',
  34888: 'MPLS multicast',
  34915: 'PPPoE D',
  34916: 'PPPoE S',
  34984: '802.1Q-QinQ',
  35020: 'LLDP',
  36864: 'Loopback',
  37120: '802.1Q-9100',
  37376: '802.1Q-9200',
};

function protocolWords(type: Fields[string]): string {
  return `ethertype ${ETHER_TYPES[Number(type)] ?? 'Unknown'} (0x${hex(type, 4)})`;
}

function typeWords({ etherType, length }: Fields): string {
  return etherType === undefined ? `802.3 of ${length} bytes` : protocolWords(etherType);
}

const PACKET_TYPES: Readonly<Record<number, string>> = {
  [PacketType.Host]: 'to us',
  [PacketType.Broadcast]: 'broadcast',
  [PacketType.Multicast]: 'multicast',
  [PacketType.OtherHost]: 'to another host',
  [PacketType.Outgoing]: 'from us',
};

function sllWords({ packetType, source, etherType }: Fields): string {
  const type = PACKET_TYPES[Number(packetType)] ?? `packet type ${packetType}`;
  return `${source === '' ? '' : `${source} `}${type}, ${protocolWords(etherType)}`;
}

function llcWords({ dsap, ssap, organization, protocolId }: Fields): string {
  if (organization === undefined) return `LLC, dsap 0x${hex(dsap, 2)} ssap 0x${hex(ssap, 2)}`;
  return `SNAP, oui 0x${hex(organization, 6)} pid 0x${hex(protocolId, 4)}`;
}

function arpWords(fields: Fields): string {
  const { operation, senderIp, senderMac, targetIp, targetMac } = fields;
  if (senderIp === undefined) return `ARP operation ${operation}, not IPv4 over Ethernet`;
  switch (operation) {
    case ArpOperation.Request: {
      const asked = targetMac === '00:00:00:00:00:00' ? '' : ` (${targetMac})`;
      return `Request who-has ${targetIp}${asked} tell ${senderIp}`;
    }
    case ArpOperation.Reply:
      return `Reply ${senderIp} is-at ${senderMac}`;
    case ArpOperation.RarpRequest:
      return `Reverse Request who-is ${targetMac} tell ${senderMac}`;
    case ArpOperation.RarpReply:
      return `Reverse Reply ${targetMac} at ${targetIp}`;
    default:
      return `ARP operation ${operation}, ${senderIp} (${senderMac}) to ${targetIp} (${targetMac})`;
  }
}

/** Addresses with the ports of what they carry, as tcpdump joins them. */
function addressWords({ source, destination }: Fields, _payload: number, ports: Fields | null): string {
  const from = ports?.sourcePort === undefined ? '' : `.${ports.sourcePort}`;
  const to = ports?.destinationPort === undefined ? '' : `.${ports.destinationPort}`;
  return `${source}${from} > ${destination}${to}`;
}

function ipv4Words(fields: Fields, payload: number, ports: Fields | null): string {
  const { fragmentOffset, moreFragments, identification } = fields;
  const addresses = addressWords(fields, payload, ports);
  if (fragmentOffset === 0 && !moreFragments) return addresses;
  return `${addresses}, fragment of ${identification} ${placeWords(fragmentOffset, moreFragments)}`;
}

const EXTENSIONS: Readonly<Record<number, string>> = {
  0: 'hop-by-hop options',
  43: 'routing',
  44: 'fragment',
  51: 'authentication',
  60: 'destination options',
  135: 'mobility',
};

function extensionWords({ type, identification, fragmentOffset, moreFragments }: Fields): string {
  const name = EXTENSIONS[Number(type)];
  return identification === undefined
    ? name
    : `${name} of ${identification} ${placeWords(fragmentOffset, moreFragments)}`;
}

/** Where a fragment lies in its datagram. */
function placeWords(offset: Fields[string], moreFollow: Fields[string]): string {
  return `at ${offset}, ${moreFollow ? 'more follow' : 'last'}`;
}

const ICMP_TYPES: Readonly<Record<number, string>> = {
  [IcmpType.EchoReply]: 'echo reply',
  [IcmpType.DestinationUnreachable]: 'unreachable',
  [IcmpType.SourceQuench]: 'source quench',
  [IcmpType.Redirect]: 'redirect',
  [IcmpType.Echo]: 'echo request',
  [IcmpType.TimeExceeded]: 'time exceeded',
  [IcmpType.ParameterProblem]: 'parameter problem',
};

const ICMPV6_TYPES: Readonly<Record<number, string>> = {
  [Icmpv6Type.DestinationUnreachable]: 'unreachable',
  [Icmpv6Type.PacketTooBig]: 'packet too big',
  [Icmpv6Type.TimeExceeded]: 'time exceeded',
  [Icmpv6Type.ParameterProblem]: 'parameter problem',
  [Icmpv6Type.EchoRequest]: 'echo request',
  [Icmpv6Type.EchoReply]: 'echo reply',
  [Icmpv6Type.ListenerQuery]: 'multicast listener query',
  [Icmpv6Type.ListenerReport]: 'multicast listener report',
  [Icmpv6Type.ListenerDone]: 'multicast listener done',
  [Icmpv6Type.RouterSolicitation]: 'router solicitation',
  [Icmpv6Type.RouterAdvertisement]: 'router advertisement',
  [Icmpv6Type.NeighborSolicitation]: 'neighbor solicitation',
  [Icmpv6Type.NeighborAdvertisement]: 'neighbor advertisement',
  [Icmpv6Type.Redirect]: 'redirect',
  [Icmpv6Type.ListenerReportV2]: 'multicast listener report v2',
};

/** A message's name and what its type carries, both for ICMP and ICMPv6. */
function messageWords(name: string, types: Readonly<Record<number, string>>, fields: Fields, payload: number): string {
  const { protocol: _, quoted: _quoted, type, code, identifier, sequence, ...rest } = fields;
  const words = [`${name} ${types[Number(type)] ?? `type ${type}`}${code === 0 ? '' : `, code ${code}`}`];
  if (identifier !== undefined) words.push(`id ${identifier}`, `seq ${sequence}`, `length ${payload + ICMP_HEADER}`);
  for (const [field, value] of Object.entries(rest)) words.push(`${field} ${value}`);
  return words.join(', ');
}

function icmpWords(fields: Fields, payload: number): string {
  return messageWords('ICMP', ICMP_TYPES, fields, payload);
}

function icmpv6Words(fields: Fields, payload: number): string {
  return messageWords('ICMP6', ICMPV6_TYPES, fields, payload);
}

/** Letters of tcpdump, in its order. */
const TCP_FLAGS: readonly (readonly [flag: number, letter: string])[] = [
  [TcpFlag.Fin, 'F'],
  [TcpFlag.Syn, 'S'],
  [TcpFlag.Rst, 'R'],
  [TcpFlag.Psh, 'P'],
  [TcpFlag.Ack, '.'],
  [TcpFlag.Urg, 'U'],
  [TcpFlag.Ece, 'E'],
  [TcpFlag.Cwr, 'W'],
  [TcpFlag.Ae, 'e'],
];

function tcpWords({ flags, sequence, acknowledgment, window }: Fields, payload: number): string {
  const set = TCP_FLAGS.filter(([flag]) => (Number(flags) & flag) !== 0);
  const letters = set.map(([, letter]) => letter).join('') || 'none';
  const ack = (Number(flags) & TcpFlag.Ack) === 0 ? '' : `, ack ${acknowledgment}`;
  return `Flags [${letters}], seq ${sequence}${ack}, win ${window}, length ${payload}`;
}

const DHCP_MESSAGES = ['BOOTP', 'Discover', 'Offer', 'Request', 'Decline', 'ACK', 'NAK', 'Release', 'Inform'];

function dhcpWords({ messageType = 0, transactionId, clientMac, yourIp, serverId }: Fields): string {
  const words = [
    `DHCP ${DHCP_MESSAGES[Number(messageType)] ?? `message ${messageType}`}`,
    `xid 0x${hex(transactionId, 8)}`,
  ];
  if (clientMac !== undefined) words.push(`client ${clientMac}`);
  if (yourIp !== '0.0.0.0') words.push(`address ${yourIp}`);
  if (serverId !== undefined) words.push(`server ${serverId}`);
  return words.join(', ');
}

/** IEEE 802.1D-2004 section 9.3. */
const STP_VERSIONS: Readonly<Record<number, string>> = { 0: 'STP', 2: 'RSTP' };

function stpWords({ version, type, root, rootPathCost, bridge, port }: Fields): string {
  const name = STP_VERSIONS[Number(version)] ?? `STP version ${version}`;
  if (type === BpduType.TopologyChange) return `${name} topology change`;
  return `${name}, root ${root}, cost ${rootPathCost}, bridge ${bridge}, port 0x${hex(port, 4)}`;
}
