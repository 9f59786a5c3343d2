/** "Find anomalies": from a file to a notebook beside it, with its study on screen. */

import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { FileDialog, type IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { isThere, statusOf } from './disk.ts';
import { baseName, driveOf, folderOf, inFolder, kindOf, notebookName, relativeTo } from './names.ts';
import type { Notebooks } from './notebooks.ts';
import type { Settings } from './settings.ts';
import { cellsOf, filledCell, isAbout, quoted, readCell } from './template.ts';

const MOST_NAMES = 100;

export class FindAnomalies {
  private readonly under_way = new Map<string, Promise<void>>();
  private readonly trans: TranslationBundle;

  constructor(
    private readonly notebooks: Notebooks,
    private readonly settings: Settings,
    private readonly browsers: IFileBrowserFactory | null,
    private readonly translator: ITranslator
  ) {
    this.trans = translator.load('vaenb');
  }

  /** The files selected in the file browser that hold a series or a study. */
  selected(): string[] {
    const items = this.browsers?.tracker.currentWidget?.selectedItems() ?? [];
    return [...items]
      .filter(item => item.type !== 'directory' && kindOf(item.path) !== null)
      .map(item => item.path);
  }

  /** Let a person choose a file. */
  async choose(folder: string): Promise<string[]> {
    const result = await FileDialog.getOpenFiles({
      manager: this.notebooks.docManager,
      translator: this.translator,
      title: this.trans.__('Find anomalies in a file'),
      label: this.trans.__('A series (CSV, CSV.GZ, Parquet) or a saved study (VAENB)'),
      defaultPath: folder,
      filter: model => (model.type === 'directory' || kindOf(model.path) !== null ? {} : null)
    });
    const chosen = result.button.accept ? (result.value ?? []) : [];
    return chosen.filter(model => model.type !== 'directory').map(model => model.path);
  }

  /** Open the notebook of a file; a second call while the first one is under way does nothing more. */
  async of(path: string): Promise<void> {
    const known = this.under_way.get(path);
    if (known !== undefined) {
      return known;
    }
    const begun = this.begin(path).finally(() => this.under_way.delete(path));
    this.under_way.set(path, begun);
    return begun;
  }

  private async begin(path: string): Promise<void> {
    try {
      const { at, isNew } = await this.find(path, folderOf(path));
      await this.show(path, at, isNew);
    } catch (error) {
      await this.explain(path, error);
    }
  }

  /** Where the notebook of a file is, or shall be. */
  private async find(path: string, folder: string): Promise<{ at: string; isNew: boolean }> {
    const contents = this.notebooks.docManager.services.contents;
    for (let number = 1; number <= MOST_NAMES; number += 1) {
      const at = inFolder(folder, notebookName(path, number));
      if (!(await isThere(contents, at))) {
        return { at, isNew: true };
      }
      const book = await this.read(at);
      if (isAbout(book, relativeTo(folder, path))) {
        return { at, isNew: false };
      }
    }
    throw new Error(this.trans.__('There are %1 notebooks of this name already.', MOST_NAMES));
  }

  /** A notebook as it is on screen, else as it is on disk; null where it cannot be read. */
  private async read(at: string): Promise<unknown> {
    const open = this.notebooks.docManager.findWidget(at, 'Notebook') as NotebookPanel | undefined;
    if (open?.context.isReady) {
      return open.context.model.toJSON();
    }
    const { contents } = this.notebooks.docManager.services;
    try {
      return (await contents.get(at, { type: 'notebook', content: true })).content;
    } catch {
      return null;
    }
  }

  private async show(path: string, at: string, isNew: boolean): Promise<void> {
    if (!isNew) {
      this.notebooks.open(at);
      return;
    }
    const seen = relativeTo(folderOf(at), path);
    const wishes = { rule: this.settings.rule };
    await this.notebooks.write(at, cellsOf(seen, wishes, this.trans), seen);
    const panel = this.notebooks.open(at);
    if (panel !== undefined) {
      void this.run(panel, seen);
    }
  }

  /** Run the cells, then write into the first one what it has found. Saving is the person's, or autosave's. */
  private async run(panel: NotebookPanel, seen: string): Promise<void> {
    if (!(await this.notebooks.run(panel)) || kindOf(seen) !== 'series') {
      return;
    }
    const code = `__import__('vaenb.reading.naming').reading.naming.print_code(series, ${quoted(seen)})`;
    const found = await this.notebooks.ask(panel, code);
    const cells = panel.isDisposed ? [] : panel.content.widgets.map(widget => widget.model.sharedModel);
    const cell = cells.find(each => each.getSource() === readCell(seen));
    if (found !== '' && cell !== undefined) {
      cell.setSource(filledCell(seen, found));
    }
  }

  /** Say what went wrong; where only the folder cannot be written to, offer another place. */
  private async explain(path: string, error: unknown): Promise<void> {
    const folder = folderOf(path);
    const top = driveOf(path);
    if (statusOf(error) !== 403 || folder === top) {
      const title = this.trans.__('No notebook for %1', baseName(path));
      await showErrorMessage(title, error as Error, [Dialog.okButton({ label: this.trans.__('OK') })]);
      return;
    }
    const result = await showDialog({
      title: this.trans.__('This folder is read-only'),
      body: this.trans.__(
        'The notebook for “%1” cannot be written into “%2”. The file is untouched. The notebook can stand in the top folder instead, and read the file where it is.',
        baseName(path),
        folder
      ),
      buttons: [
        Dialog.cancelButton({ label: this.trans.__('Cancel') }),
        Dialog.okButton({ label: this.trans.__('Write it into the top folder') })
      ]
    });
    if (!result.button.accept) {
      return;
    }
    try {
      const { at, isNew } = await this.find(path, top);
      await this.show(path, at, isNew);
    } catch (again) {
      await showErrorMessage(this.trans.__('No notebook for %1', baseName(path)), again as Error);
    }
  }
}
