import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { netdiag } from '../support/netdiag.js';

const BROWSER = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
const folder = mkdtempSync(join(tmpdir(), 'netdiag-browser-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Least contrast of normal text to what is behind it (WCAG 2.2, 1.4.3). */
const LEAST_CONTRAST = 4.5;

/** Looks at the page from inside: the worst contrast of any text, what was loaded, and whether it is wider than the window. */
const PROBE = `<script>
const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const colour = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0]).map(Number);
const behind = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const found = colour(getComputedStyle(each).backgroundColor);
    if (found.length < 4 || found[3] > 0.9) return found;
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
};
let worst = { contrast: 99, text: '' };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let texts = 0;
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  const text = walker.currentNode.data.trim();
  if (text === '' || node.closest('script,style') || node.getClientRects().length === 0) continue;
  texts++;
  const [a, b] = [luminance(colour(getComputedStyle(node).color)), luminance(behind(node))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < worst.contrast) worst = { contrast, text };
}
const seen = document.createElement('pre');
seen.id = 'seen';
seen.textContent = JSON.stringify({
  texts, worst, background: luminance(behind(document.body)),
  loaded: performance.getEntriesByType('resource').map(({ name }) => name),
  overflow: document.documentElement.scrollWidth - innerWidth,
});
document.body.append(seen);
</script>`;

/** What the probe sees, with this preference and width of the window in pixels; takes a picture too. */
function look(page: string, scheme: 'light' | 'dark', width: number) {
  const picture = join(folder, `${scheme}-${width}.png`);
  const run = (...more: string[]) =>
    spawnSync(
      BROWSER ?? '',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        `--user-data-dir=${join(folder, 'profile')}`,
        `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
        `--window-size=${width},900`,
        ...more,
        `file://${page}`,
      ],
      { encoding: 'utf8', timeout: 60_000 },
    );
  const { stdout } = run('--dump-dom');
  const seen = /<pre id="seen">(.*?)<\/pre>/s.exec(stdout)?.[1] ?? 'null';
  run(`--screenshot=${picture}`);
  const text = seen.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  return { ...JSON.parse(text), picture: readFileSync(picture) };
}

describe.skipIf(BROWSER === undefined)('the HTML report in a browser', () => {
  const page = join(folder, 'report.html');
  beforeAll(async () => {
    const capture = ['fixtures/demo/vepa.pcap', '--context', 'fixtures/demo/context.json'];
    const { stdout } = await netdiag(['report', ...capture, '--format', 'html']);
    // Its policy allows no script, and would hide what the page tries to load.
    const policy = /<meta http-equiv="Content-Security-Policy" content="default-src 'none'[^>]*>/;
    expect(stdout).toMatch(policy);
    writeFileSync(page, stdout.replace(policy, '').replace('</body>', `${PROBE}</body>`));
  });

  it.each([
    ['light', 1200],
    ['dark', 1200],
    ['light', 420],
    ['dark', 420],
  ] as const)('is readable in %s at %i pixels, and loads nothing', { timeout: 120_000 }, (scheme, width) => {
    const { texts, worst, background, loaded, overflow, picture } = look(page, scheme, width);
    expect(texts).toBeGreaterThan(20);
    expect(worst.contrast, worst.text).toBeGreaterThanOrEqual(LEAST_CONTRAST);
    if (scheme === 'dark') expect(background).toBeLessThan(0.1);
    else expect(background).toBeGreaterThan(0.8);
    expect(loaded).toEqual([]);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
  });
});
