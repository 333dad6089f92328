import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACCEPT, chain, DROP, filtering, hidden, rule, when } from '../../support/nft.js';
import { ACK, RST, SYN, tcp } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const pre = chain('pre', { type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' });
const input = chain('input', { type: 'filter', hook: 'input', prio: 0, policy: 'accept' });
const redirect = (port: unknown) => [pre, rule('pre', [when('tcp dport', 80), { redirect: { port } }])];
const reset = { reject: { type: 'tcp reset' } };

/** PEER refuses port 80, and has these rules. */
async function told(items: readonly object[], mac = PEER.mac) {
  const capture = tcp(new Capture(), HOST, { ...PEER, mac }, SYN);
  tcp(capture, PEER, HOST, RST | ACK, { sport: 80, dport: 40000, seq: 0, ack: 1001 });
  const [finding] = await capture.findings({ select: ['tcp/refused'], context: filtering(items) });
  return finding;
}
const clause = async (...args: Parameters<typeof told>) =>
  (await told(...args)).title.replace('10.0.0.2 refuses TCP port 80: ', '');
const USUAL = 'nothing listens, or a filter resets';

describe('tcp/refused, by the rules of the host context', () => {
  it('names the port that it is redirected to', async () => {
    const { title, remedy, cause } = await told(redirect(15006));
    expect(title).toBe('10.0.0.2 refuses TCP port 80: its rules redirect it to port 15006, where nothing listens');
    expect(cause).toContain('proxy');
    expect(remedy[0].commands).toEqual(["ip netns exec box ss -ltnp 'sport = :15006'"]);
  });

  it('names where a published port leads to', async () => {
    const dnat = [
      pre,
      rule('pre', [when('tcp dport', 80), { dnat: { family: 'ip', addr: '198.51.100.9', port: 8080 } }]),
    ];
    expect(await clause(dnat)).toBe('it is passed on to 198.51.100.9:8080, which refuses');
  });

  it('names the rule that resets', async () => {
    const { title, summary, remedy } = await told([input, rule('input', [when('tcp dport', 80), reset])]);
    expect(title).toBe('10.0.0.2 refuses TCP port 80: its firewall resets');
    expect(summary).not.toContain('service');
    expect(remedy.flatMap(({ commands }) => commands).join()).toContain('tcp dport 80 accept');
  });

  it.each([
    ['there are none', []],
    ['others are redirected', [pre, rule('pre', [when('tcp dport', 81), { redirect: { port: 15006 } }])]],
    ['the port stays what it is', redirect(80)],
    ['it is not told which port', redirect({ range: [1000, 2000] })],
    ['another rule may take it first', [pre, rule('pre', [hidden('set'), ACCEPT]), redirect(15006)[1]]],
    ['a rule drops it, which is not what happened', [input, rule('input', [when('tcp dport', 80), DROP])]],
    ['an error tells, not a reset', [input, rule('input', [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }])]],
  ])('says what is usual where %s', async (_, items) => {
    expect(await clause(items)).toBe(USUAL);
  });

  it('does so of other machines', async () => {
    const capture = tcp(new Capture(), HOST, { mac: '02:00:00:00:00:77', ip: '10.0.0.77' }, SYN);
    tcp(capture, { mac: '02:00:00:00:00:77', ip: '10.0.0.77' }, HOST, RST | ACK, {
      sport: 80,
      dport: 40000,
      ack: 1001,
    });
    const [{ title }] = await capture.findings({ select: ['tcp/refused'], context: filtering(redirect(15006)) });
    expect(title).toContain(USUAL);
  });
});
