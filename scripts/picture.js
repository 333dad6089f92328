// Usage: npm run build && node scripts/picture.js [file]
// Draws a screen of the full-screen view, with the demo capture in it, as docs/tui.svg (or another file), which the
// README shows.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { analyze } from '../dist/analyze.js';
import { parseContext } from '../dist/network/context/parse.js';
import { drawScreen } from '../dist/tui/screen.js';
import { START, snapshotOf } from '../dist/tui/state.js';
import { width } from '../dist/tui/text.js';

const COLUMNS = 110;
const ROWS = 29;
/** Pixels of a character, of a line, around all. */
const ADVANCE = 8.4;
const LINE = 18;
const MARGIN = 12;
const [BACKGROUND, TEXT, QUIET] = ['#14171c', '#d7dce2', '#8b939e'];
/** Colours of SGR parameters (ECMA-48 section 8.3.117) that the view uses. */
const COLOURS = { 31: '#ff7b72', 33: '#e3b341', 34: '#79c0ff', 36: '#7ee0d6' };

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const context = parseContext(JSON.parse(readFileSync('fixtures/demo/context.json', 'utf8')));
const analysis = await analyze(['fixtures/demo/vepa.pcap'], { context });
const snapshot = snapshotOf({ analysis: () => analysis, status: { state: 'done', text: '' }, frames: null }, []);
const lines = drawScreen(START, snapshot, null, { columns: COLUMNS, rows: ROWS, color: true });
writeFileSync(process.argv[2] ?? 'docs/tui.svg', svg(lines));

/** @param {readonly string[]} lines */
function svg(lines) {
  const size = [COLUMNS * ADVANCE + 2 * MARGIN, lines.length * LINE + 2 * MARGIN].map(Math.ceil);
  const drawn = lines.flatMap((line, row) => spans(line, row));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(' ')}" width="${size[0]}" height="${size[1]}" font-family="monospace" font-size="14">`,
    `<title>netdiag analyze on a terminal: the finding, its cure, the failing path</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

/**
 * Each run of one style as a text of its own at its column, stretched to its columns whatever the font is.
 * @param {string} line
 * @param {number} row
 */
function spans(line, row) {
  const parts = [];
  let column = 0;
  let style = { fill: TEXT, bold: false, inverse: false };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of styles
  for (const [, code, text] of line.matchAll(/\x1b\[(\d+)m|([^\x1b]+)/g)) {
    if (text === undefined) {
      style = styled(style, Number(code));
      continue;
    }
    const columns = width(text);
    const x = (MARGIN + column * ADVANCE).toFixed(1);
    const y = MARGIN + row * LINE;
    const length = (columns * ADVANCE).toFixed(1);
    column += columns;
    if (style.inverse) parts.push(`<rect x="${x}" y="${y}" width="${length}" height="${LINE}" fill="${style.fill}"/>`);
    if (text.trim() === '') continue;
    const fill = style.inverse ? BACKGROUND : style.fill;
    const weight = style.bold ? ' font-weight="bold"' : '';
    parts.push(
      `<text x="${x}" y="${y + 14}" fill="${fill}"${weight} textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</text>`,
    );
  }
  return parts;
}

/**
 * @param {{ fill: string, bold: boolean, inverse: boolean }} style
 * @param {number} code
 */
function styled(style, code) {
  if (code === 0) return { fill: TEXT, bold: false, inverse: false };
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, fill: QUIET };
  if (code === 22) return { ...style, bold: false, fill: style.fill === QUIET ? TEXT : style.fill };
  if (code === 7 || code === 27) return { ...style, inverse: code === 7 };
  if (code === 39) return { ...style, fill: TEXT };
  return { ...style, fill: COLOURS[/** @type {keyof typeof COLOURS} */ (code)] ?? style.fill };
}

/** @param {string} text */
function escaped(text) {
  // Browsers let runs of plain spaces collapse.
  return text.replace(/[&<>]/g, (each) => `&#${each.charCodeAt(0)};`).replaceAll(' ', '\u00a0');
}
