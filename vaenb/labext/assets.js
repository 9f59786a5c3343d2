// Copies what the extension hands out into its built output: the notebooks of the course, and the README.
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';

const top = join(import.meta.dirname, '..', '..');
const notebooks = join(top, 'notebooks');
const output = join(import.meta.dirname, '..', 'labextension');
const SUFFIXES = ['.ipynb', '.csv', '.png', '.svg']; // as vaenb/lab.py hands them out
const NOT_FOR_STUDENTS = ['solutions', '.ipynb_checkpoints'];

function isHandedOut(name) {
  return SUFFIXES.includes(extname(name)) && !name.split('/').some(part => NOT_FOR_STUDENTS.includes(part));
}

const found = existsSync(notebooks) ? readdirSync(notebooks, { recursive: true, withFileTypes: true }) : [];
const names = found
  .filter(entry => entry.isFile())
  .map(entry => relative(notebooks, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .filter(isHandedOut)
  .sort();
for (const name of names) {
  mkdirSync(dirname(join(output, 'course', name)), { recursive: true });
  cpSync(join(notebooks, name), join(output, 'course', name));
}
mkdirSync(join(output, 'course'), { recursive: true });
writeFileSync(join(output, 'course', 'index.json'), `${JSON.stringify(names, null, 1)}\n`);
cpSync(join(top, 'README.md'), join(output, 'README.md'));
