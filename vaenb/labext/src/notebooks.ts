/** Opening the notebooks that the extension writes, and running them. */

import type { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';
import { writeNotebook } from './disk.ts';
import { type NewCell, notebookOf } from './template.ts';

/** The kernel for new notebooks: the default one where it speaks Python, else the first that does. */
export function pythonKernel(specs: KernelSpec.ISpecModels | null): KernelSpec.ISpecModel | null {
  const all = Object.values(specs?.kernelspecs ?? {}).filter(spec => spec !== undefined);
  const speaking = all.filter(spec => spec.language.toLowerCase() === 'python');
  return speaking.find(spec => spec.name === specs?.default) ?? speaking[0] ?? null;
}

export class Notebooks {
  constructor(
    readonly docManager: IDocumentManager,
    private readonly translator: ITranslator
  ) {}

  /** Write a notebook of some cells where there is none. */
  async write(path: string, cells: NewCell[], file: string | null): Promise<void> {
    const { kernelspecs, contents } = this.docManager.services;
    await kernelspecs.ready;
    const spec = pythonKernel(kernelspecs.specs);
    const book = notebookOf(cells, file);
    if (spec !== null) {
      const { name, display_name, language } = spec;
      Object.assign(book.metadata as object, { kernelspec: { name, display_name, language } });
    }
    await writeNotebook(contents, path, book);
  }

  /** Bring a notebook to the front; undefined where the application opens it in a page of its own. */
  open(path: string): NotebookPanel | undefined {
    return this.docManager.openOrReveal(path, 'Notebook') as NotebookPanel | undefined;
  }

  /** Run all cells; whether all went well. */
  async run(panel: NotebookPanel): Promise<boolean> {
    await panel.context.ready;
    await panel.sessionContext.ready;
    if (panel.isDisposed || panel.sessionContext.hasNoKernel) {
      return false;
    }
    return NotebookActions.runAll(panel.content, panel.sessionContext, undefined, this.translator);
  }

  /** What lines of Python print in the kernel of a notebook, beside its cells; '' where they fail. */
  async ask(panel: NotebookPanel, code: string): Promise<string> {
    const kernel = panel.sessionContext.session?.kernel;
    if (kernel == null) {
      return '';
    }
    const future = kernel.requestExecute({ code, store_history: false, silent: false, stop_on_error: false });
    let said = '';
    future.onIOPub = message => {
      const content = message.content as { name?: string; text?: string };
      if (message.header.msg_type === 'stream' && content.name === 'stdout') {
        said += content.text ?? '';
      }
    };
    const reply = await future.done;
    return reply?.content.status === 'ok' ? said : '';
  }
}
