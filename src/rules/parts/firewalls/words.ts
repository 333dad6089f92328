import type { Place } from '../../../network/context/netfilter/fate.js';
import { type Packet, SOLICIT, wordsOf } from '../../../network/context/netfilter/packet.js';
import { ownerOf, targetOf } from '../../../network/context/netfilter/rule-lists.js';
import { chainKey, type Ruleset } from '../../../network/context/netfilter/ruleset.js';
import { ruleText } from '../../../network/context/netfilter/text.js';
import { formatAddress } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import type { Remedy } from '../../rule.js';
import { inNamespace } from '../question.js';
import type { Vanished } from '../vanished/requests.js';
import { applying } from '../words.js';
import type { Filtered } from './filtered.js';
import { kubeCure } from './kube-proxy.js';

/** Requests of one finding that get commands of their own. */
const MAX_REQUESTS = 4;
/** Rules of Docker's users, which Docker itself never changes and always asks first. */
const DOCKER_USER = 'DOCKER-USER';
/** Hooks where connections are known already, in families that know them. */
const TRACKED_HOOKS: readonly string[] = ['input', 'forward', 'output', 'postrouting'];
const TRACKED_FAMILIES: readonly string[] = ['ip', 'ip6', 'inet'];

/** `chain ip filter FORWARD`. */
function chainWords({ family, table, chain }: Place): string {
  const { program, name } = ownerOf(table);
  if (program !== null) return `chain ${printable(chain)} of ${program}, table ${name}`;
  return `chain ${printable(`${family} ${table} ${chain}`)}`;
}

/** What drops: `the rule "ip daddr 10.0.0.1 drop" (chain inet fw fwd, handle 4)`, or the policy of a chain. */
export function placeWords(place: Place): string {
  const { rule } = place;
  if (!rule) return `the policy (drop) of ${chainWords(place)}, hook ${printable(place.hook)}`;
  const handle = rule.handle === null ? '' : `, ${rule.line === null ? 'handle' : 'number'} ${rule.handle}`;
  const within = place.chain === place.base ? '' : `, called from ${printable(place.base)}`;
  // Of iptables-legacy it is part of the rule.
  const comment = rule.comment === null || rule.line !== null ? '' : ` ("${printable(rule.comment)}")`;
  return `the rule \`${printable(ruleText(rule))}\`${comment} in ${chainWords(place)}${handle}${within}`;
}

/** For the line "Context". */
export function placeContext(place: Place): string {
  const counted = place.packets === null ? '' : `, counted ${place.packets} packets`;
  return `${placeWords(place)}${counted}`;
}

/** What is not known of a drop, and what would tell. */
export function doubtsOf(
  { isAnsweredBeyond, to }: Pick<Vanished, 'isAnsweredBeyond' | 'to'>,
  { fate, packet, place, namespace }: Filtered,
) {
  const isOpen = fate.kind !== 'drop';
  const isUnseen = packet.isReply && !isAnsweredBeyond && !place.packets;
  const isAssumed = fate.assumesMark || fate.assumesDevice || isUnseen;
  const machine = printable(namespace.name);
  return {
    caveats: [
      ...(fate.assumesMark ? ['rules ask for the mark of packets: that these have none is assumed'] : []),
      ...(fate.assumesDevice
        ? ['nft does not tell which device the chain belongs to: its count says that it drops']
        : []),
      ...(fate.assumesRoute ? ['a route in another table (`ip rule`) is not part of the host context'] : []),
      ...(isUnseen ? [`that ${to} answers is not in this capture, and the rule does not count`] : []),
      ...(isOpen
        ? [
            `rules before it ask for ${fate.hidesTracking ? 'the state of connections in a way' : 'something'} that nft does not show: they may let these through`,
          ]
        : []),
    ],
    wouldRaise: applying([
      isOpen && `\`iptables-save -c\` in ${machine}: what do the rules before it ask for?`,
      !isOpen && isAssumed && `\`nft monitor trace\` in ${machine}: which rule takes the packets?`,
    ]),
  };
}

/** The same for all that is dropped there. */
export function placeKey(place: Place): string {
  return `${chainKey(place.family, place.table, place.chain)} ${place.rule?.handle ?? 'policy'}`;
}

/** What lets packets through that are dropped, safest first. `drops` are of one machine and one place. */
export function cureOf(drops: readonly Filtered[], who: string): Remedy[] {
  const [{ device, place }] = drops;
  const service = kubeCure(place);
  if (service) return service;
  const run = (command: string) => inNamespace(device, command);
  const { program, name } = ownerOf(place.table);
  const tables = `${program}${ofTable(name)}`;
  const chain = `${place.family} ${place.table} ${place.chain}`;
  const see = program === null ? `nft -a list chain ${chain}` : `${tables} -vnL ${place.chain} --line-numbers`;
  const { rule } = place;
  const remove =
    rule && rule.handle !== null
      ? [
          {
            text: 'Or take the rule away, for all that it drops',
            commands: [
              run(
                program === null
                  ? `nft delete rule ${chain} handle ${rule.handle}`
                  : `${tables} -D ${place.chain} ${rule.handle}`,
              ),
            ],
          },
        ]
      : [];
  return [
    { text: `On ${who}: see the rule and its count`, commands: [run(see)] },
    {
      text: `Let them through${rule ? ', in front of it' : ''}. It lasts until the rules are loaded anew: write it where those come from, too`,
      commands: acceptsOf(drops),
    },
    ...remove,
  ];
}

/** Commands that let through what is dropped, wherever it would be. */
export function acceptsOf(drops: readonly Filtered[]): string[] {
  const commands = new Set<string>();
  for (const drop of drops.slice(0, MAX_REQUESTS)) {
    const all = [
      { place: drop.place, packet: drop.packet },
      ...drop.fate.further.map((other) => ({ place: other, packet: drop.packet })),
    ];
    for (const each of drop.back ? [...all, drop.back] : all)
      commands.add(inNamespace(drop.device, allow(drop, each.place, each.packet)));
  }
  return [...commands];
}

/** The command that lets a packet through at a place. */
function allow({ ruleset }: Filtered, place: Place, packet: Packet): string {
  const { family, table, chain, base, hook, rule } = place;
  const isDocker =
    hook === 'forward' && ruleset.chains.has(chainKey(family, table, DOCKER_USER)) && !isBeforeDocker(ruleset, place);
  const owner = ownerOf(table);
  const isIptables =
    owner.program !== null ||
    ((family === 'ip' || family === 'ip6') && (isDocker || ruleset.byIptables.has(`${family} ${table}`)));
  const isTracked = TRACKED_HOOKS.includes(hook) && TRACKED_FAMILIES.includes(family) && packet.state === 'established';
  if (isIptables) {
    const program = owner.program ?? (family === 'ip' ? 'iptables' : 'ip6tables');
    return `${program}${ofTable(owner.name)} -I ${isDocker ? DOCKER_USER : base} ${iptablesMatch(packet, isTracked)} -j ACCEPT`;
  }
  const before = rule?.handle === null || rule?.handle === undefined ? '' : ` handle ${rule.handle}`;
  return `nft insert rule ${family} ${table} ${chain}${before} ${nftMatch(packet, isTracked)} accept`;
}

/** Whether packets are dropped before the chain of Docker's users is asked. */
function isBeforeDocker({ bases }: Ruleset, { family, table, base, chain, rule }: Place): boolean {
  const rules = bases.find((each) => each.family === family && each.table === table && each.name === base)?.rules ?? [];
  const calls = (name: string) =>
    rules.findIndex(({ statements }) => statements.some((each) => targetOf(each) === name));
  // Without a rule it is the policy that drops, last of all.
  const own = rule ? rules.indexOf(rule) : -1;
  const drops = chain === base ? own : calls(chain);
  return drops >= 0 && drops < calls(DOCKER_USER);
}

/** Of iptables. */
function ofTable(name: string): string {
  return name === 'filter' ? '' : ` -t ${name}`;
}

function nftMatch(packet: Packet, isTracked: boolean): string {
  const ip = packet.isIpv4 ? 'ip' : 'ip6';
  const [from, to] = [addressText(packet.source), addressText(packet.destination)];
  const words = [from && `${ip} saddr ${from}`, to && `${ip} daddr ${to}`];
  const { protocol, isReply, sourcePort, destinationPort, icmpType } = packet;
  // Neighbours find each other by both, whoever they are.
  if (icmpType !== undefined) return 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }';
  if (isTracked) words.push('ct state established');
  else if (protocol === 'icmp')
    words.push(`${packet.isIpv4 ? 'icmp' : 'icmpv6'} type ${isReply ? 'echo-reply' : 'echo-request'}`);
  else if (isReply && sourcePort !== null) words.push(`${protocol} sport ${sourcePort}`);
  else if (!isReply && destinationPort !== null) words.push(`${protocol} dport ${destinationPort}`);
  return words.filter((word) => word !== null).join(' ');
}

function iptablesMatch(packet: Packet, isTracked: boolean): string {
  const [from, to] = [addressText(packet.source), addressText(packet.destination)];
  const words = [from && `-s ${from}`, to && `-d ${to}`];
  const { protocol, isReply, sourcePort, destinationPort, isIpv4, icmpType } = packet;
  if (icmpType !== undefined)
    return `-p ipv6-icmp --icmpv6-type neighbour-${icmpType === SOLICIT ? 'solicitation' : 'advertisement'}`;
  if (isTracked) words.push('-m conntrack --ctstate ESTABLISHED');
  else if (protocol === 'icmp')
    words.push(
      `-p ${isIpv4 ? 'icmp --icmp-type' : 'ipv6-icmp --icmpv6-type'} ${isReply ? 'echo-reply' : 'echo-request'}`,
    );
  else if (isReply && sourcePort !== null) words.push(`-p ${protocol} --sport ${sourcePort}`);
  else if (!isReply && destinationPort !== null) words.push(`-p ${protocol} --dport ${destinationPort}`);
  return words.filter((word) => word !== null).join(' ');
}

/** Null where it is not known. */
export function addressText(value: Packet['source']): string | null {
  const words = value === null ? null : wordsOf(value);
  return words && formatAddress(words);
}
