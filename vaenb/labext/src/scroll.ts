/** Bringing the panel of a study into view. */

import type { NotebookPanel } from '@jupyterlab/notebook';

/** What is needed here of the model of a code cell. */
interface HasOutputs {
  outputs: { length: number; get(place: number): { data: Record<string, unknown> } };
}

const VIEW = 'application/vnd.jupyter.widget-view+json';

/** Scroll a notebook to the panel that a widget is. */
export async function scrollToWidget(notebook: NotebookPanel, model: string): Promise<void> {
  const cell = notebook.content.widgets.find(each => each.model.type === 'code' && shows(each.model, model));
  if (cell === undefined) {
    return;
  }
  await notebook.content.scrollToCell(cell, 'smart');
  const inner =
    cell.node.querySelector('.vaenb-panel .vaenb-panel') ?? cell.node.querySelector('.vaenb-panel');
  inner?.scrollIntoView({ block: 'start' });
}

function shows(cell: unknown, model: string): boolean {
  const { outputs } = cell as HasOutputs;
  return Array.from({ length: outputs.length }, (_, place) => outputs.get(place).data[VIEW]).some(
    view => (view as { model_id?: unknown } | undefined)?.model_id === model
  );
}
