import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type StatedFinding, stated } from '../../findings/compare.js';
import type { Finding } from '../../findings/finding.js';
import { UserError } from '../errors.js';
import { readJson } from '../json-file.js';
import { writeWhole } from '../output-file.js';

const CAPTURE = /\.(pcap|pcapng|cap)(\.gz|\.zst)?$/;

/** A capture and what belongs to it. */
export interface Fixture {
  readonly capture: string;
  /** As the user would name it. */
  readonly name: string;
  /** Where its expectation is, or would be. */
  readonly expectation: string;
  readonly context: string | null;
}

/** What stands in `x.expect.json`; other keys are the user's own and stay. */
export interface Expectation {
  readonly vantage?: string;
  readonly findings: readonly StatedFinding[];
  readonly [key: string]: unknown;
}

/**
 * The captures in these folders, at any depth, and the captures named themselves, in the order of their names.
 * @throws UserError if something does not exist or a folder holds none
 */
export function fixturesOf(paths: readonly string[], cwd: string): Fixture[] {
  return paths.flatMap((path) => {
    if (path === '-') throw new UserError(path, 'has no expectation beside it', 'save it to a file first');
    const full = resolve(cwd, path);
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats === undefined) throw new UserError(path, 'no such file or folder', 'check the path');
    if (!stats.isDirectory()) return [fixtureOf(full, cwd)];
    const captures = capturesBelow(full);
    if (captures.length === 0)
      throw new UserError(path, 'holds no captures', 'they end in .pcap, .pcapng or .cap, .gz or .zst behind');
    return captures.map((capture) => fixtureOf(capture, cwd));
  });
}

function capturesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === '.git' ? [] : capturesBelow(path);
      return CAPTURE.test(entry.name) ? [path] : [];
    });
}

/** Beside `x.pcap` lie `x.expect.json` and `x.context.json`; in a folder of its own, `expect.json` and `context.json`. */
function fixtureOf(capture: string, cwd: string): Fixture {
  const stem = capture.replace(CAPTURE, '');
  const beside = (kind: string) => {
    const own = `${stem}.${kind}.json`;
    const folders = join(dirname(capture), `${kind}.json`);
    return !existsSync(own) && existsSync(folders) ? folders : own;
  };
  const context = beside('context');
  return {
    capture,
    name: relative(cwd, capture).startsWith('..') ? capture : relative(cwd, capture) || basename(capture),
    expectation: beside('expect'),
    context: existsSync(context) ? context : null,
  };
}

/**
 * The expectation of a capture, null if there is none yet.
 * @throws UserError if it is none
 */
export function readExpectation({ expectation: file }: Fixture): Expectation | null {
  if (!existsSync(file)) return null;
  const json = readJson(file, file) as Partial<Expectation> | null;
  if (typeof json !== 'object' || json === null || !Array.isArray(json.findings)) {
    throw new UserError(file, 'not an expectation', 'write {"findings": [{"rule": …, "frames": […], "subject": {…}}]}');
  }
  for (const [i, each] of json.findings.entries()) {
    if (isStated(each)) continue;
    throw new UserError(`${file}: findings[${i}]`, 'not a finding', 'it needs "rule", "frames" and "subject"');
  }
  if (json.vantage !== undefined && typeof json.vantage !== 'string') {
    throw new UserError(`${file}: vantage`, 'not text', 'write "<namespace>/<interface>"');
  }
  return json as Expectation;
}

function isStated(value: unknown): value is StatedFinding {
  if (typeof value !== 'object' || value === null) return false;
  const { rule, confidence, frames, subject } = value as Partial<StatedFinding>;
  return (
    typeof rule === 'string' &&
    (confidence === undefined || typeof confidence === 'string') &&
    Array.isArray(frames) &&
    frames.every(Number.isInteger) &&
    typeof subject === 'object' &&
    subject !== null
  );
}

/** Writes down what was found; what else stands in the file stays. */
export function writeExpectation({ expectation }: Fixture, earlier: Expectation | null, findings: readonly Finding[]) {
  writeWhole(expectation, `${JSON.stringify({ ...earlier, findings: findings.map(stated) }, null, 2)}\n`);
}
