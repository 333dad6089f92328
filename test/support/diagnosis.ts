import type { Analysis, CaptureReport, Finding } from '../../src/findings/finding.js';
import type { Diagnosis, Rule, RuleId, Severity } from '../../src/rules/rule.js';

/** A rule that never speaks by itself. */
export function silentRule(id: RuleId, severity: Severity = 'warning'): Rule {
  return { meta: { id, severity, summary: `what ${id} says`, catalogue: '' }, create: () => ({}) };
}

/** A diagnosis of which only what the test is about has to be given. */
export function diagnosis(given: Partial<Diagnosis> = {}): Diagnosis {
  return {
    key: 'key',
    confidence: 'certain',
    title: 'title',
    summary: 'summary',
    subject: {},
    segment: 0,
    capture: 0,
    count: 1,
    first: 0,
    last: 0,
    evidence: [],
    cause: '',
    remedy: [],
    ...given,
  };
}

export function finding(given: Partial<Finding> = {}): Finding {
  return {
    rule: 'arp/unanswered',
    severity: 'warning',
    confidence: 'likely',
    title: 'title',
    summary: 'summary',
    subject: {},
    segment: { capture: 0, interface: 'eth0', vlans: [], vnis: [] },
    count: 1,
    first: '2026-01-02T03:04:05.000000000Z',
    last: '2026-01-02T03:04:05.000000000Z',
    evidence: [],
    cause: '',
    remedy: [],
    caveats: [],
    wouldRaise: [],
    context: [],
    picture: [],
    explains: [],
    fingerprint: '0123456789abcdef',
    ...given,
  };
}

export function captureReport(given: Partial<CaptureReport> = {}): CaptureReport {
  return {
    name: 'a.pcap',
    format: 'pcap',
    compression: null,
    interfaces: [{ name: null, linkType: 'EN10MB', snapLength: 262144 }],
    frames: 3,
    bytes: 126,
    first: '2026-01-02T03:04:05.000000000Z',
    last: '2026-01-02T03:04:07.050000000Z',
    complete: true,
    problems: [],
    dropped: null,
    directions: 'none',
    undecoded: {},
    protocols: { ethernet: 3, arp: 3 },
    ...given,
  };
}

export function analysis(given: Partial<Analysis> = {}): Analysis {
  return {
    schema: 'netdiag.findings/1',
    tool: { name: 'netdiag', version: '0.0.0' },
    captures: [captureReport()],
    findings: [],
    summary: { error: 0, warning: 0, info: 0 },
    examined: { rules: 30, context: false },
    topology: { stations: [], moreStations: 0 },
    hidden: 0,
    suppressed: [],
    ...given,
  };
}
