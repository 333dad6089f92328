import type { Device } from '../../../network/context/device.js';
import { ownerOf } from '../../../network/context/netfilter/rule-lists.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { stuckConnectionsAt } from '../../parts/connections/connection.js';
import { unansweredPingsAt } from '../../parts/pings/ping.js';
import { inNamespace, label } from '../../parts/question.js';
import { asRepeated } from '../../parts/repeated.js';
import type { Remedy, RuleId } from '../../rule.js';
import type { NoWayBack } from './no-way-back.js';
import type { Refusal } from './refusals.js';
import { address, askedAgain, onEndpoint, vxlanDevices } from './tunnel.js';

/** Changes between VXLAN that comes from an address and refusals of the same port by it: a device that is made anew makes two. */
const CHANGES = 5;
/** Stations behind an endpoint that are looked at. */
const MAX_STATIONS = 256;

/**
 * Tunnels that come from the very address that refuses VXLAN on the port they are sent to, in turn with its refusals. A device sends to the port it listens
 * on: these packets are another endpoint's, and something on their way wrote this source address. Empty where that is not so.
 */
export function translatedTunnels(network: Network, refusal: Refusal): number[] {
  const { tunnels } = network;
  const { segment, sender, target, port, evidence } = refusal;
  const rows = tunnels
    .between(segment, sender, target)
    .filter((row) => tunnels.source(row) === target && tunnels.port(row) === port);
  const sent = rows.flatMap((row) => tunnels.places(row).map(({ frame }) => ({ frame, isRefusal: false })));
  const all = [...sent, ...evidence.map(({ frame }) => ({ frame, isRefusal: true }))].sort((a, b) => a.frame - b.frame);
  let changes = 0;
  for (let i = 1; i < all.length; i++) if (all[i].isRefusal !== all[i - 1].isRefusal) changes++;
  // By the host context it has a device for them.
  const listens = vxlanDevices(network, target).some(({ up, vxlan }) => up && vxlan?.port === port);
  return changes >= CHANGES && !listens ? rows : [];
}

/** What stays without answer for that: what is sent to the stations behind those tunnels goes where nobody takes it. */
export function lostBehind(network: Network, { target, sender, port }: Refusal, rows: readonly number[]) {
  const { tunnels, tunnelStations, segments } = network;
  const found: { rule: RuleId; key: string }[] = [];
  for (const row of rows) {
    const inner = tunnels.inner(row);
    if (inner < 0) continue;
    found.push(...askedAgain(network, inner, target, sender).map(asRepeated));
    for (let station = 0, seen = 0; station < tunnelStations.count && seen < MAX_STATIONS; station++) {
      if (tunnelStations.segment(station) !== inner || tunnelStations.heardAt(station) !== target) continue;
      const [hi, lo] = [tunnelStations.hi(station), tunnelStations.lo(station)];
      found.push(...unansweredPingsAt(network, inner, hi, lo), ...stuckConnectionsAt(network, inner, hi, lo));
      seen++;
    }
    // The same tunnel, before it was translated.
    const capture = segments.captureOf(tunnels.segment(row));
    for (let other = 0; other < tunnels.count; other++)
      if (
        tunnels.destination(other) === sender &&
        tunnels.port(other) === port &&
        tunnels.vni(other) === tunnels.vni(row) &&
        segments.captureOf(tunnels.segment(other)) === capture
      )
        found.push({ rule: 'vxlan/one-way', key: String(other) });
  }
  return found;
}

/** What keeps VXLAN from being translated at an address. */
export function translationCures(network: Network, target: number, port: number): Remedy[] {
  const { context, addresses } = network;
  const device = context?.devicesByIp(addresses.words(target))[0];
  return [
    {
      text: `On ${address(network, target)}: leave VXLAN out of what is translated (masquerade, SNAT); write it where those rules come from, too`,
      commands: device
        ? [inNamespace(device, exemption(network, device, port)), inNamespace(device, forget(port))]
        : [`iptables -t nat -I POSTROUTING -p udp --dport ${port} -j ACCEPT`, forget(port)],
    },
    {
      text: 'See what it translates',
      commands: ['nft list ruleset', 'iptables -t nat -vnL POSTROUTING'].map((command) =>
        onEndpoint(network, target, command),
      ),
    },
  ];
}

/** As `noWayBack`: by the host context a router translates the source of what is sent, so that answers go to the router. */
export function translatedOnWay(network: Network, translator: Device, from: string, port: number): NoWayBack {
  return {
    cause: `${label(translator)}, on the way, writes its own source address into what ${from} sends (masquerade, SNAT): the far end learns that address for the stations behind ${from}, and sends there, where nobody takes VXLAN.`,
    remedy: {
      text: 'On that router: leave VXLAN out of what is translated; write it where those rules come from, too',
      commands: [exemption(network, translator, port), forget(port)].map((command) => inNamespace(translator, command)),
    },
    context: `${label(translator)}: translates the source of UDP port ${port}`,
  };
}

/** A command for the first chain that translates sources. */
function exemption({ context }: Network, { namespace }: Device, port: number): string {
  const ruleset = context?.namespaces.get(namespace)?.firewall?.ruleset;
  const chain = ruleset?.bases.find(({ isNat, hook, rules }) => isNat && hook === 'postrouting' && rules.length > 0);
  const isTables =
    chain && (ownerOf(chain.table).program !== null || ruleset?.byIptables.has(`${chain.family} ${chain.table}`));
  if (!chain || isTables) {
    const program = chain?.family === 'ip6' ? 'ip6tables' : 'iptables';
    return `${program} -t nat -I POSTROUTING -p udp --dport ${port} -j ACCEPT`;
  }
  return `nft insert rule ${printable(`${chain.family} ${chain.table} ${chain.name}`)} udp dport ${port} accept`;
}

/** Connections that are known stay translated. */
function forget(port: number): string {
  return `conntrack -D -p udp --dport ${port}`;
}
