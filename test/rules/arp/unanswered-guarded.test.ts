import { describe, expect, it } from 'vitest';
import { guests, H1 } from '../../support/bridge.js';
import { Capture } from '../../support/wire.js';

const FOREIGN = '02:00:00:00:00:99';
const WHERE = { family: 'bridge', table: 'ps' };
const base = (hook = 'prerouting', more: object = {}) => [
  { metainfo: {} },
  { table: { family: 'bridge', name: 'ps' } },
  { chain: { ...WHERE, name: 'in', type: 'filter', hook, prio: -300, policy: 'accept', ...more } },
];
const rule = (...expr: object[]) => ({ rule: { ...WHERE, chain: 'in', handle: 5, expr } });
const is = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const port = (name: string) => is({ meta: { key: 'iifname' } }, name);
const DROP = { drop: null };
const spoofed = is(payload('ether', 'saddr'), H1, '!=');
const forged = is(payload('arp', 'saddr ip'), '10.0.0.1', '!=');

/** A guest behind tap1 that asks four times. */
async function said(nftables: object[], { mac = H1, ip = '10.0.0.1', at = 'tap1' } = {}) {
  const context = guests({ nftables });
  const capture = new Capture().askAgain(4, mac, ip, '10.0.0.9');
  const [finding] = await capture.findings({
    select: ['arp/unanswered'],
    context,
    vantage: { namespace: 'host', interface: at },
  });
  return finding;
}
const named = 'and gets no answer: a filter of the bridge br0 in host drops its requests';

describe('arp/unanswered, by a guard at the port of a guest', () => {
  it('names the rule that takes what another MAC sends', async () => {
    const finding = await said([...base(), rule(port('tap1'), spoofed, DROP)], { mac: FOREIGN });
    expect(finding.title).toContain(named);
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'nft -a list chain bridge ps in',
      `nft insert rule bridge ps in handle 5 iifname "tap1" ether saddr ${FOREIGN} accept`,
    ]);
  });

  it('names the rule that takes ARP from another address, and the policy', async () => {
    const guard = rule(port('tap1'), is(payload('ether', 'type'), 'arp'), forged, DROP);
    expect((await said([...base(), guard], { ip: '10.0.0.7' })).title).toContain(named);
    expect((await said([...base('forward'), guard], { ip: '10.0.0.7' })).title).toContain(named);
    expect((await said(base('prerouting', { policy: 'drop' }))).context[0]).toContain('policy');
    const operation = rule(
      is(payload('arp', 'operation'), 'request'),
      is(payload('arp', 'daddr ip'), '10.0.0.9'),
      DROP,
    );
    expect((await said([...base(), operation])).title).toContain(named);
  });

  it('says nothing of rules that let it pass, ask for IP, or are of another port', async () => {
    const passes = [
      [rule(port('tap1'), spoofed, DROP), rule(port('tap1'), forged, DROP)],
      [rule(port('tap2'), DROP)],
      [rule(is(payload('ip', 'saddr'), '10.0.0.7', '!='), DROP)],
      [rule(is({ meta: { key: 'protocol' } }, 'ip'), DROP)],
      [rule(is({ meta: { key: 'l4proto' } }, 'tcp', '!='), DROP)],
      [rule(is(payload('arp', 'operation'), 'reply'), DROP)],
      [rule(is(payload('arp', 'daddr ether'), '00:00:00:00:00:01'), DROP)],
    ];
    for (const rules of passes) expect((await said([...base(), ...rules])).title).not.toContain('filter');
    expect((await said([...base('input'), rule(port('tap1'), DROP)])).title).not.toContain('filter');
  });

  it('says nothing where the guest is behind another port', async () => {
    expect((await said([...base(), rule(port('tap2'), DROP)], { at: 'tap2' })).title).not.toContain('filter');
  });
});
