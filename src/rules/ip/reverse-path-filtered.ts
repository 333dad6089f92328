import type { Device } from '../../network/context/device.js';
import { forwards, inSettings } from '../../network/context/routing.js';
import { printable } from '../../wire/printable.js';
import { routerBeside } from '../parts/next-router.js';
import { inNamespace, label } from '../parts/question.js';
import { silentTunnels } from '../parts/silent-tunnels.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { type Arrival, arrivalOf, holds } from '../parts/vanished/arrival.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import { vanishing } from '../parts/vanished/vanished.js';
import type { Diagnosis, Rule } from '../rule.js';
import { wayBack } from './parts/reverse-path.js';

/** The kernel drops packets that come in where it would not send to their source (catalogue I3). */
export const reversePathFiltered: Rule = {
  meta: {
    id: 'ip/reverse-path-filtered',
    severity: 'warning',
    summary: 'Packets come in at one device, the way back leads through another, and rp_filter drops them',
    catalogue: 'I3',
    silence: true,
    thresholds: {
      syns: SYNS,
    },
  },
  create(context) {
    const { network } = context;

    function judge(vanished: Vanished): string | null {
      if (!vanished.isIpv4) return null;
      const arrival = arrivalOf(network, vanished);
      if (!arrival || arrival.devices.length === 0 || !wayBack(network, arrival, vanished.source)) return null;
      const { namespace, devices } = arrival;
      // What is not for the machine must be meant to be forwarded; else ip/not-forwarded says why it ends here.
      const isMeant =
        holds(network, arrival, vanished.destination) ||
        devices.every((device) => forwards(namespace, device, 4) === true);
      return isMeant ? `${vanished.segment} ${namespace.name} ${devices[0].name}` : null;
    }

    function tell(members: readonly Vanished[]): Diagnosis {
      const [vanished] = members;
      const { from, to } = vanished;
      const all = together(members);
      const arrival = arrivalOf(network, vanished) as Arrival;
      const [device] = arrival.devices;
      const [back] = wayBack(network, arrival, vanished.source) ?? [''];
      const name = printable(device.name);
      const router = routerBeside(network.context, device, true, network.addresses.words(vanished.source));
      const linksOf = ({ namespace, name }: Device) =>
        (network.context?.namespaces.get(namespace)?.routes ?? [])
          .filter((route) => route.family === 4 && route.dev === name && !route.gateway && route.dst !== 'default')
          .map(({ dst }) => printable(dst));
      return {
        ...all,
        key: judge(vanished) ?? '',
        explains: [...all.explains, ...silentTunnels(network, vanished.segment)],
        confidence: 'likely',
        title: `${label(device)} drops packets from ${from}: the way back leads through ${printable(back)} (rp_filter)`,
        summary:
          `Packets from ${from} to ${to} come in at ${label(device)}, and nothing answers them. The route of this machine to ${from} leads through ${printable(back)}, ` +
          `and rp_filter is 1 (strict) on ${name}: the kernel drops what comes in at another device than the one it would answer through.`,
        subject: { device: label(device), source: from, destination: to },
        cause: `Strict reverse path filtering on ${name} (RFC 3704): it takes packets from ${from} only at ${printable(back)}.`,
        remedy: [
          {
            text: 'See it counted while packets come in',
            commands: [
              inNamespace(device, 'nstat -az TcpExtIPReversePathFilter'),
              inNamespace(device, `ip route get ${to} from ${from} iif ${name}`),
            ],
          },
          {
            text: 'Loose filtering, until the next restart: any route back will do. The larger of `all` and the device counts',
            commands: [inNamespace(device, `sysctl -w net.ipv4.conf.${sysctlName(device)}.rp_filter=2`)],
          },
          {
            text: 'Or answer through the device that was asked: a routing table for its address',
            commands: [
              ...linksOf(device).map((link) => inNamespace(device, `ip route add ${link} dev ${name} table 100`)),
              inNamespace(device, `ip route add default via ${router} dev ${name} table 100`),
              inNamespace(device, `ip rule add from ${to} table 100`),
            ],
          },
        ],
        caveats: [
          'rules of policy routing are not known where the host context has no `ip rule`; filters are not looked at',
        ],
        wouldRaise: ['`nstat -az TcpExtIPReversePathFilter` before and after a request: it grows'],
        context: [`${label(device)}: rp_filter 1`, `route to ${from}: dev ${printable(back)}`],
      };
    }

    return vanishing(context, judge, tell, { last: true, answers: true });
  },
};

function sysctlName(device: Device): string {
  return printable(inSettings(device));
}
