import type { CheckReporter } from './result.js';

const REPORTERS = {
  text: async () => (await import('./text.js')).checkText,
  junit: async () => (await import('./machines.js')).checkJunit,
  github: async () => (await import('./machines.js')).checkGithub,
  sarif: async () => (await import('./sarif.js')).checkSarif,
} satisfies Record<string, () => Promise<CheckReporter>>;

export type CheckFormat = keyof typeof REPORTERS;
export const CHECK_FORMATS = Object.keys(REPORTERS) as CheckFormat[];

export function loadCheckReporter(format: CheckFormat): Promise<CheckReporter> {
  return REPORTERS[format]();
}
