import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import type { Confidence, RuleId, Subject } from '../../src/rules/rule.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One finding as a person expects it, having read the frames. */
export interface ExpectedFinding {
  rule: RuleId;
  confidence: Confidence;
  /** All frames that the evidence names, ascending. */
  frames: number[];
  subject: Subject;
}

/** `expect.json` of a case; fixtures/README.md describes it. */
export interface Expectation {
  origin: string;
  kind: 'fault' | 'near-miss';
  vantage?: string;
  findings: ExpectedFinding[];
}

/** One folder `fixtures/rules/<group>/<name>/<case>`. */
export interface FixtureCase {
  rule: RuleId;
  name: string;
  folder: string;
}

/** All cases of all rules, or of one. */
export function fixtureCases(rule?: RuleId): FixtureCase[] {
  const base = join(root, 'fixtures/rules');
  const rules =
    rule === undefined ? folders(base).flatMap((g) => folders(join(base, g)).map((n) => `${g}/${n}`)) : [rule];
  return rules.flatMap((id) =>
    folders(join(base, id)).map((name) => ({ rule: id as RuleId, name, folder: join(base, id, name) })),
  );
}

/** The capture of a case. */
export function captureOf({ folder }: FixtureCase): string {
  const captures = readdirSync(folder).filter((file) => /^capture\.pcap(ng)?(\.gz|\.zst)?$/.test(file));
  expect(captures, `${folder} holds one capture.pcap or capture.pcapng`).toHaveLength(1);
  return join(folder, captures[0]);
}

/** The expectation of a case, checked for its form. */
export function expectationOf({ folder }: FixtureCase): Expectation {
  const expectation = readJson(join(folder, 'expect.json'));
  const form = `form of ${folder}/expect.json`;
  const { vantage, ...rest } = expectation;
  expect(rest, form).toEqual({ origin: expect.any(String), kind: expect.any(String), findings: expect.any(Array) });
  expect(rest.origin, form).not.toBe('');
  expect(['fault', 'near-miss'], form).toContain(rest.kind);
  if (vantage !== undefined) expect(vantage, form).toMatch(/^[^/]+\/[^/]+$/);
  for (const finding of rest.findings) {
    expect(finding, form).toEqual({
      rule: expect.stringMatching(/^[a-z0-9]+\/[a-z0-9-]+$/),
      confidence: expect.stringMatching(/^(certain|likely|hint)$/),
      frames: expect.any(Array),
      subject: expect.any(Object),
    });
  }
  return expectation;
}

/** The host context of a case, if it has one. */
export function contextOf({ folder }: FixtureCase): HostContext | null {
  const path = join(folder, 'context.json');
  return existsSync(path) ? parseContext(readJson(path)) : null;
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function folders(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
