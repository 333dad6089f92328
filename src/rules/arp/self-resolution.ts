import type { Device } from '../../network/context/device.js';
import { at, deviceWith, onlyOf } from '../parts/device-argument.js';
import { inNamespace, label } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { announcementOf } from './announcement-repeated.js';

const MAX_SERIES = 1000;

/** The kernel asks the wire for an address of its own host (catalogue A3, 4.1). */
export const selfResolution: Rule = {
  meta: {
    id: 'arp/self-resolution',
    severity: 'warning',
    summary: 'A host asks the network for its own address: no local route, or the wrong device',
    catalogue: 'A3',
    thresholds: {
      requests: {
        value: 4,
        unit: 'requests',
        source: 'a kernel gives up after three and Docker announces thrice: more is asking again and again',
      },
      kernelGapMin: setting('kernelGapMin'),
      kernelGapMax: setting('kernelGapMax'),
    },
  },
  create({ network, report, thresholds }) {
    const { announcements, addresses } = network;
    const series = new Set<number>();

    /** The device that sends and the one beside it that holds the address. */
    function wrongDevice(row: number): { sender: Device; owner: Device } | null {
      const owners = network.context?.devicesByIp(addresses.words(announcements.address(row))) ?? [];
      const senders = network.context?.devicesByMac(announcements.hi(row), announcements.lo(row)) ?? [];
      if (senders.some((device) => owners.includes(device))) return null;
      for (const sender of senders) {
        const owner = owners.find(({ namespace }) => namespace === sender.namespace);
        if (owner) return { sender, owner };
      }
      return null;
    }

    function tell(row: number): void {
      const { mac, ip, count, pause, ...rest } = announcementOf(network, row);
      const wrong = wrongDevice(row);
      const own = onlyOf(network.context?.devicesByMac(announcements.hi(row), announcements.lo(row)));
      const there = (command: string) => at(own, command);
      const byKernel =
        count >= thresholds.requests &&
        announcements.zeroTha(row) === count &&
        announcements.kernelGaps(row) >= count - 2;
      if (!wrong && !byKernel) return;
      report({
        ...rest,
        count,
        confidence: wrong ? 'certain' : 'likely',
        title: `${ip} asks the network for itself`,
        summary:
          `${mac} asks who has ${ip}, in the name of ${ip}, ${count} times, ${pause.toFixed(3)} s apart, as the kernel does when it resolves a ` +
          'neighbor. Nobody can answer: the address is on this host. What is sent to it waits in vain.',
        subject: { ip, mac },
        cause: wrong
          ? `${label(wrong.sender)} sends, but ${ip} belongs to ${label(wrong.owner)} in the same namespace: the traffic was bound to the wrong device.`
          : `The route that says "${ip} is local" is gone from the local table, or another rule or VRF goes before it.`,
        remedy: wrong
          ? [
              {
                text: 'Do not bind to that device (no ping -I, SO_BINDTODEVICE), or use one namespace for each address',
                commands: [inNamespace(wrong.sender, `ip route get ${ip}`)],
              },
            ]
          : [
              {
                text: 'Look for the local route',
                commands: [`ip route get ${ip}`, `ip route show table local ${ip}`, 'ip rule'].map(there),
              },
              {
                text: 'If it is missing: put it back',
                commands: [there(`ip route add local ${ip} dev ${deviceWith(own, mac)} table local`)],
              },
            ],
        caveats: wrong ? [] : ['arping with a jittery timer can look alike'],
        wouldRaise: wrong ? [] : ['`ip route show table local` in the namespace that owns the MAC'],
        context: wrong ? [`${label(wrong.sender)} has MAC ${mac}`, `${label(wrong.owner)} holds ${ip}`] : [],
        explains: [{ rule: 'arp/announcement-repeated', key: rest.key }],
      });
    }

    return {
      events: {
        announced(row) {
          if (series.size < MAX_SERIES) series.add(row);
        },
      },
      captureEnd: () => series.forEach(tell),
    };
  },
};
