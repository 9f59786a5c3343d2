/** What the kernel says about a study: the twin of vaenb/view_models/lab_events.py. */

export const TARGET = 'vaenb.events';
export const VERDICTS = ['anomaly', 'normal', 'unsure'] as const;
export type Verdict = (typeof VERDICTS)[number] | '';

/** An event, ready to be read. */
export interface StudyEvent {
  /** The first cell of the series in it, and the one after its last. */
  start: number;
  stop: number;
  when: string;
  lasts: string;
  peak: string;
  score: string;
  severity: string;
  verdict: Verdict;
  /** The scores around it, at most 60. */
  line: (number | null)[];
}

/** A study as it stands. */
export interface Study {
  /** The widget that shows it. */
  panel: string;
  name: string;
  /** What there is to say where there are no events. */
  words: string;
  threshold: number | null;
  told: string;
  /** How many events there are, of which `events` are the most severe. */
  count: number;
  canJudge: boolean;
  events: StudyEvent[];
}

/** A study from the data of a message; null where it is something else, or nothing is shown any more. */
export function studyOf(data: unknown): Study | null {
  const told = data as { kind?: unknown; study?: unknown } | null;
  if (told?.kind !== 'study' || typeof told.study !== 'object' || told.study === null) {
    return null;
  }
  const study = told.study as Study;
  return Array.isArray(study.events) && typeof study.panel === 'string' ? study : null;
}
