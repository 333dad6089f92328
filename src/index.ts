export { type AnalyzeOptions, analyze, type Vantage } from './analyze.js';
export { CaptureError } from './capture/source.js';
export type { Suppression } from './findings/filter.js';
export type { Analysis, CaptureReport, Finding, SegmentRef } from './findings/finding.js';
export { UnknownRuleError } from './rules/engine/selection.js';
export { RULES } from './rules/index.js';
export type { Confidence, Rule, RuleId, RuleMeta, Severity } from './rules/rule.js';
