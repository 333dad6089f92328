/** Commands of a host context, as many as are worth naming. */
const LINKS = 'ip -d -j link';

interface Link {
  ifname?: unknown;
  operstate?: unknown;
  mtu?: unknown;
  master?: unknown;
  linkinfo?: { info_kind?: unknown; info_data?: { mode?: unknown; id?: unknown } };
}

/** A host context in short: kernel, and each namespace with its devices. Takes what there is. */
export function hostSummary(json: unknown): string[] {
  if (typeof json !== 'object' || json === null) return [];
  const { kernel, namespaces } = json as { kernel?: unknown; namespaces?: Record<string, Record<string, unknown>> };
  const lines = typeof kernel === 'string' ? [`kernel ${kernel}`] : [];
  for (const [name, commands] of Object.entries(namespaces ?? {})) {
    const links = commands?.[LINKS];
    lines.push(`${name}:`);
    if (!Array.isArray(links)) lines.push('  devices not known');
    else for (const link of links) lines.push(`  ${deviceLine(link as Link)}`);
  }
  return lines;
}

function deviceLine({ ifname, operstate, mtu, master, linkinfo }: Link): string {
  const { info_kind: kind, info_data: data } = linkinfo ?? {};
  const words = [
    kind ? [kind, data?.mode, data?.id].filter((each) => each !== undefined).join(' ') : '',
    operstate ? `state ${operstate}` : '',
    mtu ? `mtu ${mtu}` : '',
    master ? `master ${master}` : '',
  ];
  return `${ifname}  ${words.filter((each) => each !== '').join(', ')}`;
}
