import { afterEach, describe, expect, it } from 'vitest';
import { Host } from '../../src/capture/live/host.js';
import { parseContext } from '../../src/network/context/parse.js';
import { hasLegacy, Lab, whyNot } from './lab.js';

describe.skipIf(!hasLegacy)(
  `what the machine says of iptables${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  () => {
    let lab: Lab;
    afterEach(() => lab.remove());

    it('is asked where nft does not show it, and not elsewhere', async () => {
      lab = new Lab().namespaces('nft', 'new', 'old');
      lab.exec('nft', 'nft', 'add table inet f; add chain inet f i { type filter hook input priority 0; }');
      lab.exec('new', ...'iptables -A INPUT -m conntrack --ctstate NEW -j DROP'.split(' '));
      lab.exec('old', ...'ip6tables-legacy -A INPUT -p udp --dport 67 -j DROP'.split(' '));
      const facts = await new Host(lab.name('nft')).ask(null);
      const saved = (name: string) => {
        const answers = Object.entries(facts.namespaces[lab.name(name)]);
        return Object.fromEntries(answers.filter(([command]) => command.includes('tables')));
      };
      expect(saved('nft')).toEqual({});
      expect(Object.keys(saved('new'))).toEqual(['iptables-nft-save -c']);
      expect(saved('new')['iptables-nft-save -c']).toContain('--ctstate NEW -j DROP');
      expect(saved('old')).toEqual({
        'cat /proc/net/ip6_tables_names': 'filter\n',
        'ip6tables-legacy-save -c': expect.stringContaining('--dport 67 -j DROP'),
      });
      const { ruleset } = parseContext(facts).namespaces.get(lab.name('old'))?.firewall ?? {};
      expect(ruleset?.bases.map(({ hook, table }) => `${hook} ${table}`)).toContain('input filter@ip6tables-legacy');
    });
  },
);
