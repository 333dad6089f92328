// Usage: npm run score -- <folder>...
// Compares what netdiag finds with what is known of recorded captures: every truth.json below the folders names the
// captures beside it, the problems to be found in them with the frames that show each, and what must not be said.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {import('../src/findings/finding.js').Finding} Finding
 * @typedef {import('../src/analyze.js').Vantage} Vantage
 * @typedef {(capture: string, context: unknown, vantage: Vantage | null) => Promise<Finding[]>} Analyze
 *
 * @typedef {{
 *   healthy: boolean,
 *   vantage: Record<string, string>,
 *   expected_findings: { problem: string, evidence: Record<string, { frames: number[] }> }[],
 *   must_not_report: string[],
 * }} Truth
 *
 * @typedef {{ scenario: string, capture: string, problem: string, outcome: 'found' | 'hint' | 'missed' | 'no rule yet' }} Expected
 * @typedef {{ scenario: string, capture: string, problem: string, finding: Finding }} Forbidden
 * @typedef {{ scenario: string, capture: string, finding: Finding }} Alarm
 * @typedef {{ scenario: string, capture: string, error: unknown }} Unreadable
 * @typedef {{
 *   captures: number,
 *   expected: Expected[],
 *   forbidden: Forbidden[],
 *   alarms: Alarm[],
 *   unreadable: Unreadable[],
 * }} Score
 */

const table = new URL('score.tsv', import.meta.url);

/**
 * Which rules report a problem as the truths name it.
 * @type {Map<string, string[]>}
 */
const problems = new Map(
  readFileSync(table, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [problem, rules] = line.split('\t');
      return [problem, rules.split(' ')];
    }),
);

/**
 * Where a capture was taken, as far as `--vantage` can say it: not if several interfaces share the file.
 * @param {string} text such as 'tcpdump in namespace lab-host, interface ens34; Ethernet; 3 frames'
 * @returns {Vantage | null}
 */
export function vantageOf(text) {
  const match = /in namespace lab-(\S+), interfaces? ([^; ]+);/.exec(text);
  return match && { namespace: match[1], interface: match[2] };
}

/**
 * @param {string} problem as the truths name it
 * @returns {readonly string[]} the rules that report it
 */
export function problemRules(problem) {
  return problems.get(problem) ?? [];
}

/** @param {Finding} finding */
function isFirm({ confidence }) {
  return confidence !== 'hint';
}

/**
 * Whether a finding, or a symptom that it explains, comes from one of the rules and names one of the frames.
 * @param {Finding} finding
 * @param {readonly string[]} rules
 * @param {readonly number[]} frames
 */
function shows(finding, rules, frames) {
  const { rule, evidence, explains } = finding;
  if (rules.includes(rule) && evidence.some(({ frame }) => frames.includes(frame))) return true;
  return explains.some((symptom) => rules.includes(symptom.rule) && symptom.frames.some((f) => frames.includes(f)));
}

/**
 * @param {string} folder of one truth.json
 * @param {string} scenario
 * @param {Analyze} analyze
 * @param {ReadonlySet<string>} known rules of this build
 * @param {Score} score what is added to
 */
async function scoreScenario(folder, scenario, analyze, known, score) {
  /** @type {Truth} */
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8'));
  const contextFile = join(folder, 'context.json');
  const context = existsSync(contextFile) ? JSON.parse(readFileSync(contextFile, 'utf8')) : null;
  for (const [capture, taken] of Object.entries(truth.vantage)) {
    const at = { scenario, capture };
    /** @type {Finding[]} */
    let findings = [];
    try {
      findings = await analyze(join(folder, capture), context, vantageOf(taken));
    } catch (error) {
      score.unreadable.push({ ...at, error });
    }
    score.captures++;
    for (const { problem, evidence } of truth.expected_findings) {
      const frames = evidence[capture]?.frames;
      // No frames: the problem leaves no trace in this capture.
      if (frames === undefined || frames.length === 0) continue;
      score.expected.push({ ...at, problem, outcome: outcomeOf(problem, frames, findings, known) });
    }
    const firm = findings.filter(isFirm);
    for (const problem of truth.must_not_report) {
      const rules = problemRules(problem);
      for (const finding of firm) if (rules.includes(finding.rule)) score.forbidden.push({ ...at, problem, finding });
    }
    if (!truth.healthy) continue;
    for (const finding of firm) if (finding.severity !== 'info') score.alarms.push({ ...at, finding });
  }
}

/**
 * @param {string} problem
 * @param {readonly number[]} frames
 * @param {readonly Finding[]} findings
 * @param {ReadonlySet<string>} known
 */
export function outcomeOf(problem, frames, findings, known) {
  const rules = problemRules(problem);
  if (!rules.some((rule) => known.has(rule))) return 'no rule yet';
  const showing = findings.filter((finding) => shows(finding, rules, frames));
  if (showing.some(isFirm)) return 'found';
  return showing.length > 0 ? 'hint' : 'missed';
}

/**
 * Scores every truth.json below a folder.
 * @param {string} folder
 * @param {Analyze} analyze what is scored; throws for a capture that cannot be read at all
 * @param {Iterable<string>} rules names of the rules that `analyze` runs
 * @returns {Promise<Score>}
 */
export async function scoreFolder(folder, analyze, rules) {
  /** @type {Score} */
  const score = { captures: 0, expected: [], forbidden: [], alarms: [], unreadable: [] };
  const known = new Set(rules);
  const truths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path === 'truth.json' || path.endsWith('/truth.json'))
    .sort();
  for (const path of truths) {
    const scenario = path.slice(0, -'/truth.json'.length) || '.';
    await scoreScenario(join(folder, scenario), scenario, analyze, known, score);
  }
  return score;
}

/**
 * @param {string} title
 * @param {string[]} lines
 */
function section(title, lines) {
  return lines.length === 0 ? [`${title}: none`] : [`${title}:`, ...lines];
}

/**
 * @param {Score} score
 * @returns {string}
 */
function describe({ captures, expected, forbidden, alarms, unreadable }) {
  const outcomes = /** @type {const} */ (['found', 'hint', 'missed', 'no rule yet']);
  const names = [...new Set(expected.map(({ problem }) => problem))].sort();
  const counts = names.map((problem) =>
    outcomes.map((outcome) => expected.filter((e) => e.problem === problem && e.outcome === outcome).length),
  );
  /** @param {{ scenario: string, capture: string }} at @param {string} text */
  const line = ({ scenario, capture }, text) => `  ${`${scenario}/${capture}`.padEnd(60)} ${text}`;
  /** @param {Finding} finding */
  const said = ({ rule, severity, confidence, evidence }) =>
    `${rule}, ${severity}, ${confidence}, frames ${evidence.map(({ frame }) => frame).join(' ')}`;
  return [
    `${'problem'.padEnd(32)}${outcomes.map((outcome) => outcome.padStart(13)).join('')}`,
    ...names.map((name, i) => `${name.padEnd(32)}${counts[i].map((n) => `${n || '.'}`.padStart(13)).join('')}`),
    '',
    `${captures} captures`,
    ...section(
      'missed, or a hint only',
      expected
        .filter(({ outcome }) => outcome === 'missed' || outcome === 'hint')
        .map((each) => line(each, `${each.problem} (${each.outcome})`)),
    ),
    ...section(
      'said although it must not be',
      forbidden.map((each) => line(each, `${each.problem}: ${said(each.finding)}`)),
    ),
    ...section(
      'alarms where all is well',
      alarms.map((each) => line(each, said(each.finding))),
    ),
    ...section(
      'could not be read',
      unreadable.map((each) => line(each, String(each.error))),
    ),
  ].join('\n');
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const built = new URL('../dist/', import.meta.url);
  /** @type {[typeof import('../src/analyze.js'), typeof import('../src/network/context/parse.js'), typeof import('../src/rules/index.js')]} */
  const [{ analyze }, { parseContext }, { RULES }] = await Promise.all([
    import(new URL('analyze.js', built).href),
    import(new URL('network/context/parse.js', built).href),
    import(new URL('rules/index.js', built).href),
  ]);
  if (process.argv.length === 2) {
    console.error('score: no folder given: npm run score -- <folder with truth.json files below it>');
    process.exitCode = 2;
  }
  for (const folder of process.argv.slice(2)) {
    const score = await scoreFolder(
      folder,
      async (capture, context, vantage) =>
        (await analyze([capture], { context: context === null ? null : parseContext(context), vantage })).findings,
      RULES.map(({ meta }) => meta.id),
    );
    console.log(describe(score));
    if (score.forbidden.length > 0 || score.alarms.length > 0) process.exitCode = 1;
  }
}
