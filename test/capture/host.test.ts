import { expect, it } from 'vitest';
import { withSteadyPairs } from '../../src/capture/live/host.js';

const row = (ifindex: number, ifname: string, bytes: number, address = '02:00:00:00:00:01') => ({
  ifindex,
  ifname,
  address,
  stats64: { rx: { bytes } },
});
const facts = (kind: string, counted: unknown) => ({
  kernel: '6.1',
  namespaces: {
    host: {
      'ip -d -j link': [{ ...row(2, 'p-host', 0), linkinfo: { info_kind: kind } }],
      'ip -s -j link': counted,
      'ip -j route': ['new'],
    },
  },
});
const counted = (now: object) => (now as ReturnType<typeof facts>).namespaces.host['ip -s -j link'];

it('keeps the counters by which the ends of a veth pair were known', () => {
  const now = withSteadyPairs(facts('veth', [row(2, 'p-host', 1)]), facts('veth', [row(2, 'p-host', 9)]));
  expect(counted(now)).toEqual([row(2, 'p-host', 1)]);
  expect(now.namespaces.host['ip -j route']).toEqual(['new']);
});

it('takes the new ones of other devices, of devices made anew, and of namespaces that were not there', () => {
  const before = facts('veth', [row(2, 'p-host', 1)]);
  expect(counted(withSteadyPairs(before, facts('vxlan', [row(2, 'p-host', 9)])))).toEqual([row(2, 'p-host', 9)]);
  const anew = [row(2, 'p-host', 9, '02:00:00:00:00:02')];
  expect(counted(withSteadyPairs(before, facts('veth', anew)))).toEqual(anew);
  const nobody = { kernel: '6.1', namespaces: {} };
  expect(counted(withSteadyPairs(nobody, facts('veth', anew)))).toEqual(anew);
  expect(counted(withSteadyPairs(before, facts('veth', null)))).toBeNull();
});
