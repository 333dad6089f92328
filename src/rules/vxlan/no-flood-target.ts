import type { Device } from '../../network/context/device.js';
import { printable } from '../../wire/printable.js';
import { asSymptom, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS, SYNS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { deviceDown } from './parts/device-down.js';
import { unheardGroup } from './parts/flood-group.js';
import { floodListGap } from './parts/flood-list-gap.js';
import { groupGap } from './parts/group-gap.js';
import { GroupMembers } from './parts/group-members.js';
import { hasNoTarget, knownInVain } from './parts/known-in-vain.js';
import { listBesideGroup } from './parts/list-beside-group.js';
import { EVERYBODY, flooded, peersOf } from './parts/peers.js';
import {
  address,
  askedInVain,
  deviceName,
  isGroup,
  onEndpoint,
  questionsBehind,
  symptomsOf,
  tunnelFrames,
  tunnelsCarrying,
  tunnelsOf,
  vxlanDevices,
  vxlanLine,
} from './parts/tunnel.js';

const EXAMPLES = 8;

/** Broadcasts are not sent to an endpoint that is part of the VNI, or to none at all (catalogue F8). */
export const noFloodTarget: Rule = {
  meta: {
    id: 'vxlan/no-flood-target',
    severity: 'error',
    summary: 'An endpoint does not send broadcasts to another of the same VNI, or to none at all',
    catalogue: 'F8',
    silence: true,
    thresholds: {
      floods: {
        value: 2,
        unit: 'broadcasts that show where an endpoint floods to',
        source: 'one may be a packet under way',
      },
      requests: { ...REQUESTS, unit: 'requests in vain inside the tunnel' },
      syns: SYNS,
      patience: {
        value: 1.8,
        unit: 'seconds that a question flooded to a multicast group is given',
        source: 'two retries of the kernel, a second apart, less what clocks and queues take',
      },
    },
  },
  create(context) {
    const { network, report, withdraw, thresholds } = context;
    const { tunnels, segments } = network;
    const members = new GroupMembers();

    /** At the VXLAN device itself: the context shows that it has nowhere to send a broadcast to. */
    function tellDevice(row: number): boolean {
      const device = vxlanAtVantage();
      if (!device || segments.tunnelOf(network.resolutions.segment(row)) >= 0 || !hasNoTarget(device)) return false;
      const question = questionOf(network, row);
      const { spa, tpa, requests } = question;
      const name = printable(device.name);
      const peers = network.context ? peersOf(network.context, device) : [];
      report({
        ...question,
        confidence: requests < thresholds.requests ? 'likely' : 'certain',
        title: `${name} has nowhere to send broadcasts: ${spa} asks for ${tpa} in vain`,
        summary: `${spa} asks who has ${tpa}, ${requests} times. The requests reach VXLAN device ${name}, which has no remote, no group and no flood entry: the kernel drops them, and nothing leaves the machine.`,
        subject: { device: name, ip: tpa, ...(device.vxlan ? { vni: device.vxlan.id } : {}) },
        evidence: requestFrames(network, question),
        cause: `${name} was made without remote and group, and nobody has filled its forwarding table.`,
        remedy: [
          {
            text: 'Name every other endpoint of the VNI, one entry each',
            commands: flooded(device, peers.length > 0 ? peers : ['<endpoint>']),
          },
        ],
        context: [vxlanLine(device)],
        explains: asSymptom(question),
      });
      return true;
    }

    function tellByContext(row: number): void {
      if (tellDevice(row)) return;
      const question = questionOf(network, row);
      if (question.requests < thresholds.requests) return;
      const gap = floodListGap(network, question);
      if (gap) report({ ...gap, confidence: 'certain' });
      const down = deviceDown(network, question);
      if (down) report(down);
      const unheard = groupGap(network, question);
      // Endpoints on different groups are vxlan/group-mismatch.
      if (unheard && !unheard.isOtherGroup) report(unheard.diagnosis);
    }

    function excuse(row: number): void {
      const { key } = questionOf(network, row);
      withdraw(key);
      withdraw(`list ${key}`);
    }

    function vxlanAtVantage(): Device | null {
      return network.vantage?.vxlan ? network.vantage : null;
    }

    /** At the network below: an endpoint floods to some, and not to one that floods to it. `tunnel` is the way from that one. */
    function tell(tunnel: number): void {
      const { floods, requests, patience } = thresholds;
      const found =
        unheardGroup(network, members, tunnel, { floods, requests, patience }) ??
        listBesideGroup(network, members, tunnel, { floods, requests });
      if (found) report(found);
      else if (!judge(tunnel)) withdraw(String(tunnel));
    }

    function judge(tunnel: number): boolean {
      const inner = tunnels.inner(tunnel);
      const floods = inner >= 0 && tunnels.groupFrames(tunnel) > 0 && !isGroup(network, tunnels.destination(tunnel));
      if (!floods) return false;
      const source = tunnels.destination(tunnel);
      const left = tunnels.source(tunnel);
      const port = tunnels.port(tunnel);
      const vni = tunnels.vni(tunnel);
      const own = tunnelsCarrying(network, inner).filter((row) => tunnels.source(row) === source);
      if (own.some((row) => tunnels.destination(row) === left)) return false;
      const served = own.filter((row) => tunnels.port(row) === port && tunnels.groupFrames(row) >= thresholds.floods);
      if (served.length === 0 || served.some((row) => isGroup(network, tunnels.destination(row)))) return false;
      const segment = tunnels.segment(tunnel);
      const isRefused = (endpoint: number) => network.tunnelErrors.concerns(segment, source, endpoint);
      // A wrong remote address is another fault, and refuses.
      if (isRefused(left) || served.every((row) => isRefused(tunnels.destination(row)))) return false;
      const questions = askedInVain(questionsBehind(network, inner, source), thresholds.requests);
      if (questions.length === 0) return false;
      const from = address(network, source);
      const to = address(network, left);
      const devices = vxlanDevices(network, source, vni);
      const table = devices.length === 1 ? devices[0].endpoints : null;
      if (table?.some(({ mac, dst }) => mac === 0 && dst.text === to)) return false;
      const name = deviceName(network, source, vni);
      const capture = segments.captureOf(segment);
      // The frames of the endpoint that is left out tell it as well.
      for (const question of questions) withdraw(`list ${question.key}`);
      report({
        key: String(tunnel),
        segment,
        capture,
        confidence: table ? 'certain' : 'likely',
        title: `${from} sends broadcasts of VNI ${vni} to ${served.map((row) => address(network, tunnels.destination(row))).join(', ')}, not to ${to}`,
        summary:
          `${to} takes part in VNI ${vni}: it sends its broadcasts to ${from}. But ${from} floods to other endpoints only. ` +
          `Who is behind ${to} cannot hear its questions: ${questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`).join(', ')}, in vain.`,
        subject: { endpoint: from, missing: to, vni },
        count: questions.reduce((sum, { requests }) => sum + requests, 0),
        first: Math.min(...questions.map(({ first }) => first)),
        last: Math.max(...questions.map(({ last }) => last)),
        evidence: [
          ...questions.flatMap((question) => requestFrames(network, question)),
          ...tunnelFrames(network, tunnel).slice(0, EXAMPLES),
        ],
        cause: `The flood list of ${from} (forwarding entries for ${EVERYBODY}) lacks ${to}.`,
        remedy: [
          {
            text: 'See the flood list',
            commands: [onEndpoint(network, source, `bridge fdb show dev ${name} | grep ${EVERYBODY}`)],
          },
          {
            text: `Add ${to} to it`,
            commands: [onEndpoint(network, source, `bridge fdb append ${EVERYBODY} dev ${name} dst ${to}`)],
          },
        ],
        wouldRaise: table ? [] : [`\`bridge fdb\` of ${from} (--context)`],
        context: devices.map(vxlanLine),
        explains: symptomsOf(network, questions),
      });
      return true;
    }

    return {
      layers: { Igmp: (frame, layer) => members.observe(frame, layer) },
      events: {
        ...(network.context ? knownInVain(context).events : {}),
        unansweredInside: (inner) => tunnelsCarrying(network, inner).forEach(tell),
        ...(network.context ? { unanswered: tellByContext, answered: excuse } : {}),
      },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
