import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

const demo = 'fixtures/demo/vepa.pcap';
const ethernet = 'fixtures/rules/arp/unanswered/host-off/capture.pcap';
const context = ['--context', 'fixtures/demo/context.json'];
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$/;

/** A finding as the contract shows it; more fields may be there. */
const FINDING = {
  rule: expect.stringMatching(/^[a-z0-9-]+\/[a-z0-9-]+$/),
  severity: expect.stringMatching(/^(error|warning|info)$/),
  confidence: expect.stringMatching(/^(certain|likely|hint)$/),
  title: expect.stringMatching(/^.+$/),
  summary: expect.stringMatching(/^.+$/),
  subject: expect.any(Object),
  segment: { capture: 0, interface: expect.anything(), vlans: expect.any(Array), vnis: expect.any(Array) },
  count: expect.any(Number),
  first: expect.stringMatching(ISO),
  last: expect.stringMatching(ISO),
  evidence: expect.any(Array),
  cause: expect.any(String),
  remedy: expect.any(Array),
  caveats: expect.any(Array),
  wouldRaise: expect.any(Array),
  fingerprint: expect.stringMatching(/^[0-9a-f]+$/),
};

const EVIDENCE = {
  capture: 0,
  frame: expect.any(Number),
  layer: expect.stringMatching(/^[a-z0-9]+$/),
  offset: expect.any(Number),
  length: expect.any(Number),
  note: expect.any(String),
};

describe('analyze --format json', () => {
  it('describes the capture', async () => {
    const { stdout, stderr } = await netdiag(['analyze', demo, '--format', 'json', '--fail-on', 'never']);
    expect(stderr).toBe('');
    // The frames are those that `tcpdump -ttnn -r` shows: three ARP requests in Linux cooked headers, 48 bytes each.
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'netdiag.findings/1',
      tool: { name: 'netdiag', version: manifest.version },
      captures: [
        {
          name: demo,
          format: 'pcap',
          compression: null,
          interfaces: [{ name: null, linkType: 'LINUX_SLL2', snapLength: expect.any(Number) }],
          frames: 3,
          bytes: 144,
          first: expect.stringMatching(ISO),
          last: expect.stringMatching(ISO),
          complete: true,
          problems: [],
          dropped: null,
          directions: 'all',
          undecoded: {},
        },
      ],
      findings: expect.any(Array),
      summary: { error: expect.any(Number), warning: expect.any(Number), info: expect.any(Number) },
    });
  });

  it('describes findings', async () => {
    const { stdout } = await netdiag(['analyze', demo, ...context, '--format', 'json']);
    const { findings, summary } = JSON.parse(stdout);
    expect(findings).not.toEqual([]);
    for (const finding of findings) {
      expect(finding).toMatchObject(FINDING);
      expect(finding.evidence).not.toEqual([]);
      for (const evidence of finding.evidence) expect(evidence).toEqual(EVIDENCE);
      for (const remedy of finding.remedy) {
        expect(remedy).toEqual({ text: expect.any(String), commands: expect.any(Array) });
      }
    }
    for (const severity of ['error', 'warning', 'info']) {
      const count = findings.filter((finding: { severity: string }) => finding.severity === severity).length;
      expect(summary[severity]).toBe(count);
    }
  });

  it('knows one fault by the same fingerprint in every run', async () => {
    const run = () => netdiag(['analyze', demo, ...context, '--format', 'json']);
    const [first, second] = await Promise.all([run(), run()]);
    expect(second.stdout).toBe(first.stdout);
  });

  it('numbers several captures in the order given', async () => {
    const { stdout } = await netdiag(['analyze', demo, 'fixtures/hostile/nsec.pcap', '--format', 'json']);
    const { captures } = JSON.parse(stdout);
    expect(captures.map(({ name }: { name: string }) => name)).toEqual([demo, 'fixtures/hostile/nsec.pcap']);
  });

  it('names the interface where the user says what it is', async () => {
    const args = ['analyze', ethernet, '--vantage', 'host/ens34', '--format', 'json'];
    const { captures, findings } = JSON.parse((await netdiag(args)).stdout);
    expect(captures[0].interfaces[0].name).toBe('ens34');
    expect(findings.map(({ segment }: { segment: { interface: string } }) => segment.interface)).toEqual(['ens34']);
  });
});

describe('analyze --format ndjson', () => {
  it('is the same findings, a line each, and a summary', async () => {
    const args = ['analyze', demo, ...context];
    const [ndjson, json] = await Promise.all([
      netdiag([...args, '--format', 'ndjson']),
      netdiag([...args, '--format', 'json']),
    ]);
    const { findings, ...rest } = JSON.parse(json.stdout);
    const lines = ndjson.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      ...findings.map((finding: object) => ({ type: 'finding', ...finding })),
      { type: 'summary', ...rest },
    ]);
  });
});
