import { printable } from '../../wire/printable.js';
import type { Block } from './blocks.js';

/** The look, light and dark as the reader's system is. Nothing is loaded from anywhere. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1d232b; --paper: #fff; --quiet: #5a6572; --line: #d7dde4; --soft: #f4f6f8;
  --error: #b3261e; --warning: #8a5300; --info: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ed; --paper: #14181d; --quiet: #9aa5b1; --line: #343c45; --soft: #1d2329;
    --error: #ff8a80; --warning: #ffc266; --info: #8ab8f0; }
}
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.2rem; }
h3 { font-size: 1rem; margin-bottom: .3rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .7rem 1rem; overflow-x: auto;
  font: 13px/1.5 ui-monospace, monospace; }
table { border-collapse: collapse; font-size: .9rem; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--soft); }
.badges { color: var(--quiet); } .badges b { text-transform: uppercase; font-size: .85em; letter-spacing: .04em; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); }
@media print { body { margin: 0; max-width: none; } pre { white-space: pre-wrap; } }
`.trim();

/** A page in one file that loads nothing and runs nothing. */
export function html(title: string, blocks: readonly Block[]): string {
  return `${[
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${plain(title)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    '</head>',
    '<body>',
    '<main>',
    ...blocks.map(element),
    '</main>',
    '</body>',
    '</html>',
  ].join('\n')}\n`;
}

function element(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${plain(block.text)}</h${block.level}>`;
    case 'text':
      return `<p>${plain(block.text)}</p>`;
    case 'badges': {
      const severity = plain(block.severity);
      const rest = [block.confidence, ...block.parts].map(plain).join(' · ');
      return `<p class="badges"><b class="${severity}">${severity}</b> · ${rest}</p>`;
    }
    case 'list':
      return `<ul>\n${block.items.map((item) => `<li>${plain(item)}</li>`).join('\n')}\n</ul>`;
    case 'code':
      return `<pre><code>${block.lines.map(plain).join('\n')}</code></pre>`;
    case 'table':
      return `<table>\n${tableRow('th', block.head)}\n${block.rows.map((cells) => tableRow('td', cells)).join('\n')}\n</table>`;
  }
}

function tableRow(tag: 'th' | 'td', cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<${tag}>${plain(cell)}</${tag}>`).join('')}</tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text from outside as text of an element or of a quoted attribute. */
function plain(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
