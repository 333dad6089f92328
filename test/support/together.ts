import { Readable } from 'node:stream';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import type { Finding } from '../../src/findings/finding.js';
import type { Capture } from './wire.js';

/** What the program says of captures by these names, in one run. */
export async function together(captures: Readonly<Record<string, Capture>>): Promise<Finding[]> {
  const analyzer = new Analyzer();
  for (const [name, capture] of Object.entries(captures)) {
    const source = await openCapture('-', { stdin: Readable.from([capture.file()]) });
    await analyzer.read(Object.assign(source, { info: { ...source.info, name } }));
  }
  return analyzer.analysis().findings;
}

/** Those of one rule. */
export function ofRule(findings: readonly Finding[], rule: string): Finding[] {
  return findings.filter((finding) => finding.rule === rule);
}
