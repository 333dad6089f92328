import type { Analysis, Finding } from '../findings/finding.js';
import type { FrameDetail, FrameRow, LiveControls, Session, Status } from './session.js';

export const VIEWS = ['findings', 'frames', 'topology', 'traffic', 'help'] as const;
export type View = (typeof VIEWS)[number];

/** What is shown and chosen. Replaced as a whole with each key. */
export interface State {
  readonly view: View;
  /** The finding chosen, by `findingKey`: it stays chosen when others come before it. Null for the first. */
  readonly finding: string | null;
  /** Lines of the finding's text that are scrolled out at the top. */
  readonly detailTop: number;
  readonly capture: number;
  /** The frame chosen, 1-based. */
  readonly frame: number;
  /** The line of the tree of headers that is chosen, null while the list of frames has the keys. */
  readonly field: number | null;
  /** Live: the frame chosen is always the latest. */
  readonly follow: boolean;
  readonly topologyTop: number;
  readonly helpTop: number;
  readonly trafficTop: number;
  /** What the lists are filtered by, or frames are searched for. */
  readonly search: string;
  /** A line that is being typed, or a question. */
  readonly prompt: { readonly kind: 'search' | 'export' | 'save' | 'quit'; readonly text: string } | null;
  /** Said in the foot until the next key. */
  readonly message: string;
}

export const START: State = {
  view: 'findings',
  finding: null,
  detailTop: 0,
  capture: 0,
  frame: 1,
  field: null,
  follow: true,
  topologyTop: 0,
  helpTop: 0,
  trafficTop: 0,
  search: '',
  prompt: null,
  message: '',
};

/** What is drawn besides the state: taken from the session at most ten times a second. */
export interface Snapshot {
  readonly analysis: Analysis;
  /** The failing path of a finding, drawn. */
  readonly picture: (finding: Finding) => readonly string[];
  readonly status: Status;
  /** Frames that were read a second, by the clock, at each look while reading; latest last. */
  readonly rates: readonly number[];
  readonly live: Pick<LiveControls, 'paused' | 'dropped' | 'unsaved' | 'notes'> | null;
}

/** Columns and lines to draw on, and whether in colour. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

/** Frames of the page that is shown, read for this drawing. */
export interface FramePage {
  readonly range: readonly [first: number, last: number];
  readonly rows: readonly FrameRow[];
  readonly detail: FrameDetail | null;
}

export function snapshotOf(session: Session, rates: readonly number[]): Snapshot {
  const picture = (finding: Finding) =>
    finding.picture.length > 0 ? finding.picture : (session.picture?.(finding) ?? []);
  return { analysis: session.analysis(), picture, status: session.status, rates, live: liveOf(session) };
}

export function liveOf({ live }: Session): Snapshot['live'] {
  if (live === undefined) return null;
  const { paused, dropped, unsaved, notes } = live;
  return { paused, dropped, unsaved, notes: [...notes] };
}

/** Names a finding over snapshots; two that share a fingerprint are told apart by their first frame. */
export function findingKey({ rule, fingerprint, evidence }: Finding): string {
  return `${rule} ${fingerprint} ${evidence[0]?.capture ?? 0} ${evidence[0]?.frame ?? 0}`;
}

/** The findings that the filter leaves. */
export function shownFindings({ findings }: Analysis, search: string): readonly Finding[] {
  const wanted = search.toLowerCase();
  return wanted === '' ? findings : findings.filter((each) => searchable(each).includes(wanted));
}

function searchable({ rule, title, summary, cause, subject, segment, severity, confidence, context }: Finding): string {
  const where = [...segment.vlans.map((id) => `vlan ${id}`), ...segment.vnis.map((vni) => `vni ${vni}`)];
  const words = [rule, title, summary, cause, severity, confidence, segment.interface ?? '', ...context];
  return [...words, ...where, ...Object.values(subject)].join(' ').toLowerCase();
}

/** Where the chosen finding is among those shown; the first if it is not there; -1 if there are none. */
export function chosenIndex(shown: readonly Finding[], { finding }: State): number {
  const index = finding === null ? 0 : shown.findIndex((each) => findingKey(each) === finding);
  return Math.min(Math.max(0, index), shown.length - 1);
}
