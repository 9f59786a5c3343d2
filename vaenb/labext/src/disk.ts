/** Reading and writing files through JupyterLab, without ever overwriting one. */

import { type Contents, ServerConnection } from '@jupyterlab/services';
import { folderOf, inFolder, numbered } from './names.ts';

/** The HTTP status that an error carries; 0 where it carries none. */
export function statusOf(error: unknown): number {
  return error instanceof ServerConnection.ResponseError ? error.response.status : 0;
}

/** Whether there is a file or a folder. */
export async function isThere(contents: Contents.IManager, path: string): Promise<boolean> {
  try {
    await contents.get(path, { content: false });
    return true;
  } catch (error) {
    if (statusOf(error) === 404) {
      return false;
    }
    throw error;
  }
}

/** The first of "study.ipynb", "study_2.ipynb", ... in a folder that is free. */
export async function freePath(contents: Contents.IManager, folder: string, name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const path = inFolder(folder, numbered(name, number));
    if (!(await isThere(contents, path))) {
      return path;
    }
  }
}

/** Make a folder, and those above it, where they are not there. */
export async function makeFolder(contents: Contents.IManager, path: string): Promise<void> {
  if (path === '' || path.endsWith(':') || (await isThere(contents, path))) {
    return;
  }
  await makeFolder(contents, folderOf(path));
  await contents.save(path, { type: 'directory' });
}

/** Write a notebook. */
export async function writeNotebook(
  contents: Contents.IManager,
  path: string,
  content: unknown
): Promise<void> {
  await contents.save(path, { type: 'notebook', format: 'json', content });
}
