import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { courseEntries } from '../src/steps.ts';
import {
  cellsOf,
  cellsOfNewStudy,
  filledCell,
  isAbout,
  notebookOf,
  quoted,
  readCell
} from '../src/template.ts';

const trans = {
  __: (text: string, ...values: unknown[]) =>
    values.reduce<string>((t, v, i) => t.replace(`%${i + 1}`, () => String(v)), text)
};
const NAMES = [
  'a.csv',
  "it's.csv",
  '"x".csv',
  `both ' and ".csv`,
  'back\\slash.csv',
  'データ $& %1.csv',
  'tab\tnew\nline.csv',
  '😀.csv'
];

test('Python reads a quoted name back as it was', () => {
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const said = execFileSync(python, [
    '-c',
    `import json; print(json.dumps([${NAMES.map(quoted).join(', ')}]))`
  ]);
  assert.deepEqual(JSON.parse(said.toString()), NAMES);
});

test('the cells of a file name it, and the rule that is wanted', () => {
  const [head, read, study] = cellsOf('data/a*b.csv', { rule: 'mad' }, trans);
  assert.match(head.source, /^# Anomalies in a\\\*b\.csv/);
  assert.match(read.source, /series = vaenb\.read_series\('data\/a\*b\.csv'\)/);
  assert.equal(study.source, "study = vaenb.Study(series, threshold='mad')\nstudy");
  assert.equal(cellsOf('a.csv', { rule: '' }, trans)[2].source, 'study = vaenb.Study(series)\nstudy');
  assert.equal(cellsOfNewStudy({ rule: '' }, trans).length, 3);
});

test('a saved study is loaded', () => {
  const cells = cellsOf('x.vaenb', { rule: 'mad' }, trans);
  assert.match(cells[1].source, /study = vaenb\.Study\.load\('x\.vaenb'\)\nstudy$/);
});

test('every first cell says what to install', () => {
  for (const cells of [
    cellsOf('a.csv', { rule: '' }, trans),
    cellsOf('a.vaenb', { rule: '' }, trans),
    cellsOfNewStudy({ rule: '' }, trans)
  ]) {
    assert.match(cells[1].source, /^import vaenb .*%pip install vaenb/);
  }
});

test('what was found takes the place of the line that found it', () => {
  for (const name of NAMES) {
    const found = `series = vaenb.read_series(${quoted(name)}, values=['$&'])`;
    assert.equal(
      filledCell(name, `${found}\n`),
      readCell(name).replace(/^series = .*$/m, () => found)
    );
  }
});

test('a notebook remembers its file', () => {
  const book = notebookOf(cellsOf('a.csv', { rule: '' }, trans), 'a.csv');
  assert.ok(isAbout(book, 'a.csv'));
  for (const other of [notebookOf([], null), { metadata: {} }, {}, null]) {
    assert.ok(!isAbout(other, 'a.csv'));
  }
});

test('tour and six steps, each with its notebook', () => {
  const entries = courseEntries(trans);
  assert.deepEqual(
    entries.map(entry => entry.notebook.slice(0, 2)),
    ['00', '01', '02', '03', '04', '05', '06']
  );
  assert.equal(new Set(entries.map(entry => entry.id)).size, 7);
});
