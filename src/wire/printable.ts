/** Control characters, line and paragraph separators, lone surrogates, and what reorders or hides text. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text from outside, safe and honest on a terminal: control characters (with them escape sequences), bidi
 * overrides and invisible characters are shown as `\x1b`, `\u{202e}`; a backslash stays as it is.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * JSON that is safe on a terminal in the same way, and means what it meant: what is unsafe becomes `\uXXXX`. Line breaks
 * stay, which JSON has between values only.
 */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE, (character) =>
    character === '\n' ? character : character.split('').map(escapedUnit).join(''),
  );
}

function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
