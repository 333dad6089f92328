import type { Analysis, Finding } from '../findings/finding.js';
import { findingLines } from './text/finding.js';
import { Layout } from './text/layout.js';
import { element, xmlText } from './xml.js';

/** One suite, and what happened in it. */
export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  readonly name: string;
  readonly className: string;
  /** Null: passed. */
  readonly failure: { readonly message: string; readonly type: string; readonly text: string } | null;
  readonly output?: string;
}

/**
 * JUnit's XML as the Ant task wrote it first and all CI servers read it: `testsuites` with a `testsuite` each, `testcase`
 * with `failure` inside.
 */
export function junit(suites: readonly JunitSuite[]): string {
  const all = suites.map((suite) => {
    const failures = suite.cases.filter(({ failure }) => failure !== null).length;
    const counts = { name: suite.name, tests: suite.cases.length, failures, errors: 0, skipped: 0 };
    return { ...counts, xml: `\n${element('testsuite', counts, ...suite.cases.map(caseXml), '\n')}` };
  });
  const sum = (key: 'tests' | 'failures') => all.reduce((total, each) => total + each[key], 0);
  const counts = { name: 'netdiag', tests: sum('tests'), failures: sum('failures'), errors: 0 };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', counts, ...all.map(({ xml }) => xml), '\n')}\n`;
}

function caseXml({ name, className, failure, output }: JunitCase): string {
  const inside = [
    ...(failure === null
      ? []
      : [`\n${element('failure', { message: failure.message, type: failure.type }, xmlText(failure.text))}`]),
    ...(output === undefined ? [] : [`\n${element('system-out', {}, xmlText(output))}`]),
  ];
  return `\n${element('testcase', { name, classname: className }, ...inside, ...(inside.length > 0 ? ['\n'] : []))}`;
}

/** `--format junit`: a suite for each capture; errors and warnings that are no hints fail, all else passes and is told. */
export function reportJunit({ captures, findings }: Analysis): string {
  const layout = new Layout(100, false);
  return junit(
    captures.map((capture, index) => {
      const own = findings.filter(({ segment }) => segment.capture === index);
      const cases = own.map((finding) => {
        const text = findingLines(finding, captures, layout, true).join('\n');
        const named = { name: finding.title, className: finding.rule };
        return isFailure(finding)
          ? { ...named, failure: { message: finding.title, type: finding.severity, text } }
          : { ...named, failure: null, output: text };
      });
      const none: JunitCase = { name: 'nothing found', className: 'netdiag', failure: null };
      return { name: capture.name, cases: cases.length === 0 ? [none] : cases };
    }),
  );
}

function isFailure({ severity, confidence }: Finding): boolean {
  return severity !== 'info' && confidence !== 'hint';
}
