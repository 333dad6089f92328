import { isIP } from 'node:net';
import { MAX_EVIDENCE } from '../../findings/assemble.js';
import type { CaptureReport, Finding } from '../../findings/finding.js';
import { fileWord } from './shell.js';
import { counted, frameList } from './words.js';

/** Lines of one proof: what a scan or a flood consists of would fill the page. */
const MOST_LINES = 8;
/** A MAC as text. */
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
/** Words of tcpdump for the layer that proves, where all that belongs to a finding is of one kind. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  arp: 'arp',
  icmp: 'icmp',
  icmpv6: 'icmp6',
  tcp: 'tcp',
  dhcp: 'udp',
};

interface Group {
  readonly capture: number;
  readonly note: string;
  readonly frames: number[];
}

/** Evidence with the same note in one line: `frames 1, 2, 3   ARP who-has …`. */
export function proof({ evidence }: Finding, captures: readonly CaptureReport[]): string[] {
  const groups = new Map<string, Group>();
  for (const { capture, frame, note } of evidence) {
    const key = `${capture} ${note}`;
    const group = groups.get(key) ?? { capture, note, frames: [] };
    if (!group.frames.includes(frame)) group.frames.push(frame);
    groups.set(key, group);
  }
  const all = [...groups.values()];
  const shown = all.length > MOST_LINES ? all.slice(0, MOST_LINES - 1) : all;
  return [...shown, ...others(all.slice(shown.length))].map(({ capture, note, frames }) => {
    const where = captures.length > 1 ? ` of ${captures[capture]?.name}` : '';
    const one = captures[capture]?.format === 'text' ? 'line' : 'frame';
    return `${frames.length === 1 ? one : `${one}s`} ${frameList(frames)}${where}${note === '' ? '' : `   ${note}`}`;
  });
}

/** What there is no room for, in one line for each capture. */
function others(groups: readonly Group[]): Group[] {
  return [...new Set(groups.map(({ capture }) => capture))].map((capture) => {
    const frames = groups.filter((group) => group.capture === capture).flatMap((group) => group.frames);
    const sorted = [...new Set(frames)].sort((a, b) => a - b);
    return { capture, frames: sorted, note: `${sorted.length} more of the kind` };
  });
}

/** Where a finding holds more frames than its proof lists: how many, and the command that shows them, '' where no filter fits. */
export function unlisted(
  finding: Finding,
  captures: readonly CaptureReport[],
): { text: string; command: string } | null {
  const { count, evidence } = finding;
  const listed = new Set(evidence.map(({ capture, frame }) => `${capture} ${frame}`)).size;
  if (listed === 0 || (count <= listed && evidence.length < MAX_EVIDENCE)) return null;
  const only = `only ${counted(listed, 'frame')} of it ${listed === 1 ? 'is' : 'are'} listed`;
  return { text: `seen ${counted(count, 'time')}, ${only}`, command: commandFor(finding, captures) };
}

function commandFor(finding: Finding, captures: readonly CaptureReport[]): string {
  const { name, format } = captures[finding.segment.capture] ?? {};
  if (name === undefined || name === '-' || format === 'text' || format === 'live') return '';
  const filter = filterFor(finding, captures[finding.segment.capture]);
  return filter === '' ? '' : `netdiag frames ${fileWord(name)} -f '${filter}'`;
}

/** A filter of tcpdump for all that is about the hosts of a finding; '' where its subject names none, or a tunnel carries them. */
function filterFor({ subject, segment, evidence }: Finding, { interfaces }: CaptureReport): string {
  const isEthernet = interfaces.every(({ linkType }) => linkType === 'EN10MB');
  if (segment.vnis.length > 0 || (segment.vlans.length > 0 && !isEthernet)) return '';
  const values = Object.values(subject).map(String);
  const hosts = [...new Set(values.filter((value) => isIP(value) !== 0))];
  const macs = isEthernet ? [...new Set(values.filter((value) => MAC.test(value)))] : [];
  // Three addresses are not those of one frame.
  if (hosts.length > 2 || (hosts.length === 0 && (macs.length === 0 || macs.length > 2))) return '';
  const layers = new Set(evidence.map(({ layer }) => PROTOCOLS[layer] ?? ''));
  const [protocol = ''] = layers.size === 1 ? layers : [];
  return [
    ...segment.vlans.map((id) => `vlan ${id}`),
    ...(protocol === '' ? [] : [protocol]),
    ...(hosts.length > 0 ? hosts.map((host) => `host ${host}`) : macs.map((mac) => `ether host ${mac}`)),
  ].join(' and ');
}
