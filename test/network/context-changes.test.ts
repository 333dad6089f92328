import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contextChanges } from '../../src/network/context/changes.js';
import { parseContext } from '../../src/network/context/parse.js';
import { root } from '../support/fixtures.js';

const LINKS = 'ip -d -j link';
const text = readFileSync(join(root, 'fixtures/demo/context.json'), 'utf8');

type Json = ReturnType<typeof JSON.parse>;

/** What is told when the context of the demo becomes what `change` makes of it. */
function changes(change: (namespaces: Json) => void): string[] {
  const later = JSON.parse(text);
  change(later.namespaces);
  return contextChanges(parseContext(JSON.parse(text)), parseContext(later)).map((each) => each.text);
}

const linkOf = (namespaces: Json, kind: string) => {
  for (const [namespace, commands] of Object.entries<Json>(namespaces))
    for (const link of commands[LINKS] ?? [])
      if (link.linkinfo?.info_kind === kind) return { namespace, link, name: `${link.ifname} in ${namespace}` };
  throw new Error(`no ${kind} in the context`);
};

describe('changes of a host context', () => {
  it('are none where nothing changed but counters and tables', () => {
    expect(
      changes((namespaces) => {
        for (const commands of Object.values<Json>(namespaces)) {
          delete commands['ip -j neigh'];
          delete commands['bridge -j fdb'];
        }
      }),
    ).toEqual([]);
  });

  it('name the device, what was and what is', () => {
    let name = '';
    const told = changes((namespaces) => {
      const child = linkOf(namespaces, 'macvlan');
      name = child.name;
      child.link.linkinfo.info_data.mode = 'private';
      child.link.mtu = 1280;
    });
    expect(told).toEqual([`${name}: mode vepa, now private`, `${name}: MTU 1500, now 1280`]);
  });

  it('name devices and namespaces that come and go, but not each device of such a namespace', () => {
    const names = Object.keys(JSON.parse(text).namespaces);
    const gone = names.at(-1) ?? '';
    expect(
      changes((namespaces) => {
        namespaces.other = structuredClone(namespaces[gone]);
        delete namespaces[gone];
      }),
    ).toEqual(expect.arrayContaining([`namespace ${gone} is gone`, 'namespace other is new']));
  });

  it('tell that a device of the same name is another', () => {
    let name = '';
    const told = changes((namespaces) => {
      const child = linkOf(namespaces, 'macvlan');
      name = child.name;
      child.link.ifindex += 1000;
    });
    expect(told).toContain(`${name} was deleted and made again`);
  });

  it('are none where other connections are tracked, but for how many may be', () => {
    const at = (count: string, max: string) => ({
      namespaces: {
        host: { sysctl: { 'net.netfilter.nf_conntrack_count': count, 'net.netfilter.nf_conntrack_max': max } },
      },
    });
    const told = contextChanges(parseContext(at('7', '100')), parseContext(at('100', '400'))).map(({ text }) => text);
    expect(told).toEqual(['net.netfilter.nf_conntrack_max in host: 100, now 400']);
  });

  it('are counted where there are many', () => {
    const told = changes((namespaces) => {
      const [commands] = Object.values<Json>(namespaces);
      for (let i = 0; i < 50; i++) commands[LINKS].push({ ifindex: 5000 + i, ifname: `x${i}`, flags: ['UP'] });
    });
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toBe('and 30 more changes');
  });

  it('tell a cable with the namespace that it came or went with', () => {
    const cable = { ifindex: 900, ifname: 'veth9', flags: ['UP'], link_index: 2, link_netnsid: 900 };
    const kind = { linkinfo: { info_kind: 'veth' } };
    const told = changes((namespaces) => {
      const [[name, commands]] = Object.entries<Json>(namespaces);
      commands[LINKS].push({ ...cable, ...kind });
      commands['ip -j netns list-id'] = [{ nsid: 900, name: 'pod' }];
      const far = { ifindex: 2, ifname: 'eth0', flags: ['UP'], link_index: 900, link_netnsid: 0, ...kind };
      namespaces.pod = { [LINKS]: [far], 'ip -j netns list-id': [{ nsid: 0, name }] };
    });
    expect(told).toEqual(['namespace pod is new, with veth9']);
  });
});
