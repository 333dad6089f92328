import { describe, expect, it } from 'vitest';
import { CONNECTED, type Docker, docker, GUEST } from '../../support/docker.js';
import { Capture } from '../../support/wire.js';

const healthy: Docker = { own: ['172.20.0.1'], routes: [CONNECTED], rules: [] };
const asked = async (how: Docker, tpa = '172.20.0.99', times = 3) => {
  const capture = new Capture().askAgain(times, GUEST.mac, GUEST.ip, tpa);
  const [finding] = await capture.findings({ select: ['arp/unanswered'], context: docker(how) });
  return finding;
};

describe('arp/unanswered on a bridge that nothing but guests is on', () => {
  it('says that nobody there has the address, and how to lead packets out', async () => {
    const { cause, summary, remedy } = await asked(healthy);
    expect(summary).toContain('none of them has 172.20.0.99');
    expect(cause).toContain('the addresses of the bridge (172.20.0.1/24) cover that one');
    expect(remedy[1].commands).toEqual([
      'ip netns exec box ip route add 172.20.0.99 via 10.0.0.1 dev eth0',
      'ip netns exec guest ip route add 172.20.0.99 via 172.20.0.1',
    ]);
  });

  it('does not, where another machine may be on the bridge, or with too few questions', async () => {
    const open = async (finding: ReturnType<typeof asked>) => (await finding).cause;
    expect(await open(asked({ ...healthy, uplink: true }))).not.toContain('Nobody on');
    expect(await open(asked(healthy, undefined, 2))).not.toContain('Nobody on');
    // Not an address of that network: arp/off-subnet-target.
    expect(await open(asked(healthy, '172.21.0.99'))).not.toContain('Nobody on');
    // It is there.
    expect(await open(asked(healthy, '172.20.0.1'))).not.toContain('Nobody on');
  });
});
