import type { Device } from '../../network/context/device.js';
import { printable } from '../../wire/printable.js';
import { questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { isHeard } from './parts/flood-list-gap.js';
import { groupGap } from './parts/group-gap.js';
import { madeAnew } from './parts/made-anew.js';
import {
  address,
  askedInVain,
  isGroup,
  onEndpoint,
  questionsBehind,
  symptomsOf,
  tunnelFrames,
  tunnelsCarrying,
  tunnelsOf,
  underlayName,
  vxlanDevices,
  vxlanLine,
} from './parts/tunnel.js';

/** Frames of one way that are named as evidence. */
const EXAMPLES = 8;

/** Endpoints of one VNI flood to different multicast groups. */
export const groupMismatch: Rule = {
  meta: {
    id: 'vxlan/group-mismatch',
    severity: 'error',
    summary: 'Endpoints of one VNI use different multicast groups: floods do not reach each other',
    catalogue: '',
    thresholds: {
      requests: { ...REQUESTS, unit: 'requests in vain inside the tunnel' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { tunnels, segments } = network;

    function tell(tunnel: number): void {
      if (!judge(tunnel)) withdraw(String(tunnel));
    }

    function judge(tunnel: number): boolean {
      const inner = tunnels.inner(tunnel);
      const group = tunnels.destination(tunnel);
      if (inner < 0 || !isGroup(network, group)) return false;
      const source = tunnels.source(tunnel);
      const vni = tunnels.vni(tunnel);
      const questions = askedInVain(questionsBehind(network, inner, source), thresholds.requests);
      if (questions.length === 0) return false;
      const carrying = tunnelsCarrying(network, inner).filter((row) => tunnels.port(row) === tunnels.port(tunnel));
      // Others on this group, or unicast for the sender: the group works, and the question has another cause.
      if (
        carrying.some(
          (row) => row !== tunnel && (tunnels.destination(row) === group || tunnels.destination(row) === source),
        )
      )
        return false;
      const rivals = carrying.filter(
        (row) => tunnels.source(row) !== source && isGroup(network, tunnels.destination(row)),
      );
      const configured = otherGroups(source, vni, address(network, group));
      if (rivals.length === 0 && configured.length === 0) return false;
      const segment = tunnels.segment(tunnel);
      const from = address(network, source);
      const [rival] = rivals;
      const isProved = configured.length > 0;
      const other =
        rival === undefined ? (configured[0].vxlan?.group?.text ?? '') : address(network, tunnels.destination(rival));
      const peer = rival === undefined ? printable(configured[0].namespace) : address(network, tunnels.source(rival));
      report({
        key: String(tunnel),
        segment,
        capture: segments.captureOf(segment),
        confidence: isProved ? 'certain' : 'likely',
        title: `${from} floods VNI ${vni} to ${address(network, group)}, ${peer} to ${other}`,
        summary:
          `Broadcasts of VNI ${vni} go from ${from} to multicast group ${address(network, group)}, those of ${peer} to ${other}. ` +
          `Each endpoint hears its own group only: ${questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`).join(', ')}, in vain.`,
        subject: { endpoint: from, group: address(network, group), peer, peerGroup: other, vni },
        count: [tunnel, ...rivals].reduce((sum, row) => sum + tunnels.frames(row), 0),
        first: Math.min(...[tunnel, ...rivals].map((row) => tunnels.first(row))),
        last: Math.max(...[tunnel, ...rivals].map((row) => tunnels.last(row))),
        evidence: [
          ...questions.flatMap((question) => requestFrames(network, question)),
          ...[tunnel, ...rivals].flatMap((row) => tunnelFrames(network, row).slice(0, EXAMPLES)),
        ],
        cause: 'The VXLAN devices were made with different groups.',
        remedy: [
          {
            text: 'See which groups both ends joined',
            commands: [
              onEndpoint(network, source, `ip maddr show dev ${underlayName(network, source)}`),
              onEndpoint(network, source, 'ip -d link show type vxlan'),
            ],
          },
          {
            text: `Make the device on ${from} again with the group of the others`,
            commands: madeAnew(
              network,
              source,
              `id ${vni} group ${other} dev ${underlayName(network, source)} dstport ${tunnels.port(tunnel)}`,
              vni,
            ),
          },
        ],
        wouldRaise: isProved ? [] : ['`ip -d link` of both ends (--context)'],
        context: [...vxlanDevices(network, source, vni), ...configured].map(vxlanLine),
        explains: symptomsOf(network, questions),
      });
      return true;
    }

    /** Devices of other machines with this VNI and another group. */
    function otherGroups(source: number, vni: number, group: string): Device[] {
      const own = new Set(vxlanDevices(network, source).map(({ namespace }) => namespace));
      if (!network.context || own.size === 0) return [];
      const others = network.context.devices.filter(({ vxlan, namespace }) => vxlan?.id === vni && !own.has(namespace));
      return others.some(({ vxlan }) => vxlan?.group?.text === group) ? [] : others.filter(({ vxlan }) => vxlan?.group);
    }

    /** Where no frame shows the tunnel: the host context shows the groups of both ends. */
    function tellByContext(row: number): void {
      const question = questionOf(network, row);
      if (question.requests < thresholds.requests || segments.tunnelOf(question.segment) >= 0) return;
      const gap = groupGap(network, question);
      // Frames of the tunnel tell it where they are seen.
      if (gap?.isOtherGroup && !isHeard(network, gap.near)) report(gap.diagnosis);
    }

    return {
      events: {
        unansweredInside: (inner) => tunnelsCarrying(network, inner).forEach(tell),
        ...(network.context
          ? { unanswered: tellByContext, answered: (row) => withdraw(`list ${questionOf(network, row).key}`) }
          : {}),
      },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
