/** "vaenb: documentation": the README that came with the package, in a tab. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, showErrorMessage } from '@jupyterlab/apputils';
import { type IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { fetchAsset } from './course.ts';
import { withoutPictures } from './docs-text.ts';
import { vaenbIcon } from './icons.ts';

const ID = 'vaenb-documentation';

/** Show it; a second time, bring it to the front. */
export async function showDocs(
  app: JupyterFrontEnd,
  rendermime: IRenderMimeRegistry,
  trans: TranslationBundle
): Promise<void> {
  const known = [...app.shell.widgets('main')].find(widget => widget.id === ID);
  if (known !== undefined) {
    app.shell.activateById(ID);
    return;
  }
  try {
    const readme = await (await fetchAsset('README.md', app.serviceManager.serverSettings)).text();
    const text = withoutPictures(readme);
    const content = rendermime.createRenderer('text/markdown');
    content.addClass('vaenb-docs');
    await content.renderModel(new MimeModel({ data: { 'text/markdown': text }, trusted: false }));
    const widget = new MainAreaWidget({ content });
    widget.id = ID;
    widget.title.label = trans.__('vaenb: documentation');
    widget.title.icon = vaenbIcon;
    widget.title.closable = true;
    app.shell.add(widget, 'main');
    app.shell.activateById(ID);
  } catch (error) {
    await showErrorMessage(trans.__('The documentation cannot be shown'), error as Error);
  }
}
