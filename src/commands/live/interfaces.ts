import { Host } from '../../capture/live/host.js';
import { Ring, RingError } from '../../capture/live/ring.js';
import type { Device } from '../../network/context/device.js';
import { parseContext } from '../../network/context/parse.js';
import { Layout } from '../../report/text/layout.js';
import { table } from '../../report/text/table.js';
import { printable, printableJson } from '../../wire/printable.js';
import { oneOf } from '../arguments.js';
import { type CommandIo, Exit } from '../io.js';
import { terminalColor, terminalWidth } from '../terminal.js';

/** `netdiag interfaces`: what can be captured here, what it is, and whether permission suffices. */
export async function runInterfaces(flags: { format?: string; color?: string }, io: CommandIo): Promise<number> {
  const format = oneOf('--format', flags.format ?? 'text', ['text', 'json'] as const);
  const notes: string[] = [];
  const { devices } = parseContext(await new Host(null).ask(null, notes));
  for (const note of notes) io.stderr.write(`netdiag: ${printable(note)}\n`);
  const rows = devices.map((device) => ({
    namespace: device.namespace,
    name: device.name,
    kind: kindOf(device),
    state: device.up ? (device.operstate ?? 'UP').toLowerCase() : 'down',
    mac: device.mac?.text ?? null,
    addresses: device.addresses.map(({ text, prefixLength }) => `${text}/${prefixLength}`),
  }));
  const permission = permitted();
  if (format === 'json') {
    io.stdout.write(`${printableJson({ permission: permission === null, interfaces: rows }, 2)}\n`);
    return Exit.Ok;
  }
  const layout = new Layout(terminalWidth(io), terminalColor(flags.color, io));
  const cells = rows.map(({ namespace, name, kind, state, addresses }) => [
    namespace,
    name,
    kind,
    state,
    addresses.join(' '),
  ]);
  const lines = [
    ...table(['namespace', 'interface', 'kind', 'state', 'addresses'], cells, [], layout),
    '',
    ...layout.prose(permission ?? 'Capturing is permitted. In another namespace: --netns <name>.', 0),
  ];
  io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return Exit.Ok;
}

/** `macvlan vepa`, `ipvlan l2 bridge`, `bridge port, hairpin off`, `vxlan id 42 port 4789`, … */
function kindOf(device: Device): string {
  const { kind, mode, flag, vxlan, vlan, masterKind, master, hairpin, link } = device;
  const parts = [
    [kind ?? (device.loopback ? 'loopback' : 'device'), mode, flag].filter((word) => word !== null).join(' '),
  ];
  if (vxlan) parts[0] += ` id ${vxlan.id}${vxlan.port === null ? '' : ` port ${vxlan.port}`}`;
  if (vlan) parts[0] += ` id ${vlan.id}`;
  if (link?.device) parts.push(`on ${link.device.name} in ${link.device.namespace}`);
  if (master && masterKind === 'bridge') parts.push(`port of bridge ${master.name}, hairpin ${onOff(hairpin)}`);
  else if (master) parts.push(`part of ${masterKind ?? 'master'} ${master.name}`);
  return parts.join(', ');
}

function onOff(flag: boolean | null): string {
  if (flag === null) return 'unknown';
  return flag ? 'on' : 'off';
}

/** Null where a packet socket can be opened, else what is missing. */
function permitted(): string | null {
  if (process.platform !== 'linux') return 'Live capture is Linux only; pipe in what tcpdump captures: netdiag live -';
  try {
    new Ring({ device: null, netns: null, promiscuous: false, snapLength: 64, size: 0, filter: null }).close();
    return null;
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    return `No permission to capture (${error.code}): needs CAP_NET_RAW; run with sudo, or: setcap cap_net_raw+ep <copy of the node binary>.`;
  }
}
