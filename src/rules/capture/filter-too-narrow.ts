import { Claim } from '../../network/neighbors/bindings.js';
import { printable } from '../../wire/printable.js';
import type { Rule } from '../rule.js';
import { ofCapture, onDevice } from './parts/whole.js';

/** Questions that are counted. */
const MAX_COUNTED = 64;

/** A capture filter left out what rules need (catalogue K12). */
export const filterTooNarrow: Rule = {
  meta: {
    id: 'capture/filter-too-narrow',
    severity: 'info',
    summary: 'A capture filter left packets out: what is missing proves nothing',
    catalogue: 'K12',
    thresholds: {
      hosts: {
        value: 3,
        unit: 'questions that are answered while no IP packet follows',
        source: 'one or two may be a tool that only asks',
      },
      grace: {
        value: 1,
        unit: 'seconds that the capture goes on after such an answer',
        source: 'a host that has its answer sends what waited for it at once',
      },
    },
  },
  create(context) {
    const { network, captures, report, thresholds } = context;

    /** Questions of this capture that were answered, while no IP packet at all is in it. */
    function answeredForNothing(capture: number): number {
      const { bindings, resolutions, segments, addresses } = network;
      for (let row = 0; row < bindings.count; row++)
        if ((bindings.claims(row) & Claim.Source) !== 0 && segments.captureOf(bindings.segment(row)) === capture)
          return 0;
      const answered = new Set<string>();
      for (let row = 0; row < resolutions.count && answered.size < MAX_COUNTED; row++) {
        if (segments.captureOf(resolutions.segment(row)) !== capture || !addresses.isIpv4(resolutions.tpa(row)))
          continue;
        const answer = resolutions.lastAnswer(row);
        const isAnswered = answer > Number.NEGATIVE_INFINITY && resolutions.last(row) > Number.NEGATIVE_INFINITY;
        // A capture on all devices holds the same question once for each of them.
        if (isAnswered && resolutions.run(row) === 0 && captures[capture].last - answer >= thresholds.grace * 1e9)
          answered.add([resolutions.hi(row), resolutions.lo(row), resolutions.spa(row), resolutions.tpa(row)].join());
      }
      return answered.size;
    }

    return {
      captureEnd(capture) {
        const { info, frames } = captures[capture];
        if (frames === 0) return;
        const { name, ...whole } = ofCapture(context, capture);
        const said = [...new Set(info.interfaces.map(({ filter }) => filter ?? '').filter((filter) => filter !== ''))];
        const count = said.length > 0 ? frames : answeredForNothing(capture);
        if (said.length === 0 && count < thresholds.hosts) return;
        const expression = said
          .slice(0, 4)
          .map((filter) => `"${printable(filter)}"`)
          .join(', ');
        report({
          ...whole,
          confidence: said.length > 0 ? 'certain' : 'likely',
          title:
            said.length > 0
              ? `Captured with the filter ${expression}: the rest of the traffic is not here`
              : 'Only ARP is in the capture, though hosts get answers: a filter left IP packets out',
          summary:
            said.length > 0
              ? `${name} holds only what the filter ${expression} let through. Rules about anything else cannot speak, and what is missing may have been left out.`
              : `In ${name} ${count} questions are answered, and not one IP packet follows. Rules about IP, ICMP, DHCP, TCP, VXLAN and sizes have nothing to look at here.`,
          count,
          evidence: [],
          cause:
            said.length > 0
              ? 'The filter of the capture.'
              : 'A capture with the filter "arp", or tools that only ask by ARP (arping, a scanner).',
          remedy: [
            {
              text: 'Capture all, or at least what belongs together',
              commands: ['', " 'arp or icmp or icmp6 or host <address>'"].map((filter) =>
                onDevice(context, capture, (device) => `tcpdump -i ${device} -w again.pcap${filter}`),
              ),
            },
          ],
          wouldRaise: said.length > 0 ? [] : ['the command with which it was captured'],
        });
      },
    };
  },
};
