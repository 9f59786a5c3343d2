import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseName, folderOf, inFolder, kindOf, notebookName, relativeTo, stemOf } from '../src/names.ts';

test('the name alone says what a file holds', () => {
  for (const name of ['a.csv', 'A.CSV', 'x/b.csv.gz', 'ü "1".parquet', 'a.b.csv']) {
    assert.equal(kindOf(name), 'series', name);
  }
  assert.equal(kindOf('x/pump.vaenb'), 'study');
  for (const name of ['a.gz', '.csv', '.vaenb', 'csv', 'a.csv.bak', 'a.csv/b.txt', '']) {
    assert.equal(kindOf(name), null, name);
  }
});

test('a notebook is named after its file', () => {
  assert.equal(notebookName('a b/pump.csv'), 'pump_anomalies.ipynb');
  assert.equal(notebookName('データ.csv.gz'), 'データ_anomalies.ipynb');
  assert.equal(notebookName("it's v1.2.parquet"), "it's v1.2_anomalies.ipynb");
  assert.equal(notebookName('pump.vaenb', 3), 'pump_anomalies_3.ipynb');
  assert.equal(stemOf('PUMP.CSV.GZ'), 'PUMP');
});

test('paths come apart and together again, with drives', () => {
  for (const path of ['a.csv', 'x/a.csv', 'x/y/a.csv', 'RTC:a.csv', 'RTC:x/a.csv']) {
    assert.equal(inFolder(folderOf(path), baseName(path)), path);
  }
  assert.equal(folderOf('RTC:a.csv'), 'RTC:');
  assert.equal(baseName('x/a:b.csv'), 'a:b.csv');
});

test('a path as it is seen from a folder', () => {
  assert.equal(relativeTo('', 'x/a.csv'), 'x/a.csv');
  assert.equal(relativeTo('x', 'x/a.csv'), 'a.csv');
  assert.equal(relativeTo('x/y', 'x/z/a.csv'), '../z/a.csv');
  assert.equal(relativeTo('a.csv', 'a.csv'), '../a.csv');
});
