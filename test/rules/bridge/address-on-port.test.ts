import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture } from '../../support/wire.js';

const RULE = 'bridge/address-on-port';
const PORT = '02:00:00:00:00:35';
const OUTSIDE = '02:00:00:00:00:77';

/** A machine with a device under a bridge (or bond), and the address on one or both of them. */
const machine = (onPort: boolean, onBridge: boolean, kind = 'bridge') => {
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const address = { family: 'inet', local: '10.0.0.1', prefixlen: 24 };
  return parseContext({
    namespaces: {
      node: {
        'ip -d -j link': [
          { ...up, ifindex: 2, ifname: 'br0', address: PORT, linkinfo: { info_kind: kind } },
          { ...up, ifindex: 3, ifname: 'eth0', address: PORT, master: 'br0', linkinfo: { info_slave_kind: kind } },
        ],
        'ip -j addr': [
          { ifindex: 2, ifname: 'br0', addr_info: onBridge ? [address] : [] },
          { ifindex: 3, ifname: 'eth0', addr_info: onPort ? [address] : [] },
        ],
      },
    },
  });
};
const again = (times = 3, isAnswered = true) => {
  const capture = new Capture();
  for (let i = 0; i < times; i++) {
    capture.at(i * 1.02).ask(PORT, '10.0.0.1', '10.0.0.77');
    if (isAnswered) capture.at(i * 1.02 + 0.01).answer(OUTSIDE, '10.0.0.77', PORT, '10.0.0.1');
  }
  return capture;
};
const rules = async (context = machine(true, false), capture = again()) =>
  (await capture.findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('bridge/address-on-port', () => {
  it('is certain of questions repeated although answered, and of questions in vain', async () => {
    expect(await rules()).toEqual([`${RULE} certain`]);
    expect(await rules(machine(true, false), again(3, false))).toEqual([`${RULE} certain`]);
    const [finding] = await again().findings({ context: machine(true, false) });
    expect(finding.remedy[0].commands).toContain('ip netns exec node ip addr add 10.0.0.1/24 dev br0');
  });

  it('needs three questions', async () => {
    expect(await rules(machine(true, false), again(2))).toEqual([]);
    expect(await rules(machine(true, false), again(2, false))).not.toContain(`${RULE} certain`);
  });

  it('keeps still if the bridge has the address, and about bonds', async () => {
    expect(await rules(machine(false, true))).not.toContain(`${RULE} certain`);
    expect(await rules(machine(true, true))).not.toContain(`${RULE} certain`);
    expect(await rules(machine(true, false, 'bond'))).not.toContain(`${RULE} certain`);
  });
});
