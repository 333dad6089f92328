import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/network/context/device.js';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { shared } from '../../support/shared.js';

const lab = join(shared ?? '', 'captures/lab');
const folders = (shared === null ? [] : readdirSync(lab, { recursive: true, encoding: 'utf8' }))
  .filter((file) => basename(file) === 'context.json')
  .map((file) => join(lab, dirname(file)));

const contextOf = (folder: string): HostContext =>
  parseContext(JSON.parse(readFileSync(join(folder, 'context.json'), 'utf8')));

/** [scenario, child, kind, mode, flag, hairpin of the port that faces the host], as its record.sh builds them. */
const CHILDREN: readonly [string, string, string, string, string | null, string][] = [
  ['A-macvlan/vepa-ns-to-ns-hairpin-off', 'ns01/macvlan1', 'macvlan', 'vepa', null, 'off'],
  ['A-macvlan/vepa-ns-to-ns-hairpin-on', 'ns02/macvlan2', 'macvlan', 'vepa', null, 'on'],
  ['A-macvlan/vepa-fix-mode-bridge-midway', 'ns01/macvlan1', 'macvlan', 'bridge', null, 'off'],
  ['A-macvlan/bridge-ns-to-external', 'ns01/macvlan1', 'macvlan', 'bridge', null, 'off'],
  ['A-macvlan/bridge-ns-to-host-shim', 'host/macvlan0', 'macvlan', 'bridge', null, 'off'],
  ['A-macvlan/private-ns-to-ns-hairpin-on', 'ns02/macvlan2', 'macvlan', 'private', null, 'on'],
  ['A-macvlan/passthru-host-cut-off', 'ns01/macvlan1', 'macvlan', 'passthru', null, 'off'],
  ['A-macvlan/macvtap-vepa-vm-to-vm-hairpin-off', 'ns01/macvtap1', 'macvtap', 'vepa', null, 'off'],
  ['A-macvlan/macvtap-vepa-vm-to-vm-hairpin-on', 'ns02/macvtap2', 'macvtap', 'vepa', null, 'on'],
  ['A-macvlan/seed-garp-other-iface', 'ns01/macvlan2', 'macvlan', 'vepa', null, 'off'],
  ['B-ipvlan/l2-bridge-ns-to-ns-hairpin-off', 'ns01/ipvlan1', 'ipvlan', 'l2', 'bridge', 'off'],
  ['B-ipvlan/l2-private-ns-to-ns-hairpin-on', 'ns01/ipvlan1', 'ipvlan', 'l2', 'private', 'on'],
  ['B-ipvlan/l2-vepa-ns-to-ns-hairpin-off', 'ns01/ipvlan1', 'ipvlan', 'l2', 'vepa', 'off'],
  ['B-ipvlan/l2-vepa-ns-to-ns-hairpin-on', 'ns02/ipvlan2', 'ipvlan', 'l2', 'vepa', 'on'],
  ['B-ipvlan/l3-private-ns-to-ns-hairpin-off', 'ns01/ipvlan1', 'ipvlan', 'l3', 'private', 'off'],
  ['B-ipvlan/l3-vepa-ns-to-ns-hairpin-on', 'ns02/ipvlan2', 'ipvlan', 'l3', 'vepa', 'on'],
  ['B-ipvlan/l3s-bridge-ns-to-ns-hairpin-off', 'ns01/ipvlan1', 'ipvlan', 'l3s', 'bridge', 'off'],
  ['B-ipvlan/l3-ns-to-external-no-route', 'ns01/ipvlan1', 'ipvlan', 'l3', 'bridge', 'unknown'],
  ['H-ipv6/vepa-dad-hairpin-on', 'ns01/macvlan1', 'macvlan', 'vepa', null, 'unknown'],
];

/** Both ends of a cable, as lib.sh names them: `cable`, `plug`, `tport`, `vlanvm` and `vtep`. */
const CABLES = [
  /^(?<vm>[\w-]+)\/\w[\w-]* \w+\/p-\k<vm>$/,
  /^(?<vm>[\w-]+)\/(?<port>\w+) \w+\/p-\k<vm>-\k<port>$/,
  /^vm-(?<vtep>\w+)\/eth0 \k<vtep>\/tap-vm$/,
  /^vm(?<vm>\d)\/eth0 node\d\/tap\k<vm>$/,
  /^swa\/(?<port>up\d) swb\/\k<port>$/,
  /^a\/veth0 b\/veth1$/,
  /^c1\/eth0 host\/vethc1$/,
  /^r1\/t0 r2\/t0$/,
  /^rt1\/t0 rt2\/t0$/,
  /^c\/eth0 r1\/a0$/,
  /^h1\/eth0 r1?\/a0$/,
  /^h2\/eth0 r2?\/b0$/,
  /^r2\/b0 s\/eth0$/,
  /^s1\/eth1 pc5\/eth0$/,
  /^s2\/eth1 pc3\/eth0$/,
];

describe.skipIf(shared === null)('contexts of the lab', () => {
  it.each(CHILDREN)('%s: %s is %s %s %s, hairpin %s', (scenario, child, kind, mode, flag, hairpin) => {
    const context = contextOf(join(lab, scenario));
    const [namespace, name] = child.split('/');
    const device = context.device(namespace, name);
    const parent = context.device('host', 'ens34');
    expect(device).toMatchObject({ kind, mode, flag });
    expect(device?.parent).toBe(parent);
    expect(parent && context.reflectiveRelay(parent)).toBe(hairpin);
  });

  it('finds ens34 of host above every macvlan and ipvlan, and a switch port only as it was built', () => {
    const relays = { on: 0, off: 0, unknown: 0 };
    for (const folder of folders) {
      const context = contextOf(folder);
      const children = context.devices.filter(({ kind }) => /^(mac|ip)v(lan|tap)$/.test(kind ?? ''));
      for (const child of children) expect(child.parent && context.label(child.parent), folder).toBe('ens34 in host');
      for (const a of children) for (const b of children) expect(context.sharesParent(a, b)).toBe('yes');
      const parent = context.device('host', 'ens34');
      if (!parent) continue;
      const built = /vmware_net (on|off)/.exec(readFileSync(join(folder, 'record.sh'), 'utf8'))?.[1];
      const relay = context.reflectiveRelay(parent);
      expect(relay, folder).toBe(context.namespaces.has('sw') ? built : 'unknown');
      relays[relay]++;
    }
    expect(relays).toEqual({ on: 8, off: 31, unknown: 16 });
  });

  it('pairs no two ends that are not one cable', () => {
    let found = 0;
    const end = ({ namespace, name }: Device) => `${namespace}/${name}`;
    for (const folder of folders) {
      for (const device of contextOf(folder).devices) {
        if (!device.peer) continue;
        found++;
        const ways = [`${end(device)} ${end(device.peer)}`, `${end(device.peer)} ${end(device)}`];
        expect(
          CABLES.some((cable) => ways.some((way) => cable.test(way))),
          `${basename(folder)}: ${ways[0]}`,
        ).toBe(true);
      }
    }
    expect(found).toBeGreaterThan(390);
  });

  it('knows VNIs, groups and remotes', () => {
    const vxlan = (scenario: string, namespace: string) =>
      contextOf(join(lab, 'D-vxlan', scenario)).device(namespace, 'vxlan10')?.vxlan;
    expect(vxlan('vni-mismatch', 'vtep1')?.id).toBe(10);
    expect(vxlan('vni-mismatch', 'vtep2')?.id).toBe(20);
    expect(vxlan('multicast-group-mismatch', 'vtep1')?.group?.text).toBe('239.1.1.1');
    expect(vxlan('multicast-group-mismatch', 'vtep2')?.group?.text).toBe('239.1.1.2');
    expect(vxlan('healthy-8472', 'vtep1')).toMatchObject({ port: 8472, remote: { text: '10.1.1.2' } });
  });

  it('knows stacked VLANs, isolated and blocking ports', () => {
    const qinq = contextOf(join(lab, 'C-vlan/qinq-healthy'));
    const inner = qinq.device('node1', 'cvlan');
    expect(inner?.vlan).toEqual({ id: 100, protocol: '802.1Q' });
    expect(inner?.parent?.vlan).toEqual({ id: 1000, protocol: '802.1ad' });
    expect(inner?.parent?.parent).toBe(qinq.device('node1', 'eth1'));
    expect(contextOf(join(lab, 'C-bridge/port-isolated')).device('sw', 'p-h1')?.isolated).toBe(true);
    expect(contextOf(join(lab, 'C-bridge/port-blocking')).device('sw', 'p-h2')?.state).toBe('disabled');
  });

  it('puts no sender of a frame on the side that its direction denies', () => {
    let judged = 0;
    for (const folder of folders) {
      const file = join(folder, 'host-any.pcap');
      const context = contextOf(folder);
      const vantage = context.device('host', 'ens34');
      // With a hairpin, local senders come in.
      if (!vantage || !existsSync(file) || !/vmware_net off/.test(readFileSync(join(folder, 'record.sh'), 'utf8'))) {
        continue;
      }
      for (const { index, outgoing, hi, lo } of cooked(readFileSync(file))) {
        if (index !== vantage.index) continue;
        // Unicast between children in bridge mode is shown to the parent as if received (macvlan_queue_xmit).
        if (!outgoing && context.devicesByMac(hi, lo).some(({ mode }) => mode === 'bridge')) continue;
        const place = context.localMac(vantage, hi, lo);
        if (place !== 'unknown') judged++;
        expect(place, `${basename(folder)} ${hi.toString(16)}`).not.toBe(outgoing ? 'foreign' : 'local');
      }
    }
    expect(judged).toBeGreaterThan(100);
  });
});

/** The records of a little-endian pcap of LINKTYPE_LINUX_SLL2: device number, direction, source address. */
function* cooked(file: Buffer) {
  if (file.readUInt32LE(20) !== 276) return;
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const packet = at + 16;
    const outgoing = file.readUInt8(packet + 10) === 4;
    const [hi, lo] = [file.readUInt16BE(packet + 12), file.readInt32BE(packet + 14)];
    yield { index: file.readUInt32BE(packet + 4), outgoing, hi, lo };
  }
}
