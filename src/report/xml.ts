import { printable } from '../wire/printable.js';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** One element of XML 1.0, its content given as XML already. Attributes may be any text. */
export function element(name: string, attributes: Readonly<Record<string, string | number>>, ...content: string[]) {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${xmlText(String(value))}"`);
  const begin = `<${name}${given.join('')}`;
  return content.length === 0 ? `${begin}/>` : `${begin}>${content.join('')}</${name}>`;
}

/** Text, with what XML cannot hold (control characters, lone surrogates) made visible. Lines stay. */
export function xmlText(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line).replace(/[\ufffe\uffff]/g, '?'))
    .join('\n')
    .replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
