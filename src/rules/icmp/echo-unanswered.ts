import { onHost } from '../parts/device-argument.js';
import { filteredByTarget } from '../parts/firewalls/filtered-target.js';
import { fullAtTarget } from '../parts/full-table.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { isBroadcast } from '../parts/pings/broadcast.js';
import { type Ping, pingOf } from '../parts/pings/ping.js';
import { label } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import { lostPing } from '../parts/vanished/pings.js';
import type { Rule } from '../rule.js';
import { connectionsGoOn } from './parts/connections-go-on.js';
import { droppedReplies } from './parts/dropped-replies.js';
import { doubtsAbout } from './parts/echo-doubts.js';
import { ignoresEcho } from './parts/ignores-echo.js';
import { singlePings } from './parts/single-pings.js';

/** Pings without reply (catalogue 3.6). */
export const echoUnanswered: Rule = {
  meta: {
    id: 'icmp/echo-unanswered',
    severity: 'warning',
    summary: 'Pings leave and no reply comes back',
    catalogue: '',
    silence: true,
    thresholds: {
      gap: {
        value: 5,
        unit: 'lost pings in a row from which on a gap is told although replies come again',
        source: 'a VRRP takeover takes 3 to 4 s (catalogue 2), of as many pings',
      },
      patience: setting('pingPatience'),
    },
  },
  create(context) {
    const { network, captures, report, withdraw, thresholds } = context;
    const { pingAnswered, captureEnd } = droppedReplies(context);

    /** `isPerhapsTrial`: nothing shows that the target was ever there. */
    function tell(ping: Ping, isPerhapsTrial = false): void {
      const { from, to, unanswered, replies, segment, capture, first, last } = ping;
      if (isBroadcast(network, ping)) return;
      // A child in mode l3s is shown what it sends and not what it gets (catalogue K11).
      if (network.vantage?.mode === 'l3s') return;
      // Short gaps that passed: a standby took over, or a route changed.
      if (ping.passed > 0 && unanswered < thresholds.gap * ping.passed) {
        withdraw(ping.key);
        return;
      }
      const goOn = connectionsGoOn(network, ping);
      const doubts = doubtsAbout(network, ping, captures[capture], { isPerhapsTrial, isBothWays: goOn !== null });
      const lost = lostPing(network, ping.row);
      const filtered =
        filteredByTarget(network, lost) ??
        ignoresEcho(network, lost) ??
        fullAtTarget(network, replies > 0 ? null : lost);
      // Of an address on a device that is down the kernel knows nothing any more.
      const down = filtered || replies > 0 ? null : downHolder(network, network.pings.destination(ping.row));
      const others = filtered || down ? null : goOn;
      report({
        key: ping.key,
        segment,
        capture,
        count: unanswered,
        tries: unanswered + replies,
        first,
        last,
        confidence: filtered?.confidence ?? doubts.confidence,
        title: `${titleOf(ping)}${replies === 0 ? (filtered?.clause ?? others?.clause ?? '') : ''}`,
        summary:
          `${unanswered} echo requests from ${from} to ${to} are in this capture without a reply` +
          (replies === 0 ? '.' : `; ${replies === 1 ? 'one other was' : `${replies} others were`} answered.`) +
          (ping.mac ? ` The latest went to ${ping.mac}.` : '') +
          ' No ICMP error about them is here either.',
        subject: { source: from, destination: to },
        evidence: ping.evidence,
        trail: {
          of: 'pings',
          rows: [ping.row],
          title: titleOf(ping),
          asker: from,
          target: to,
          watch: watchFilter(ping),
          cures: filtered?.remedy ?? setUp(down),
        },
        cause:
          filtered?.cause ??
          (down ? `${label(down)} is down, by which ${to} hangs on the network.` : null) ??
          others?.cause ??
          `The requests are lost on the way to ${to}, ${to} does not answer, or its replies are lost or take another way: from this place the three look alike.`,
        remedy: filtered?.remedy ??
          others?.remedy ?? [
            ...setUp(down),
            {
              text: 'See which way each end sends to the other',
              commands: [onHost(network, from, `ip route get ${to}`), onHost(network, to, `ip route get ${from}`)],
            },
            {
              text: `See whether the requests arrive, on the machine of ${to}`,
              commands: [onHost(network, to, `tcpdump -eni any '${watchFilter(ping)}'`)],
            },
          ],
        caveats: filtered?.caveats ?? doubts.caveats,
        wouldRaise: filtered?.wouldRaise ?? [`a capture at ${to}: do the requests arrive, and does a reply leave?`],
        context: filtered?.context ?? (down ? [`${label(down)}: down`] : []),
      });
    }

    return {
      captureEnd(capture) {
        captureEnd(capture);
        for (const { ping, wasAnswered } of singlePings(network, capture, thresholds.patience * 1e9))
          tell(ping, !wasAnswered);
      },
      events: {
        pingAnswered,
        pingLost(row) {
          const ping = pingOf(network, row);
          if (ping) tell(ping);
          else withdraw(String(row));
        },
      },
    };
  },
};

function titleOf({ from, to, replies, unanswered }: Ping): string {
  return replies === 0
    ? `${from} pings ${to} and gets no reply`
    : `${unanswered} pings from ${from} to ${to} get no reply`;
}

function watchFilter({ from, isIpv4 }: Ping): string {
  return `${isIpv4 ? 'icmp' : 'icmp6'} and host ${from}`;
}
