import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';

const asking = (pauses: readonly number[], tha?: string) => {
  const capture = new Capture();
  let now = 0;
  for (const pause of [0, ...pauses]) {
    now += pause;
    capture.at(now).arp({ op: 1, from: A, spa: '10.0.0.1', tpa: '10.0.0.1', ...(tha === undefined ? {} : { tha }) });
  }
  return capture;
};
const rules = async (capture: Capture, context?: ReturnType<typeof parseContext>) =>
  (await capture.findings(context ? { context } : {})).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('arp/self-resolution', () => {
  it('speaks after four requests with the pauses of the kernel’s timer', async () => {
    expect(await rules(asking([1.0098, 1.024, 1.024]))).toEqual(['arp/self-resolution likely']);
  });

  it.each([
    ['three, as a program may make the kernel send', [1.0098, 1.024], undefined],
    ['the pauses of arping', [1.001, 1.001, 1.001, 1.001], undefined],
    ['a target hardware address that the kernel leaves empty', [1.01, 1.024, 1.024, 1.024], 'ff:ff:ff:ff:ff:ff'],
  ])('leaves it at an announcement: %s', async (_, pauses, tha) => {
    expect(await rules(asking(pauses, tha))).toEqual(['arp/announcement-repeated certain']);
  });

  const link = (index: number, name: string, address: string) => ({
    ifindex: index,
    ifname: name,
    link_type: 'ether',
    address,
    flags: ['UP'],
  });
  const holds = (name: string) =>
    parseContext({
      kernel: '6.1',
      namespaces: {
        a: {
          'ip -d -j link': [link(2, 'eth0', A), link(3, 'eth1', B)],
          'ip -j addr': [
            {
              ifname: name,
              ifindex: name === 'eth0' ? 2 : 3,
              addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24 }],
            },
          ],
        },
      },
    });

  it('is certain when the host context shows the address on another device of the namespace', async () => {
    expect(await rules(asking([1.02]), holds('eth1'))).toEqual(['arp/self-resolution certain']);
  });

  it('takes the device that holds the address for an announcer', async () => {
    expect(await rules(asking([1.02]), holds('eth0'))).toEqual(['arp/announcement-repeated certain']);
  });
});
