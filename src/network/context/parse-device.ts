import { ipOf, macOf } from './address.js';
import type { Counters, Device, DeviceAddress, Draft, Link, Vlan, Vxlan } from './device.js';
import { readPort } from './parse-bridge.js';
import { count, flag, type Row, record, rows, text, texts } from './rows.js';

export function readDevice(namespace: string, name: string, index: number, row: Row): Draft {
  const info = record(row.linkinfo);
  const data = record(info?.info_data) ?? {};
  const kind = text(info?.info_kind);
  const flags = texts(row.flags);
  const device: Draft = {
    namespace,
    name,
    index,
    mac: macOf(row.address),
    loopback: flags.includes('LOOPBACK'),
    kind,
    mode: text(data.mode),
    flag: kind === 'ipvlan' || kind === 'ipvtap' ? ipvlanFlag(data) : null,
    up: flags.includes('UP'),
    operstate: text(row.operstate),
    noCarrier: flags.includes('NO-CARRIER'),
    mtu: count(row.mtu),
    counters: null,
    addresses: [],
    link: readLink(row),
    parent: null,
    peer: null,
    master: null,
    masterKind: text(info?.info_slave_kind),
    hairpin: null,
    isolated: null,
    state: null,
    multicastFlood: null,
    broadcastFlood: null,
    neighSuppress: null,
    flood: null,
    learning: null,
    locked: null,
    multicastSnooping: kind === 'bridge' ? bit(data.mcast_snooping) : null,
    multicastQuerier: kind === 'bridge' ? bit(data.mcast_querier) : null,
    vlanFiltering: kind === 'bridge' ? bit(data.vlan_filtering) : null,
    vlanProtocol: kind === 'bridge' ? text(data.vlan_protocol) : null,
    portVlans: null,
    external: data.external === true,
    vxlan: kind === 'vxlan' ? readVxlan(data, row) : null,
    endpoints: null,
    vlan: kind === 'vlan' ? readVlan(data) : null,
    filter: new Set(),
    learned: new Set(),
    learnedVlans: new Map(),
  };
  if (device.masterKind === 'bridge') readPort(device, record(info?.info_slave_data) ?? {});
  return device;
}

/** A setting that iproute2 writes as 0 or 1. */
function bit(value: unknown): boolean | null {
  const number = count(value);
  return number === null ? null : number !== 0;
}

function ipvlanFlag(data: Row): Device['flag'] {
  if (data.private === true) return 'private';
  if (data.vepa === true) return 'vepa';
  return data.bridge === true ? 'bridge' : null;
}

/** iproute2 writes `link`, a name, for this namespace, and `link_index` for another (ip/ipaddress.c). */
function readLink(row: Row): Link | null {
  const name = text(row.link);
  const netnsid = name ? null : count(row.link_netnsid);
  // A tunnel without a device below has its own number here, once it was moved to another namespace.
  const isOwn = netnsid !== null && row.link_index === row.ifindex && record(row.linkinfo)?.info_kind === 'vxlan';
  const index = isOwn ? null : count(row.link_index) || null;
  if (!name && !index && !isOwn) return null;
  return { index, name, netnsid, device: null, found: null, candidates: [] };
}

/** Of a device whose packets each bring their VNI and endpoints (`external`), nothing here says what it carries, or where to. */
function readVxlan(data: Row, row: Row): Vxlan | null {
  const id = count(data.id);
  if (id === null || data.external === true) return null;
  return {
    id,
    port: count(data.port),
    local: ipOf(data.local) ?? ipOf(data.local6),
    remote: ipOf(data.remote) ?? ipOf(data.remote6),
    group: ipOf(data.group) ?? ipOf(data.group6),
    learning: flag(data.learning),
    proxy: data.proxy === true,
    gbp: data.gbp === true,
    gpe: data.gpe === true,
    // The number of a device of the namespace that it was moved out of, by what name that has here.
    link: count(row.link_netnsid) === null ? text(data.link) : null,
  };
}

function readVlan(data: Row): Vlan | null {
  const id = count(data.id);
  return id === null ? null : { id, protocol: text(data.protocol) };
}

export function readCounters(value: unknown): Counters | null {
  const rx = record(record(value)?.rx);
  const tx = record(record(value)?.tx);
  const counters = [rx?.packets, rx?.bytes, tx?.packets, tx?.bytes];
  if (!counters.every((each) => typeof each === 'number')) return null;
  const [rxPackets, rxBytes, txPackets, txBytes] = counters;
  return { rxPackets, rxBytes, txPackets, txBytes };
}

export function readAddresses(value: unknown): DeviceAddress[] {
  const addresses: DeviceAddress[] = [];
  for (const row of rows(value)) {
    const address = ipOf(row.local);
    const prefixLength = count(row.prefixlen);
    if (address && prefixLength !== null)
      addresses.push({ ...address, prefixLength, ...(row.dadfailed === true ? { dadFailed: true } : {}) });
  }
  return addresses;
}
