import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/network/context/address.js';
import type { Namespace } from '../../../src/network/context/device.js';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { addressValue, firstOf } from '../../../src/network/context/netfilter/packet.js';
import { answersTo, comesBack, comesIn, type Machine } from '../../../src/network/context/netfilter/way.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { type Below, randomOf } from '../../support/random.js';
import { ipv6, set } from '../cures/routed.js';
import { hasLegacy, Lab, whyNot } from '../lab.js';
import { Asking, type Attempt, answering, type Outcome } from './attempts.js';
import { EMPTY, randomTables } from './iptables.js';
import { PORTS, randomRuleset } from './rulesets.js';

const RULESETS = 40;
const PATIENCE_MS = 250;
/** What should have come comes within this time on a busy machine as well. */
const BUSY_MS = 3000;
const HERE = { 4: '10.1.0.2', 6: 'fd01::2' } as const;
const TARGETS = ['10.2.0.2', '10.2.0.2', 'fd02::2', '10.1.0.1', 'fd01::1'];

/** What netdiag says of an attempt: that its answer gets back, that it does not, or nothing. */
function judged(machine: Machine, { protocol, to, port }: Attempt): boolean | null {
  const target = parseIp(to);
  const asker = parseIp(target?.family === 4 ? HERE[4] : HERE[6]);
  const device = machine.namespace.devices.get('ra');
  if (!target || !asker || !device) throw new Error(`no such place: ${to}`);
  const isPing = protocol === 'icmp';
  const first = firstOf({
    isIpv4: target.family === 4,
    protocol,
    source: addressValue(asker.words),
    destination: addressValue(target.words),
    sourcePort: isPing ? null : 40_000,
    destinationPort: isPing ? null : port,
  });
  const way = comesIn(machine, device, first);
  if (way?.fate.kind === 'drop') return false;
  if (way?.fate.kind !== 'accept') return null;
  const back = way.packet.isLocal ? answersTo(machine, way.packet) : comesBack(machine, way.packet, asker.words);
  if (back?.fate.kind === 'drop') return false;
  return back?.fate.kind === 'accept' ? true : null;
}

describe.skipIf(whyNot !== null)(`firewalls${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  const lab = new Lab();
  let asking: Asking;
  /** What the router says of itself, but its rules. */
  let commands: Record<string, unknown> = {};

  beforeAll(async () => {
    lab.namespaces('a', 'r', 'b');
    ipv6(lab, 'a', 'r', 'b');
    lab.cable('a', 'eth0', 'r', 'ra').cable('b', 'eth0', 'r', 'rb');
    for (const [namespace, device, net, host] of [
      ['a', 'eth0', 1, 2],
      ['r', 'ra', 1, 1],
      ['r', 'rb', 2, 1],
      ['b', 'eth0', 2, 2],
    ] as const)
      lab.address(namespace, device, `10.${net}.0.${host}/24`).address(namespace, device, `fd0${net}::${host}/64`);
    for (const [namespace, net] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      const [port] = JSON.parse(lab.exec('r', 'ip', '-j', 'link', 'show', net === 1 ? 'ra' : 'rb'));
      const [end] = JSON.parse(lab.exec(namespace, 'ip', '-j', 'link', 'show', 'eth0'));
      lab.ip(namespace, `route add default via 10.${net}.0.1`).ip(namespace, `-6 route add default via fd0${net}::1`);
      // Rules for IPv6 take neighbor discovery too.
      lab.ip(namespace, `neigh replace fd0${net}::1 lladdr ${port.address} dev eth0 nud permanent`);
      lab.ip('r', `neigh replace fd0${net}::2 lladdr ${end.address} dev ${port.ifname} nud permanent`);
    }
    set(lab, 'r', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    const ask = (...words: string[]) => JSON.parse(lab.exec('r', 'ip', ...words));
    commands = {
      'ip -d -j link': ask('-d', '-j', 'link'),
      'ip -j addr': ask('-j', 'addr'),
      'ip -j route': ask('-j', 'route'),
      'ip -6 -j route': ask('-6', '-j', 'route'),
    };
    await answering(lab, 'r');
    await answering(lab, 'b');
    asking = new Asking(lab, 'a');
  });

  afterAll(() => {
    lab.remove();
  });

  /** The router with the rules that it has now. */
  function router(isEarly: boolean, saves: readonly string[] = []): Machine {
    const nft = JSON.parse(lab.exec('r', 'nft', '-j', 'list', 'ruleset'));
    const taken = isEarly ? { taken: 'before' } : {};
    const saved = Object.fromEntries(saves.map((save) => [`${save} -c`, lab.exec('r', save, '-c')]));
    const context: HostContext = parseContext({
      ...taken,
      namespaces: { r: { ...commands, ...saved, 'nft -j list ruleset': nft } },
    });
    const namespace = context.namespaces.get('r') as Namespace;
    const ruleset = namespace.firewall?.ruleset;
    if (!ruleset) throw new Error('no ruleset');
    return { namespace, ruleset, isCounted: !isEarly, holds: (words) => context.devicesByIp(words).length > 0 };
  }

  const takes = (input: string, ...command: string[]) =>
    spawnSync('ip', ['netns', 'exec', lab.name('r'), ...command], { input }).status === 0;

  it('are judged as the kernel judges them', { timeout: 180_000 }, () =>
    compare(20_261_122, (below) => {
      const text = randomRuleset(below);
      return takes(`flush ruleset\n${text}`, 'nft', '-f', '-') ? text : null;
    }),
  );

  it.each(hasLegacy ? ['legacy', 'nft'] : ['nft'])(
    'of iptables, %s, are judged as the kernel judges them',
    { timeout: 180_000 },
    (kind) => {
      const programs = ['iptables', 'ip6tables'].map((program) => `${program}-${kind}`);
      lab.exec('r', 'nft', 'flush', 'ruleset');
      const make = (below: Below) => {
        const text = [4, 6].map((family) => randomTables(below, family as 4 | 6));
        const isTaken = programs.map((program, i) => takes(`${EMPTY}${text[i]}`, `${program}-restore`));
        return isTaken.every(Boolean) ? text.join('\n') : null;
      };
      return compare(
        kind === 'nft' ? 7 : 77,
        make,
        programs.map((program) => `${program}-save`),
      ).finally(() => programs.forEach((program) => void takes(EMPTY, `${program}-restore`)));
    },
  );

  /** Makes rulesets, null for what is refused, and tries what they let through. */
  async function compare(seed: number, make: (below: Below) => string | null, saves: readonly string[] = []) {
    const below = randomOf(seed);
    const counts = { answered: 0, dropped: 0, open: 0 };
    for (let taken = 0; taken < RULESETS; ) {
      const text = make(below);
      if (text === null) continue;
      taken++;
      const attempts = Array.from({ length: 8 }, (): Attempt => {
        const protocol = (['tcp', 'tcp', 'udp', 'icmp'] as const)[below(4)];
        return { protocol, to: TARGETS[below(TARGETS.length)], port: PORTS[below(PORTS.length)] };
      });
      const before = router(true, saves);
      let outcomes: readonly Outcome[] = await asking.tries(attempts, PATIENCE_MS);
      if (outcomes.some((outcome) => judged(before, outcome) === true && !outcome.isAnswered))
        outcomes = await asking.tries(attempts, BUSY_MS);
      for (const machine of [before, router(false, saves)])
        for (const outcome of outcomes) {
          const is = judged(machine, outcome);
          if (is === null) {
            counts.open++;
            continue;
          }
          counts[is ? 'answered' : 'dropped']++;
          expect(is, `${JSON.stringify(outcome)}\n${text}`).toBe(outcome.isAnswered);
        }
    }
    // Most of what is made at random can be judged, one way and the other.
    expect(counts.answered).toBeGreaterThan(RULESETS * 4);
    expect(counts.dropped).toBeGreaterThan(RULESETS * 2);
    expect(counts.open).toBeLessThan(RULESETS * 4);
  }
});
