import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { CaptureError } from '../../src/capture/source.js';
import { root } from '../support/fixtures.js';

const files = join(root, '../shared/captures/public/files');

/** What the page lists, a line for each file and rule. */
function listed(): string[] {
  const rows = readFileSync(join(root, 'docs/field-test.md'), 'utf8').matchAll(/^\| ([^|]+) \| (.*`.*) \|.*\|$/gm);
  return [...rows].flatMap(([, names, findings]) =>
    names
      .split(', ')
      .flatMap((name) => [...findings.matchAll(/`([a-z0-9-]+\/[a-z0-9-]+)`/g)].map(([, rule]) => `${name} ${rule}`)),
  );
}

/** Errors and warnings that are at least likely. */
async function said(file: string): Promise<string[]> {
  try {
    const { findings } = await analyze([file]);
    return findings
      .filter(({ severity, confidence }) => severity !== 'info' && confidence !== 'hint')
      .map(({ rule }) => `${basename(file)} ${rule}`);
  } catch (error) {
    // Some of the files are no captures.
    if (error instanceof CaptureError) return [];
    throw error;
  }
}

// The captures of others lie outside the repository.
if (existsSync(files)) {
  test('captures of others give the findings that were looked at, and no others', { timeout: 120_000 }, async () => {
    const names = readdirSync(files, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const found = new Set<string>();
    for (const { parentPath, name } of names) for (const each of await said(join(parentPath, name))) found.add(each);
    expect([...found].sort()).toEqual(listed().sort());
  });
} else {
  test('the page lists findings', () => {
    expect(listed().length).toBeGreaterThan(20);
  });
}
