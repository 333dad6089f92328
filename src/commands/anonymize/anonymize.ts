import type { AnalyzeOptions } from '../../analyze.js';
import type { Finding } from '../../findings/finding.js';
import { parseContext } from '../../network/context/parse.js';
import { decode, udpPortTable } from '../../wire/decode.js';
import { Frame } from '../../wire/frame.js';
import { UserError } from '../errors.js';
import { analysisOfBytes, commentsOf, commentsOfSection, type Evidence, sameFindings } from '../evidence/evidence.js';
import { type KeptFrame, type Recorded, writeRecorded } from '../evidence/recorded.js';
import { AddressMap, type Mapping } from './mapping.js';
import { anonymizedFrame } from './packet.js';
import { WordMap } from './words.js';

/** Evidence without what tells whose network it is, and what belongs to it. */
export interface Anonymized extends Evidence {
  /** The host context, mapped; null if there was none. */
  readonly context: unknown;
  /** The options under which the evidence gives the same findings. */
  readonly options: AnalyzeOptions;
}

/**
 * Maps addresses and names in frames, interfaces, host context and vantage, and drops payloads.
 * @param how the same key maps equally
 * @throws UserError if the findings are not the same afterwards but for addresses
 */
export async function anonymized(
  evidence: Evidence,
  context: unknown,
  options: AnalyzeOptions,
  how: Mapping,
): Promise<Anonymized> {
  const addresses = new AddressMap(how);
  const words = new WordMap(addresses);
  const { recorded, analysis: before } = evidence;
  for (const { name } of recorded.interfaces.flat()) words.learn(name);
  words.learn(options.vantage?.namespace);
  words.learn(options.vantage?.interface);
  words.learnContext(context);
  const mappedContext = context === null ? null : words.json(context);
  const vantage = options.vantage && {
    namespace: words.word(options.vantage.namespace),
    interface: words.word(options.vantage.interface),
  };
  const mapped: Recorded = {
    frames: evidence.order.map((frame) => ({ ...frame, bytes: mappedBytes(frame, addresses, options) })),
    interfaces: recorded.interfaces.map((each) =>
      each.map((one) => ({ ...one, name: one.name === null ? null : words.word(one.name), description: null })),
    ),
  };
  const { filter, ...unfiltered } = options;
  const mappedOptions: AnalyzeOptions = {
    ...unfiltered,
    suppressions: options.suppressions?.map((each) => ({ ...each, subject: words.subject(each.subject ?? {}) })),
    vantage,
    context: mappedContext === null ? null : parseContext(mappedContext),
  };
  const bare = writeRecorded(mapped, new Map(), []);
  const after = await analysisOfBytes([bare.bytes], mappedOptions);
  if (!isSame(before.findings, after.findings, words)) {
    throw new UserError(
      '--anonymize',
      'the findings would not be the same afterwards; nothing was written',
      'leave --anonymize away, or report this as a bug of netdiag',
    );
  }
  const comments = commentsOf(after.findings);
  const byPlace = new Map(
    bare.order.map(({ capture, number }, i) => [`${capture} ${number}`, comments.get(`0 ${i + 1}`) ?? []]),
  );
  const nameless = {
    ...after,
    captures: after.captures.map((each) => ({ ...each, name: 'an anonymized capture' })),
  };
  const about = commentsOfSection(nameless, mappedContext, mappedOptions);
  const { bytes, order } = writeRecorded(mapped, byPlace, about);
  return { bytes, order, recorded: mapped, analysis: after, context: mappedContext, options: mappedOptions };
}

function isSame(before: readonly Finding[], after: readonly Finding[], words: WordMap): boolean {
  const place = ({ frame }: Finding['evidence'][number]) => String(frame);
  return sameFindings(before, after, place, place, (each) => words.subject(each));
}

function mappedBytes(kept: KeptFrame, addresses: AddressMap, { vxlanPorts }: AnalyzeOptions): Uint8Array {
  const frame = new Frame();
  frame.udpPorts = udpPortTable(vxlanPorts);
  frame.useBuffer(kept.bytes);
  frame.start = 0;
  frame.end = kept.bytes.length;
  frame.wireLength = kept.wireLength;
  frame.linkType = kept.linkType;
  decode(frame);
  return anonymizedFrame(frame, addresses);
}
