import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Suppression } from '../findings/filter.js';
import { SEVERITIES } from '../findings/rank.js';
import type { RuleId, Severity } from '../rules/rule.js';
import { oneOf, portsOf, shown } from './arguments.js';
import { UserError } from './errors.js';
import { readJson } from './json-file.js';
import { ruleNamed, rulesNamed } from './rule-names.js';

const FILE_NAME = 'netdiag.config.json';

/** What a project has settled once for all runs; all keys may be missing in the file. */
export interface Config {
  select: string[];
  ignore: string[];
  /** Severities instead of the rules' own. */
  severity: Partial<Record<RuleId, Severity>>;
  /** Thresholds instead of the rules' own. */
  thresholds: Record<RuleId, Record<string, number>>;
  vxlanPorts: number[];
  /** Known faults that are not to be told, each with its reason. */
  suppressions: Suppression[];
}

const EMPTY: Config = { select: [], ignore: [], severity: {}, thresholds: {}, vxlanPorts: [], suppressions: [] };
/** `$schema` is for editors. */
const KEYS = ['$schema', ...Object.keys(EMPTY)];
const SUPPRESSION_KEYS = ['rule', 'fingerprint', 'subject', 'reason'] as const;

/**
 * Reads the configuration: the file that was named, else the nearest `netdiag.config.json` from `cwd` upwards, else none.
 * @throws UserError that names the file and the key
 */
export function loadConfig(named: string | undefined, cwd: string): Config {
  const file = named === undefined ? findUpwards(cwd) : resolve(cwd, named);
  if (file === null) return EMPTY;
  return parseConfig(readJson(file, named ?? file), named ?? file);
}

function findUpwards(from: string): string | null {
  const file = join(from, FILE_NAME);
  if (existsSync(file)) return file;
  const above = dirname(from);
  return above === from ? null : findUpwards(above);
}

/** @param file for messages */
export function parseConfig(json: unknown, file: string): Config {
  if (!isObject(json)) throw new UserError(file, 'not a configuration', 'it must be a JSON object');
  for (const key of Object.keys(json)) oneOf(file, key, KEYS);
  return {
    select: rulePatterns(json.select, `${file}: select`),
    ignore: rulePatterns(json.ignore, `${file}: ignore`),
    severity: severities(json.severity, `${file}: severity`),
    thresholds: thresholds(json.thresholds, `${file}: thresholds`),
    vxlanPorts: portsOf(`${file}: vxlanPorts`, list(json.vxlanPorts, `${file}: vxlanPorts`)),
    suppressions: list(json.suppressions, `${file}: suppressions`).map((each, i) =>
      suppression(each, `${file}: suppressions[${i}]`),
    ),
  };
}

function rulePatterns(value: unknown, subject: string): string[] {
  const patterns = list(value, subject).map((pattern) => text(pattern, subject));
  for (const pattern of patterns) rulesNamed(pattern, subject);
  return patterns;
}

function severities(value: unknown, subject: string): Config['severity'] {
  if (value === undefined) return {};
  if (!isObject(value)) throw new UserError(subject, 'not an object', 'write {"<rule>": "<severity>"}');
  const byRule: Config['severity'] = {};
  for (const [pattern, severity] of Object.entries(value)) {
    const rules = rulesNamed(pattern, subject);
    const known = oneOf(`${subject}: ${pattern}`, text(severity, subject), SEVERITIES);
    for (const { id } of rules) byRule[id] = known;
  }
  return byRule;
}

function thresholds(value: unknown, subject: string): Config['thresholds'] {
  if (value === undefined) return {};
  if (!isObject(value)) throw new UserError(subject, 'not an object', 'write {"<rule>": {"<threshold>": <number>}}');
  const byRule: Config['thresholds'] = {};
  for (const [name, given] of Object.entries(value)) {
    const { id, thresholds: own = {} } = ruleNamed(name, subject);
    const place = `${subject}: ${id}`;
    if (!isObject(given)) throw new UserError(place, 'not an object', 'write {"<threshold>": <number>}');
    if (Object.keys(own).length === 0) throw new UserError(place, 'has no thresholds', 'leave it out');
    byRule[id] = {};
    for (const [threshold, number] of Object.entries(given)) {
      oneOf(place, threshold, Object.keys(own));
      if (typeof number !== 'number' || !Number.isFinite(number) || number <= 0) {
        throw new UserError(
          `${place}: ${threshold}`,
          `${typeof number === 'number' ? number : shown(number)} is no number above 0`,
          'write one',
        );
      }
      byRule[id][threshold] = number;
    }
  }
  return byRule;
}

function suppression(value: unknown, subject: string): Suppression {
  if (!isObject(value)) throw new UserError(subject, 'not an object', 'write {"rule": …, "subject": …, "reason": …}');
  for (const key of Object.keys(value)) oneOf(subject, key, SUPPRESSION_KEYS);
  const { rule, fingerprint, subject: about, reason } = value;
  if (typeof reason !== 'string' || reason.trim() === '') {
    throw new UserError(subject, 'has no reason', 'say in "reason" why this finding is accepted');
  }
  if (rule === undefined && fingerprint === undefined) {
    throw new UserError(subject, 'suppresses everything', 'name a "rule" or a "fingerprint"');
  }
  if (about !== undefined && !isSubject(about)) {
    throw new UserError(
      `${subject}: subject`,
      'not an object of texts and numbers',
      'copy it from the finding, such as {"ip": "192.0.2.1"}',
    );
  }
  return {
    ...(rule !== undefined && { rule: ruleNamed(text(rule, subject), subject).id }),
    ...(fingerprint !== undefined && { fingerprint: text(fingerprint, subject) }),
    ...(about !== undefined && { subject: about }),
    reason,
  };
}

/** Another value would be that of no finding, and the suppression of none. */
function isSubject(value: unknown): value is NonNullable<Suppression['subject']> {
  return isObject(value) && Object.values(value).every((part) => typeof part === 'string' || typeof part === 'number');
}

function list(value: unknown, subject: string): unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new UserError(subject, 'not a list', 'write it in square brackets');
}

function text(value: unknown, subject: string): string {
  if (typeof value === 'string') return value;
  throw new UserError(subject, `${shown(value)} is not text`, 'write it in quotes');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
