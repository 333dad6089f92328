import { wayTo } from '../../network/context/routing.js';
import type { Network } from '../../network/network.js';
import { inNamespace, label } from '../parts/question.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import { vanishing } from '../parts/vanished/vanished.js';
import { andOthers } from '../parts/words.js';
import type { Confidence, Diagnosis, Remedy, Rule } from '../rule.js';
import { routerKey } from './not-forwarded.js';
import { type Handover, handoverOf } from './parts/next-hop.js';
import { notRouters } from './parts/not-a-router.js';

const SURENESS: readonly Confidence[] = ['hint', 'likely', 'certain'];

/** A host sends packets for another network to a neighbour that is no router (catalogue I10). */
export const wrongNextHop: Rule = {
  meta: {
    id: 'ip/wrong-next-hop',
    severity: 'warning',
    summary: 'A host sends to other networks through a neighbour that is no router',
    catalogue: 'I10',
    thresholds: {
      prefixLength: {
        value: 24,
        unit: 'leading bits',
        source:
          'targets that have them in common are taken for one network: the longest prefix that is commonly routed, a usual LAN',
      },
      syns: SYNS,
    },
  },
  create(context) {
    const { network, thresholds } = context;
    // An IPv6 neighbour says itself what it is; with IPv4 what others do has to show it.
    const v6 = notRouters(network);
    const look = (vanished: Vanished) => handoverOf(network, vanished, thresholds.prefixLength);

    function judge(vanished: Vanished): string | null {
      if (!vanished.isIpv4) return v6.judge(vanished);
      const handover = look(vanished);
      return handover && `${vanished.segment} ${handover.machine}`;
    }

    function tell(members: readonly Vanished[]): Diagnosis {
      if (!members[0].isIpv4) return v6.tell(members);
      const judged = members.flatMap((vanished) => {
        const handover = look(vanished);
        return handover ? [{ vanished, handover }] : [];
      });
      judged.sort(
        (a, b) =>
          SURENESS.indexOf(b.handover.confidence) - SURENESS.indexOf(a.handover.confidence) ||
          a.vanished.first - b.vanished.first,
      );
      const [{ vanished, handover }] = judged;
      const { from, to, segment } = vanished;
      const { host, device, gateway, confidence, proof, namespace } = handover;
      const others = andOthers(members.length - 1);
      const all = together(members);
      return {
        ...all,
        evidence: [...all.evidence, ...handover.evidence],
        key: `${segment} ${handover.machine}`,
        confidence,
        title: `${from} sends to ${to}${others} through ${host}, which ${confidence === 'hint' ? `may be no router: others go through ${gateway}` : `is no router: ${gateway} is`}`,
        summary:
          `${from} hands its packets for ${to}${others} to ${host}. Nothing answers, no ICMP error comes, and ${host} never passed on a packet in this capture. ` +
          proof,
        subject: { source: from, destination: to, host, gateway },
        cause: `The route of ${from} names ${host} as next hop, and ${host} drops what is not for itself without a word.`,
        remedy: remediesFor(network, vanished, handover),
        caveats:
          confidence === 'hint'
            ? [
                `${host} may be a router that this capture does not see at work, with the target down or a filter behind it`,
              ]
            : [],
        wouldRaise:
          confidence === 'certain'
            ? []
            : [`\`sysctl net.ipv4.ip_forward\` and \`ip route get ${to}\` of ${host} (--context)`],
        context: device && namespace !== null ? [`${label(device)}: forwarding off`] : [],
        explains: [
          ...all.explains,
          ...(namespace === null ? [] : [{ rule: 'ip/not-forwarded', key: routerKey(vanished, namespace) } as const]),
        ],
      };
    }

    return vanishing(context, judge, tell);
  },
};

function remediesFor(network: Network, vanished: Vanished, { host, gateway, device }: Handover): Remedy[] {
  const { from, to, source, destination } = vanished;
  const { context, addresses } = network;
  const holders = context?.devicesByIp(addresses.words(source)) ?? [];
  const sender = holders.length === 1 ? holders[0] : null;
  const place = sender ? context?.namespaces.get(sender.namespace) : undefined;
  const way = place ? wayTo(place, addresses.words(destination)) : null;
  const route = way?.kind === 'routed' && way.routes.length === 1 ? way.routes[0].dst : null;
  const run = (command: string) => (sender ? inNamespace(sender, command) : command);
  const enable = 'sysctl -w net.ipv4.ip_forward=1';
  return [
    {
      text: `On ${from}: see the route, and who set it (\`proto dhcp\`, \`static\` …)`,
      commands: [run(`ip route get ${to}`), run(`ip route show ${route ?? 'default'}`)],
    },
    {
      text: `On ${from}: send through ${gateway}; then set it for good where the wrong address came from (network configuration, DHCP option 3)`,
      commands: [run(`ip route replace ${route ?? 'default'} via ${gateway}`)],
    },
    {
      text: `Only if ${host} is meant to be a router: let it forward`,
      commands: [device ? inNamespace(device, enable) : enable],
    },
  ];
}
