import type { Finding } from '../../findings/finding.js';

/**
 * So many findings as there is room for, in their order: of each rule its worst one before the others, so that a rule that
 * has hundreds of them hides no other. What more room shows has in it what less room does.
 */
export function foremost(findings: readonly Finding[], room: number): readonly Finding[] {
  if (findings.length <= room) return findings;
  const rules = new Set<string>();
  const leads = new Set<Finding>();
  for (const finding of findings) {
    if (!rules.has(finding.rule)) leads.add(finding);
    rules.add(finding.rule);
  }
  const others = findings.filter((finding) => !leads.has(finding));
  const taken = new Set([...leads, ...others].slice(0, room));
  return findings.filter((finding) => taken.has(finding));
}
