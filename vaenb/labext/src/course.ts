/** The notebooks of the course: a person's own copies, which nothing overwrites. */

import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { type Contents, ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { isThere, makeFolder, statusOf, writeNotebook } from './disk.ts';
import { folderOf, inFolder } from './names.ts';
import type { Notebooks } from './notebooks.ts';

export const FIRST = '00_tour.ipynb';

/** What came with the extension, fetched from where JupyterLab serves it. */
export async function fetchAsset(name: string, settings: ServerConnection.ISettings): Promise<Response> {
  const place = PageConfig.getOption('fullLabextensionsUrl');
  const path = URLExt.join(place, 'vaenb', ...name.split('/').map(encodeURIComponent));
  const url = new URL(path, settings.baseUrl).href;
  const response = await ServerConnection.makeRequest(url, {}, settings);
  if (!response.ok) {
    throw new ServerConnection.ResponseError(response);
  }
  return response;
}

export class Course {
  private readonly contents: Contents.IManager;
  private readonly server: ServerConnection.ISettings;

  constructor(
    private readonly notebooks: Notebooks,
    private readonly trans: TranslationBundle
  ) {
    const { contents, serverSettings } = notebooks.docManager.services;
    this.contents = contents;
    this.server = serverSettings;
  }

  /** Open a person's copy of a notebook; made where it is not there, and the rest of the course with it. */
  async open(folder: string, notebook: string): Promise<void> {
    try {
      await makeFolder(this.contents, folder);
      const isNew = await this.handOut(folder, notebook);
      this.notebooks.open(inFolder(folder, notebook));
      if (isNew) {
        await this.handOutAll(folder);
      }
    } catch (error) {
      await this.explain(folder, error);
    }
  }

  /** Lay fresh copies of all notebooks; what a person has goes into a folder of its own. */
  async restart(folder: string): Promise<void> {
    try {
      const names = await this.names();
      const there = await this.present(folder, names);
      const aside = there.length === 0 ? '' : await this.freeFolder(folder);
      if (there.length > 0 && !(await this.agreed(there.length, aside))) {
        return;
      }
      await makeFolder(this.contents, folder);
      for (const name of there) {
        await makeFolder(this.contents, folderOf(inFolder(aside, name)));
        await this.contents.rename(inFolder(folder, name), inFolder(aside, name));
      }
      await this.handOut(folder, FIRST);
      this.notebooks.open(inFolder(folder, FIRST));
      await this.handOutAll(folder);
    } catch (error) {
      await this.explain(folder, error);
    }
  }

  private async names(): Promise<string[]> {
    return (await fetchAsset('course/index.json', this.server)).json();
  }

  private async present(folder: string, names: string[]): Promise<string[]> {
    const found: string[] = [];
    for (const name of names) {
      if (await isThere(this.contents, inFolder(folder, name))) {
        found.push(name);
      }
    }
    return found;
  }

  private async freeFolder(folder: string): Promise<string> {
    for (let number = 1; ; number += 1) {
      const path = inFolder(folder, `earlier-${number}`);
      if (!(await isThere(this.contents, path))) {
        return path;
      }
    }
  }

  private async agreed(count: number, aside: string): Promise<boolean> {
    const result = await showDialog({
      title: this.trans.__('Restart the course?'),
      body: this.trans._n(
        'Fresh notebooks are laid out. Your %1 file of the course stays as it is: it moves into “%2”.',
        'Fresh notebooks are laid out. Your %1 files of the course stay as they are: they move into “%2”.',
        count,
        aside
      ),
      buttons: [
        Dialog.cancelButton({ label: this.trans.__('Cancel') }),
        Dialog.okButton({ label: this.trans.__('Restart the course') })
      ]
    });
    return result.button.accept;
  }

  private async handOutAll(folder: string): Promise<void> {
    let count = 0;
    for (const name of await this.names()) {
      count += Number(await this.handOut(folder, name));
    }
    if (count > 0) {
      const where = folder === '' ? this.trans.__('the top folder') : `“${folder}”`;
      Notification.info(this.trans.__('The notebooks of the course are in %1.', where), { autoClose: 5000 });
    }
  }

  /** Write one file where there is none; whether it was written. */
  private async handOut(folder: string, name: string): Promise<boolean> {
    const path = inFolder(folder, name);
    if (await isThere(this.contents, path)) {
      return false;
    }
    const asset = await fetchAsset(`course/${name}`, this.server);
    await makeFolder(this.contents, folderOf(path));
    if (name.endsWith('.ipynb')) {
      await writeNotebook(this.contents, path, await asset.json());
    } else if (name.endsWith('.png')) {
      const bytes = new Uint8Array(await asset.arrayBuffer());
      const content = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''));
      await this.contents.save(path, { type: 'file', format: 'base64', content });
    } else {
      await this.contents.save(path, { type: 'file', format: 'text', content: await asset.text() });
    }
    return true;
  }

  private async explain(folder: string, error: unknown): Promise<void> {
    const title = this.trans.__('The notebook of the course cannot be opened');
    if (statusOf(error) !== 403) {
      await showErrorMessage(title, error as Error);
      return;
    }
    const words = this.trans.__(
      'The folder “%1” is read-only. Go to another folder in the file browser, or choose a folder for the course in the settings, under “Anomaly detection”.',
      folder
    );
    await showErrorMessage(title, words);
  }
}
