import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { at } from '../parts/device-argument.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';

/** Bytes of a neighbor solicitation or advertisement without options (RFC 4861 sections 4.3, 4.4). */
const MESSAGE_LENGTH = 24;

/** Duplicate address detection finds the address in use (catalogue A17 a). */
export const dadConflict: Rule = {
  meta: {
    id: 'nd/dad-conflict',
    severity: 'error',
    summary: 'A host asks whether an IPv6 address is free, and another one has it or wants it too',
    catalogue: 'A17',
    thresholds: {
      patience: setting('dadAnswer'),
    },
  },
  create({ network, report }) {
    return {
      events: {
        dadAnswered(row) {
          const { dadProbes, addresses, segments, context } = network;
          const segment = dadProbes.segment(row);
          const capture = segments.captureOf(segment);
          const ip = addresses.format(dadProbes.target(row));
          const prober = formatMac(dadProbes.hi(row), dadProbes.lo(row));
          const holder = formatMac(dadProbes.holderHi(row), dadProbes.holderLo(row));
          const isRival = dadProbes.isRival(row);
          const devices = context?.devicesByMac(dadProbes.hi(row), dadProbes.lo(row));
          const device = devices?.length === 1 ? devices[0] : null;
          const there = (command: string) => at(device, command);
          const name = device ? printable(device.name) : '<device>';
          const length = device?.addresses.find(({ text }) => text === ip)?.prefixLength ?? 64;
          const time = dadProbes.time(row);
          const place = { capture, layer: 'icmpv6', length: MESSAGE_LENGTH };
          report({
            key: `${segment} ${ip}`,
            segment,
            capture,
            count: 1,
            first: time,
            last: time,
            confidence: 'certain',
            title: isRival
              ? `${prober} and ${holder} both want ${ip} at the same time`
              : `${prober} cannot have ${ip}: ${holder} has it`,
            summary: isRival
              ? `${prober} asks whether ${ip} is free, and within two seconds ${holder} asks the same. Both have to give the address up.`
              : `${prober} asks whether ${ip} is free (duplicate address detection), and ${holder} advertises that it has it. ` +
                'The address stays unusable at the asking host: `ip -6 addr` shows it as dadfailed.',
            subject: { ip, mac: prober, holder },
            evidence: [
              {
                ...place,
                frame: dadProbes.probeFrame(row),
                offset: dadProbes.offset(row),
                note: `${prober} asks whether ${ip} is free`,
              },
              {
                ...place,
                frame: dadProbes.answerFrame(row),
                offset: dadProbes.answerOffset(row),
                note: isRival ? `${holder} asks the same` : `${ip} is at ${holder}`,
              },
            ],
            cause:
              'The same address is configured on two machines, or both made it from the same hardware address or the same ' +
              'stable secret: cloned machines and copied --mac-address do.',
            remedy: [
              {
                text: 'See the state of the address at the asking host; dadfailed means it is not used',
                commands: [there(`ip -6 addr show to ${ip}`)],
              },
              {
                text: `Give one of the two another address; ${holder} keeps ${ip}`,
                commands: [
                  there(`ip -6 addr del ${ip}/${length} dev ${name}`),
                  there(`ip -6 addr add <free address>/${length} dev ${name}`),
                ],
              },
            ],
          });
        },
      },
    };
  },
};
