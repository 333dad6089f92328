import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { Analysis, CaptureReport } from '../../src/findings/finding.js';
import { reportGithub } from '../../src/report/github.js';
import { reportJunit } from '../../src/report/junit.js';
import { FORMATS } from '../../src/report/reporter.js';
import { reportSarif } from '../../src/report/sarif.js';
import { analysis, captureReport, finding } from '../support/diagnosis.js';
import { fixtureCases, root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';
import { sarif } from '../support/sarif.js';

const demo = 'fixtures/demo/vepa.pcap';
const ownPcapng = fixtureCases()
  .map(({ folder }) => relative(root, join(folder, 'capture.pcapng')))
  .filter((file) => existsSync(join(root, file)));
const look = { width: 100, color: false, detail: 'normal' } as const;

/** Text from a capture that means something to each of the formats. */
const HOSTILE =
  '</pre><script>alert(1)</script> ]]> &amp; "q" | `x` [a](http://e) ::error::x %0A \u001b[31m\u0000 @all #1';

const hostile = analysis({
  captures: [captureReport({ name: 'a b:,%é.pcap' })],
  findings: [
    finding({
      severity: 'error',
      title: HOSTILE,
      summary: HOSTILE,
      cause: HOSTILE,
      picture: [HOSTILE, '````'],
      context: [HOSTILE],
      evidence: [{ capture: 0, frame: 1, layer: 'arp', offset: 14, length: 28, note: HOSTILE }],
      remedy: [{ text: HOSTILE, commands: ['ip link'] }],
    }),
    finding({ severity: 'warning', confidence: 'hint', title: 'weak' }),
  ],
});

describe('sarif', () => {
  it('is valid, with regions that are the bytes which prove, in every form of file', { timeout: 180_000 }, async () => {
    for (const file of [
      demo,
      'fixtures/formats/simple-packets.pcapng',
      'fixtures/formats/sections-be.pcapng',
      ...ownPcapng,
    ]) {
      const { stdout } = await netdiag(['analyze', file, '--format', 'sarif']);
      const run = sarif(stdout);
      const bytes = readFileSync(join(root, file));
      const frames = (await netdiag(['frames', file, '--format', 'ndjson'])).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      for (const { locations } of run.results) {
        for (const { physicalLocation, logicalLocations } of locations) {
          if (logicalLocations === undefined) continue;
          const frame = frames[Number(logicalLocations[0].name.slice(6)) - 1];
          const { byteOffset, byteLength } = physicalLocation.region;
          expect(byteOffset + byteLength).toBeLessThanOrEqual(bytes.length);
          const arp = frame.layers.find(({ protocol }: { protocol: string }) => protocol === 'arp');
          // An ARP proof is its ARP header: hardware type 1, protocol type IPv4.
          if (arp !== undefined && byteLength === 28) expect(bytes.readUInt32BE(byteOffset)).toBe(0x00010800);
        }
      }
    }
  });

  it('is valid whatever the text, and identifies findings', () => {
    const { results } = sarif(reportSarif(hostile, look));
    expect(results[0].partialFingerprints).toEqual({ 'netdiagFinding/v1': '0123456789abcdef' });
    expect(results.map(({ level }: { level: string }) => level)).toEqual(['error', 'warning']);
    expect(results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('a%20b%3A%2C%25%C3%A9.pcap');
  });

  it('tells damage', () => {
    const capture = captureReport({ complete: false, problems: [{ offset: 7, message: 'cut' }] });
    const { invocations } = sarif(reportSarif(analysis({ captures: [capture] }), look));
    expect(invocations[0].executionSuccessful).toBe(false);
    expect(invocations[0].toolExecutionNotifications[0].message.text).toBe('at byte 7: cut');
    const text = sarif(reportSarif(analysis({ captures: [{ ...capture, format: 'text' }] }), look));
    expect(text.invocations[0].toolExecutionNotifications[0].message.text).toBe('cut');
  });
});

describe('junit', () => {
  const parse = (xml: string) => {
    expect(XMLValidator.validate(xml)).toBe(true);
    return new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '',
      isArray: (name) => ['testsuites', 'testsuite', 'testcase'].includes(name),
    }).parse(xml);
  };

  it('fails for what makes the exit status, and tells the rest', () => {
    const [suites] = parse(reportJunit(hostile)).testsuites;
    expect([suites.tests, suites.failures]).toEqual(['2', '1']);
    const [suite] = suites.testsuite;
    expect([suite.name, suite.tests, suite.failures, suite.errors]).toEqual(['a b:,%é.pcap', '2', '1', '0']);
    expect(suite.testcase[0].failure.type).toBe('error');
    expect(suite.testcase[1].failure).toBeUndefined();
    expect(suite.testcase[1]['system-out']).toContain('weak');
  });

  it('passes where nothing was found', () => {
    const [suites] = parse(reportJunit(analysis())).testsuites;
    expect([suites.tests, suites.failures]).toEqual(['1', '0']);
  });
});

describe('github', () => {
  it('writes one command a finding, whose text cannot end it or begin another', () => {
    const lines = reportGithub(hostile).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^::error file=a b%3A%2C%25é\.pcap,title=[^:,]*::/);
    expect(lines[0]).toContain('%250A');
  });
});

describe('markdown and html', () => {
  it('hold no markup from captures', async () => {
    const { reportMarkdown, reportHtml } = await import('../../src/report/document/report.js');
    const text = reportMarkdown(hostile, look);
    // Outside of fences every character that means something is escaped.
    const prose = text.replace(/^(`{3,})[\s\S]*?^\1$/gm, '');
    expect(prose).not.toMatch(/<script|@all|\[a\]\(|[^\\]`x/);
    expect(text).toMatch(/^`````text$/m);
    const page = reportHtml(hostile, look);
    expect(page).not.toContain('<script');
    expect(page).not.toMatch(/(src|href)=|url\(|@import/);
    expect(page).toContain('prefers-color-scheme: dark');
  });

  it('name one capture in a line, several in a table, and what is wrong with each in a line of its own', async () => {
    const { reportMarkdown } = await import('../../src/report/document/report.js');
    const cut = captureReport({
      name: 'cut.pcap',
      complete: false,
      problems: [{ offset: 4096, message: `cut${' x'.repeat(90)}` }],
    });
    const told = (...captures: CaptureReport[]) =>
      reportMarkdown({ ...hostile, findings: [], captures }, look)
        .split('\n')
        .slice(2);
    const [line, trouble, end] = told(cut);
    expect(line).toBe(
      '- cut.pcap · pcap, Ethernet · 3 frames in 2.05 s from 2026-01-02 03:04:05.000 UTC · directions unknown',
    );
    expect(trouble).toMatch(/^- at byte 4,096: cut( x)+$/);
    expect(end).toBe('');
    expect(told(captureReport(), cut).slice(0, 6)).toEqual([
      '| capture | format | frames | time | directions | lost |',
      '| --- | --- | --- | --- | --- | --- |',
      '| a.pcap | pcap, Ethernet | 3 | 2.05 s | unknown |  |',
      '| cut.pcap | pcap, Ethernet | 3 | 2.05 s | unknown |  |',
      '',
      expect.stringMatching(/^- cut\.pcap: at byte 4,096: cut( x)+$/),
    ]);
  });

  it('are headed by the worst finding, or by why there is none', async () => {
    const { reportMarkdown } = await import('../../src/report/document/report.js');
    const heading = (given: Partial<Analysis>) => reportMarkdown(analysis(given), look).split('\n')[0];
    expect(heading({ findings: [finding({ title: 'a loop' })] })).toBe('# a loop');
    expect(heading({ captures: [captureReport()] })).toBe('# Nothing found');
    expect(heading({ captures: [captureReport()], hidden: 1 })).toBe('# No finding to show');
    expect(heading({ captures: [captureReport({ protocols: {} })] })).toBe('# Nothing could be examined');
  });

  it('show the proving frames and the cure', async () => {
    const { stdout } = await netdiag([
      'analyze',
      demo,
      '--context',
      'fixtures/demo/context.json',
      '--format',
      'markdown',
    ]);
    expect(stdout).toContain('who-has 172.16.91.102 tell 172.16.91.101');
    expect(stdout).toContain('ip netns exec ns01 ip link set macvlan1 type macvlan mode bridge');
    expect(stdout).toContain('```sh');
  });
});

describe.each(FORMATS)('%s', (format) => {
  it('reports standard input, ends with a line end, and writes no control characters', async () => {
    const input = readFileSync(join(root, demo));
    const { stdout, status } = await netdiag(['analyze', '-', '--format', format, '--fail-on', 'never'], { input });
    expect(status).toBe(0);
    expect(stdout.endsWith('\n')).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the question
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });
});
