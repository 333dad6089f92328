import { printable } from '../../wire/printable.js';
import type { Remedy, Rule } from '../rule.js';
import { ofCapture } from './parts/whole.js';

const DAMAGED: readonly Remedy[] = [
  {
    text: 'Let tcpdump write each packet at once and end it with Ctrl-C',
    commands: ['tcpdump -U -i any -w again.pcap'],
  },
  { text: 'Compare the copy with the original', commands: ['sha256sum <original> <copy>'] },
];

/** The file is cut or damaged: what could be read was analysed. */
export const damagedFile: Rule = {
  meta: {
    id: 'capture/damaged-file',
    severity: 'warning',
    summary: 'The capture file is cut or damaged; what could be read was analysed',
    catalogue: '',
  },
  create(context) {
    return {
      captureEnd(capture) {
        const { info, frames } = context.captures[capture];
        const [first] = info.problems;
        // Without a problem it was the user who ended the reading.
        if (info.complete || first === undefined) return;
        const { name, ...whole } = ofCapture(context, capture);
        const isText = info.format === 'text';
        const rest = isText ? 'The rest was not read' : `The rest could not be read at byte ${first.offset}`;
        context.report({
          ...whole,
          confidence: 'certain',
          title: 'The capture could be read only in part',
          summary: `${frames === 1 ? '1 frame of' : `${frames} frames of`} ${name} ${frames === 1 ? 'was' : 'were'} read and analysed. ${rest}: ${printable(first.message)}. What happened there is not known.`,
          // The other remarks on a text are about what it tells of its packets.
          count: isText ? 1 : info.problems.length,
          evidence: [],
          cause: isText
            ? 'Text is meant for what people paste, and this is longer.'
            : 'The capture was stopped hard (kill -9, a full disk), copied while it grew, or changed in transfer.',
          remedy: isText
            ? [{ text: 'Give the capture itself', commands: ['tcpdump -U -i any -w again.pcap'] }]
            : DAMAGED,
          caveats: ['silence behind the damage proves nothing'],
        });
      },
    };
  },
};
