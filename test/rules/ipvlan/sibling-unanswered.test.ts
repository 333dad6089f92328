import { describe, expect, it } from 'vitest';
import { PARENT as P, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const asking = (times = 3) => new Capture().askAgain(times, P, '10.0.0.101', '10.0.0.102');
const rules = async (capture: Capture, context?: ReturnType<typeof siblings>) =>
  (await capture.findings(context ? { context } : {})).map(({ rule, confidence }) => `${rule} ${confidence}`);
const flagged = (flag: string) => siblings({ kind: 'ipvlan', mode: 'l2', flag });

describe('ipvlan/sibling-unanswered', () => {
  it('is certain of the private flag, and likely right in bridge mode', async () => {
    expect(await rules(asking(), flagged('private'))).toEqual(['ipvlan/sibling-unanswered certain']);
    expect(await rules(asking(), flagged('bridge'))).toEqual(['ipvlan/sibling-unanswered likely']);
  });

  it('looks at the sibling where the flag is bridge already, and sets it up where it is down', async () => {
    const context = flagged('bridge');
    const remedies = async () => (await asking().findings({ context }))[0].remedy.flatMap(({ commands }) => commands);
    expect(await remedies()).toEqual(['ip netns exec ns2 ip -br addr', 'ip netns exec ns2 nft list ruleset']);
    Object.assign(context.device('ns2', 'child2') ?? {}, { up: false });
    expect(await remedies()).toEqual(['ip netns exec ns2 ip link set child2 up']);
  });

  it('leaves VEPA to the missing reflection', async () => {
    expect(await rules(asking(), flagged('vepa'))).toEqual(['ipvlan/vepa-no-reflection certain']);
  });

  it('waits for the third request: one alone is how a healthy sibling is found', async () => {
    expect(await rules(asking(1), flagged('bridge'))).toEqual([]);
    expect(await rules(asking(2), flagged('private'))).toEqual(['arp/unanswered hint']);
  });

  it('only hints without a context, and only where the MAC was seen with both addresses', async () => {
    expect(await rules(asking())).toEqual(['arp/unanswered likely']);
    const capture = new Capture().ask(P, '10.0.0.102', '10.0.0.7').at(1).askAgain(3, P, '10.0.0.101', '10.0.0.102');
    expect(await rules(capture)).toContain('ipvlan/sibling-unanswered hint');
  });
});
