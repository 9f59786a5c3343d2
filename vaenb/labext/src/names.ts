/** Which files hold a series or a study, and what the notebooks of them are called. */

const SERIES = ['.csv.gz', '.csv', '.parquet'];
const STUDY = '.vaenb';

export type Kind = 'series' | 'study' | null;

/** Whether a file holds a series, a saved study, or neither, by its name alone. */
export function kindOf(path: string): Kind {
  const name = baseName(path).toLowerCase();
  if (name.length > STUDY.length && name.endsWith(STUDY)) {
    return 'study';
  }
  return SERIES.some(suffix => name.length > suffix.length && name.endsWith(suffix)) ? 'series' : null;
}

/** The last part of a path; of "drive:folder/x.csv" it is "x.csv". */
export function baseName(path: string): string {
  return path.slice(folderOf(path).length).replace(/^\//, '');
}

/** The folder of a path, with the drive and without a slash at its end; '' for the top. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? driveOf(path) : path.slice(0, slash);
}

/** "RTC:" of "RTC:folder/x.csv"; '' where the file lies on the server's own disk. */
export function driveOf(path: string): string {
  const first = path.split('/', 1)[0];
  const colon = first.indexOf(':');
  return colon > 0 ? first.slice(0, colon + 1) : '';
}

/** A path in a folder. */
export function inFolder(folder: string, name: string): string {
  return folder === '' || folder.endsWith(':') || folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** The name of a file without what says its kind. */
export function stemOf(path: string): string {
  const name = baseName(path);
  const suffix = [...SERIES, STUDY, '.ipynb'].find(each => name.toLowerCase().endsWith(each)) ?? '';
  return name.slice(0, name.length - suffix.length);
}

/** The name of the notebook of a file; from 2 on for those whose name is taken by something else. */
export function notebookName(path: string, number = 1): string {
  return numbered(`${stemOf(path)}_anomalies.ipynb`, number);
}

/** "study.ipynb", "study_2.ipynb", ... */
export function numbered(name: string, number: number): string {
  const dot = name.lastIndexOf('.');
  return number < 2 ? name : `${name.slice(0, dot)}_${number}${name.slice(dot)}`;
}

/** A path as it is seen from a folder of the same drive. */
export function relativeTo(folder: string, path: string): string {
  const from = folder.split('/').filter(part => part !== '');
  const to = path.split('/');
  let same = 0;
  while (same < from.length && same < to.length - 1 && from[same] === to[same]) {
    same += 1;
  }
  return [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/');
}
