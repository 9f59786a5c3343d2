import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutPictures } from '../src/docs-text.ts';
import { studyOf } from '../src/messages.ts';
import { sparkline } from '../src/sparkline.ts';

test('scores become points, the highest at the top', () => {
  const line = sparkline([0, 10, 5], 5, 103, 23);
  assert.deepEqual(line.pieces, ['1.5,21.5 51.5,1.5 101.5,11.5']);
  assert.equal(line.threshold, 11.5);
});

test('gaps cut the line, and a threshold outside is not drawn', () => {
  const line = sparkline([1, null, 2, 3], 9, 100, 20);
  assert.equal(line.pieces.length, 2);
  assert.equal(line.threshold, null);
  assert.deepEqual(sparkline([null], 1, 100, 20).pieces, []);
  assert.equal(sparkline([4, 4], 4, 100, 20).threshold, 10);
});

test('only a message about a study is one', () => {
  const study = { panel: 'x', events: [] };
  assert.equal(studyOf({ kind: 'study', study }), study);
  for (const data of [
    null,
    {},
    { kind: 'study', study: null },
    { kind: 'study', study: {} },
    { kind: 'x', study }
  ]) {
    assert.equal(studyOf(data), null);
  }
});

test('pictures and links of pictures go, other links stay', () => {
  assert.equal(withoutPictures('# a\n\n[![b](c)](d)\n\n![e](f)\n\n[g](h)'), '# a\n\n[g](h)');
});
