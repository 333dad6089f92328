import type { Network } from '../../../network/network.js';
import { settingsName } from '../../parts/device-argument.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { OwnTarget } from './own-target.js';

/** Requests without an answer that are no accident. */
const IN_VAIN = 2;

/**
 * A host that asks in the name of an address of another device of its own (catalogue I12): Linux takes the source of the packet that waits,
 * wherever it is from, unless `arp_announce` is 2.
 */
export function otherSource({ context, addresses, resolutions }: Network, question: Question): OwnTarget | null {
  const { row, asker, spa, tpa } = question;
  if (!context || !asker || asker.addresses.every(({ family }) => family !== 4)) return null;
  if (asker.addresses.some(({ text }) => text === spa)) return null;
  const holders = context.devicesByIp(addresses.words(resolutions.spa(row)));
  const [holder] = holders;
  // It asks in vain by its own name as well: the name is not what is wrong.
  const isSame = (other: number) =>
    other !== row &&
    resolutions.segment(other) === resolutions.segment(row) &&
    resolutions.hi(other) === resolutions.hi(row) &&
    resolutions.lo(other) === resolutions.lo(row) &&
    resolutions.run(other) >= IN_VAIN;
  if (resolutions.askedFor(resolutions.tpa(row)).some(isSame)) return null;
  if (holders.length !== 1 || holder.namespace !== asker.namespace || holder.loopback) return null;
  const knob = `net.ipv4.conf.${settingsName(asker.name)}.arp_announce`;
  return {
    clause: '',
    sentence: ` It asks by ${label(asker)} in the name of ${spa}, which is on ${label(holder)}.`,
    cause:
      `${tpa} may not answer who asks so: with strict reverse path filtering (rp_filter=1), or without a route to ${spa} by this link, Linux drops the question. ` +
      `Or ${tpa} does not exist, is down, or is not reached.`,
    remedy: [
      {
        text: 'Let the host ask in the name of an address of the device that it asks by; until the next restart',
        commands: [inNamespace(asker, `sysctl -w ${knob}=2`)],
      },
      {
        text: `See why packets from ${spa} leave by ${asker.name}: a route with that source, or a program bound to it`,
        commands: [inNamespace(asker, `ip route get ${tpa} from ${spa}`), inNamespace(asker, 'ip rule')],
      },
    ],
    context: [`${label(asker)} asks`, `${label(holder)} holds ${spa}`],
  };
}
