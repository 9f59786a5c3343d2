/** The first cells of the notebooks that the extension writes. */

import { baseName, kindOf } from './names.ts';

/** What a translation bundle of JupyterLab can do that is needed here. */
export interface Words {
  __(text: string, ...values: unknown[]): string;
}

export interface NewCell {
  cell_type: 'markdown' | 'code';
  source: string;
}

export interface Wishes {
  /** The short name of a threshold rule; '' for the default of vaenb. */
  rule: string;
}

const NEEDS = 'import vaenb  # no module named vaenb? Run "%pip install vaenb", then restart the kernel';

/** A string as Python writes it: in single quotes, unless that needs more backslashes. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let found = '';
  for (const letter of text) {
    const code = letter.codePointAt(0) as number;
    if (letter === '\\' || letter === quote) {
      found += `\\${letter}`;
    } else if (code < 32 || code === 127) {
      found += `\\x${code.toString(16).padStart(2, '0')}`;
    } else {
      found += letter;
    }
  }
  return quote + found + quote;
}

/** A text as Markdown shows it, letter by letter. */
export function plainMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|$~&-]/g, letter => `\\${letter}`);
}

/** The cell that reads a series. Once it has run, the columns that were found are written into it. */
export function readCell(path: string): string {
  return `${NEEDS}\n\nseries = vaenb.read_series(${quoted(path)})\nprint(series.about)`;
}

/** The same with the lines that name what was found, as `vaenb.reading.naming.read_code` gives them. */
export function filledCell(path: string, found: string): string {
  return readCell(path).replace(`series = vaenb.read_series(${quoted(path)})`, () => found.trim());
}

function studyCell(wishes: Wishes): string {
  const rule = wishes.rule === '' ? '' : `, threshold=${quoted(wishes.rule)}`;
  return `study = vaenb.Study(series${rule})\nstudy`;
}

/** The cells for a file: a path as it is seen from the folder of the notebook. */
export function cellsOf(path: string, wishes: Wishes, trans: Words): NewCell[] {
  const name = plainMarkdown(baseName(path));
  if (kindOf(path) === 'study') {
    const text = trans.__(
      'The study as it was saved: its scores, its threshold, its events and the verdicts.'
    );
    const code = `${NEEDS}\n\nstudy = vaenb.Study.load(${quoted(path)})\nstudy`;
    return [
      { cell_type: 'markdown', source: `# ${trans.__('The saved study %1', name)}\n\n${text}` },
      { cell_type: 'code', source: code }
    ];
  }
  return [
    {
      cell_type: 'markdown',
      source: `# ${trans.__('Anomalies in %1', name)}\n\n${trans.__(
        'The first cell reads the file: check the time axis and the columns. The study below it finds the anomalies in six steps: press “Run everything”, or go step by step.'
      )}`
    },
    { cell_type: 'code', source: readCell(path) },
    { cell_type: 'code', source: studyCell(wishes) }
  ];
}

/** The cells of a study that begins with a series that comes with vaenb. */
export function cellsOfNewStudy(wishes: Wishes, trans: Words): NewCell[] {
  const code = [
    NEEDS,
    '',
    "series = vaenb.load_dataset('nyc_taxi')",
    "# series = vaenb.read_series('my.csv', time='timestamp', values=['cpu', 'memory'])",
    'print(series.about)'
  ].join('\n');
  return [
    {
      cell_type: 'markdown',
      source: `# ${trans.__('A new study')}\n\n${trans.__(
        'It begins with a series that comes with vaenb. For your own, change the first cell: give the path of a CSV or a Parquet file, and run both cells again.'
      )}`
    },
    { cell_type: 'code', source: code },
    { cell_type: 'code', source: studyCell(wishes) }
  ];
}

/** A notebook of some cells, which remembers the file that it is about. */
export function notebookOf(cells: NewCell[], file: string | null): Record<string, unknown> {
  return {
    cells: cells.map((cell, number) => ({
      id: `vaenb-${number + 1}`,
      metadata: {},
      ...cell,
      ...(cell.cell_type === 'code' ? { execution_count: null, outputs: [] } : {})
    })),
    metadata: file === null ? {} : { vaenb: { file } },
    nbformat: 4,
    nbformat_minor: 5
  };
}

/** Whether a notebook was written for a file. */
export function isAbout(notebook: unknown, file: string): boolean {
  const metadata = (notebook as { metadata?: { vaenb?: { file?: unknown } } } | null)?.metadata;
  return metadata?.vaenb?.file === file;
}
