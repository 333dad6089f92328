import type { Device } from '../../network/context/device.js';
import { reach } from '../../network/context/reach.js';
import { confidenceBy } from '../parts/confidence.js';
import { showsOneWay } from '../parts/one-way-capture.js';
import { questionOf } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { filteredFinding } from './parts/filtered.js';
import { filteredBelow } from './parts/filtered-below.js';
import { isForUnseen, oneWayFinding } from './parts/one-way-words.js';
import { type RoutedSilence, routedSilence } from './parts/routed-silence.js';
import {
  arrives,
  askedAgain,
  askedInVain,
  isGroup,
  questionsBehind,
  tunnelsCarrying,
  tunnelsOf,
  vxlanDevices,
} from './parts/tunnel.js';

/** Tunnels without ARP of which it is looked what they carry in vain: each takes a look at all pings and connections. */
const MAX_ROUTED = 256;

/** VXLAN goes one way only, and what is asked inside stays without an answer (catalogue F2). */
export const oneWay: Rule = {
  meta: {
    id: 'vxlan/one-way',
    severity: 'warning',
    summary: 'VXLAN goes to an endpoint, questions inside stay unanswered, and the endpoint never answers any',
    catalogue: 'F2',
    silence: true,
    thresholds: {
      endpoints: {
        value: 8,
        unit: 'endpoints that a sender floods to, at most',
        source: 'with more the silence of one says nothing',
      },
      frames: { value: 3, unit: 'packets without a word back', source: 'a kernel asks three times' },
      duration: {
        value: 1.8,
        unit: 'seconds that they take, and that lie between a question and the end of the capture',
        source: 'a kernel asks three times in 2 s',
      },
      requests: { ...REQUESTS, unit: 'requests in vain inside the tunnel' },
      routedFrames: {
        value: 5,
        unit: 'packets without a word back, where nothing inside asks by ARP',
        source: 'catalogue F2; a ping or a SYN may be dropped by its receiver, so more is asked for',
      },
      routedDuration: { value: 4, unit: 'seconds that these take', source: 'five pings, one each second' },
    },
  },
  create({ network, captures, report, withdraw, thresholds }) {
    const { tunnels, segments } = network;
    /** Tunnels whose pings and connections were looked at. */
    const looked = new Set<number>();
    /** Tunnels of which it is told what drops them, by their capture and ends. */
    const filteredAt = new Map<string, number>();

    /** Later frames may excuse what was said before. */
    function tell(tunnel: number): void {
      if (!judge(tunnel)) withdraw(String(tunnel));
    }

    function judge(tunnel: number): boolean {
      const inner = tunnels.inner(tunnel);
      if (inner < 0 || isGroup(network, tunnels.destination(tunnel)) || tunnels.isMirror(tunnel)) return false;
      const since = network.now - thresholds.duration * 1e9;
      // A firewall rule that takes what is sent tells more than that nothing comes back.
      const filtered = filteredFinding(network, tunnel, thresholds.requests, since, routedOf);
      if (filtered) {
        if (isToldElsewhere(tunnel)) return false;
        report(filtered);
        return true;
      }
      if (
        tunnels.frames(tunnel) < thresholds.frames ||
        tunnels.last(tunnel) - tunnels.first(tunnel) < thresholds.duration * 1e9
      )
        return false;
      const segment = tunnels.segment(tunnel);
      const capture = segments.captureOf(segment);
      const source = tunnels.source(tunnel);
      const destination = tunnels.destination(tunnel);
      // Connections inside that go on have their other direction by another way, as where routers spread flows (ECMP).
      if (
        network.flows.heard(inner).oneWay > 0 &&
        tunnels.between(segment, source, destination).every((row) => tunnels.source(row) === source)
      )
        return false;
      const back = tunnels.between(segment, source, destination).filter((row) => tunnels.source(row) === destination);
      // Whoever sends single stations of ours something has heard them.
      if (back.some((row) => tunnels.inner(row) < 0 || tunnels.unicastFrames(row) > 0)) return false;
      const sends = back.length > 0;
      if (sends && wayBack(tunnel) < 0 && !back.some((row) => tunnels.vni(row) === tunnels.vni(tunnel))) return false;
      if (network.tunnelErrors.concerns(segment, source, destination)) return false;
      // A port beside the way is shown what a switch floods, as while it learns anew, and none of the answers.
      if (!sends && isAnsweredAtAnother(tunnel)) return false;
      // Silence is told of what lies back long enough to have been answered (catalogue 3.3).
      const questions = askedInVain(questionsBehind(network, inner, source), thresholds.requests).filter(
        (question) => question.first <= since && !isElsewhere(tunnel, question.target),
      );
      const routed = sends || questions.length > 0 ? null : silenceOf(tunnel);
      if (questions.length === 0 && !routed) return false;
      // Another endpoint may be the one that answers a question for all; then this one has nothing to say.
      const peers = peersOf(tunnel);
      // What is answered through the tunnel, and asked again and again, did not get the answer: the other way is open.
      const unheard = sends ? askedAgain(network, inner, destination, source) : [];
      if (!routed && unheard.length === 0 && (peers === null || peers > thresholds.endpoints)) return false;
      const deaf = deafDevice(tunnel);
      // A tagged question may be for a VLAN that nobody has there; an endpoint that sends may have nobody to answer.
      const isTagged = questions.length > 0 && questions.every((question) => question.segment !== inner);
      const isAlive = isHeardOtherwise(tunnel);
      // Of several endpoints that are asked, most have no reason to answer.
      const isOneWay = showsOneWay(captures[capture]);
      // An address that nobody has stays without an answer too.
      const isUnseen = !routed && questions.every((question) => isForUnseen(network, question));
      const isDoubtful = routed ? routed.targets.length < 2 && !isAlive : sends || isTagged || isUnseen || peers !== 1;
      const confidence = confidenceBy({
        certain: deaf !== null,
        likely: unheard.length > 0 || !(isDoubtful || isOneWay),
      });
      report(
        oneWayFinding(network, { tunnel, confidence, sends, questions, routed, unheard, deaf, isAlive, isOneWay }),
      );
      return true;
    }

    /** Whether the host context shows a target beside other VXLAN devices than the destination's: this endpoint has no reason to answer. */
    function isElsewhere(tunnel: number, target: Device | null): boolean {
      const { context } = network;
      const devices = target ? vxlanDevices(network, tunnels.destination(tunnel), tunnels.vni(tunnel)) : [];
      if (!context || !target || devices.length === 0) return false;
      const near = reach(context, target);
      return [...near].some(({ vxlan }) => vxlan) && !devices.some((device) => near.has(device));
    }

    /** Whether the endpoint sends frames for single stations back through the tunnel at another port of the capture. */
    function isAnsweredAtAnother(tunnel: number): boolean {
      const capture = segments.captureOf(tunnels.segment(tunnel));
      for (let row = 0; row < tunnels.count; row++)
        if (
          tunnels.source(row) === tunnels.destination(tunnel) &&
          tunnels.destination(row) === tunnels.source(tunnel) &&
          tunnels.vni(row) === tunnels.vni(tunnel) &&
          tunnels.unicastFrames(row) > 0 &&
          segments.captureOf(tunnels.segment(row)) === capture
        )
          return true;
      return false;
    }

    /** Whether the same is told of the tunnel at another port of the capture, as of a router or bridge that it passes. */
    function isToldElsewhere(tunnel: number): boolean {
      const capture = segments.captureOf(tunnels.segment(tunnel));
      const ends = `${tunnels.source(tunnel)} ${tunnels.destination(tunnel)}`;
      const name = `${capture} ${ends} ${tunnels.port(tunnel)} ${tunnels.vni(tunnel)}`;
      const first = filteredAt.get(name) ?? tunnel;
      if (filteredAt.size < MAX_ROUTED) filteredAt.set(name, first);
      return first !== tunnel;
    }

    /** What gets no answer in an overlay without ARP: frames for single stations behind an endpoint that never sends any VXLAN. */
    function silenceOf(tunnel: number): RoutedSilence | null {
      const lasts = (tunnels.last(tunnel) - tunnels.first(tunnel)) / 1e9;
      if (tunnels.frames(tunnel) < thresholds.routedFrames || lasts < thresholds.routedDuration) return null;
      return routedOf(tunnel);
    }

    function routedOf(tunnel: number): RoutedSilence | null {
      if (!looked.has(tunnel) && looked.size === MAX_ROUTED) return null;
      looked.add(tunnel);
      const since = network.now - thresholds.duration * 1e9;
      return routedSilence(network, tunnels.inner(tunnel), tunnels.destination(tunnel), thresholds.requests, since);
    }

    /** Whether the endpoint, which sends no VXLAN, sends other IP packets. */
    function isHeardOtherwise(tunnel: number): boolean {
      const { bindings } = network;
      const sent = bindings.of(tunnels.segment(tunnel), tunnels.destination(tunnel));
      return sent.some((row) => bindings.ttl(row) > 0);
    }

    /** How many endpoints the sender floods to in this VNI; null where another one answers. */
    function peersOf(tunnel: number): number | null {
      let peers = 0;
      for (let row = 0; row < tunnels.count; row++) {
        if (tunnels.inner(row) !== tunnels.inner(tunnel)) continue;
        if (tunnels.destination(row) === tunnels.source(tunnel) && tunnels.unicastFrames(row) > 0) return null;
        if (tunnels.source(row) === tunnels.source(tunnel)) peers++;
      }
      return peers;
    }

    /** The destination's VXLAN device, if the context shows that it is the right one and counted no packet. */
    function deafDevice(tunnel: number): Device | null {
      const devices = vxlanDevices(network, tunnels.destination(tunnel), tunnels.vni(tunnel)).filter(
        ({ vxlan, up }) => up && (vxlan?.port ?? tunnels.port(tunnel)) === tunnels.port(tunnel),
      );
      return devices.length === 1 && devices[0].counters?.rxPackets === 0 && arrives(network, tunnel)
        ? devices[0]
        : null;
    }

    /** Where no frame shows the tunnel that a question has to pass. */
    function tellBelow(row: number): void {
      const question = questionOf(network, row);
      const below = question.requests < thresholds.requests ? null : filteredBelow(network, question);
      if (below) report(below);
    }

    function excuse(row: number): void {
      withdraw(`below ${questionOf(network, row).key}`);
    }

    function wayBack(tunnel: number): number {
      const [from, to] = [tunnels.destination(tunnel), tunnels.source(tunnel)];
      return tunnels.find(tunnels.segment(tunnel), tunnels.port(tunnel), from, to, tunnels.vni(tunnel));
    }

    return {
      events: {
        unansweredInside: (inner) => tunnelsCarrying(network, inner).forEach(tell),
        unanswered: tellBelow,
        answered: excuse,
        // Something comes back.
        tunnelled: (tunnel) => withdraw(String(wayBack(tunnel))),
      },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
