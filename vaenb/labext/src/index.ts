/** The JupyterLab extension of vaenb. This file only wires. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { StudyLink } from './comm.ts';
import { addCommands, fillPalette } from './commands.ts';
import { Course } from './course.ts';
import { FindAnomalies } from './filebrowser.ts';
import { fillLauncher } from './launcher.ts';
import { Notebooks } from './notebooks.ts';
import { Settings } from './settings.ts';
import { AnomaliesPanel } from './sidepanel.tsx';

const ID = 'vaenb:plugin';

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'From a file to its anomalies: file browser, launcher, palette, menu and side panel.',
  autoStart: true,
  requires: [IDocumentManager, IRenderMimeRegistry],
  optional: [
    ITranslator,
    ISettingRegistry,
    IFileBrowserFactory,
    IDefaultFileBrowser,
    ILauncher,
    ICommandPalette,
    INotebookTracker,
    ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    docManager: IDocumentManager,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
    browsers: IFileBrowserFactory | null,
    browser: IDefaultFileBrowser | null,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    tracker: INotebookTracker | null,
    restorer: ILayoutRestorer | null
  ) => {
    const language = translator ?? nullTranslator;
    const trans = language.load('vaenb');
    const settings = new Settings();
    const notebooks = new Notebooks(docManager, language);
    const course = new Course(notebooks, trans);
    const find = new FindAnomalies(notebooks, settings, browsers, language);
    addCommands({ app, browser, course, find, notebooks, rendermime, settings, trans });
    if (palette !== null) {
      fillPalette(palette, trans);
    }
    const settled = registry === null ? Promise.resolve() : settings.follow(registry, ID);
    if (launcher !== null) {
      void settled.finally(() => fillLauncher(launcher, settings, trans));
    }
    if (tracker !== null) {
      const panel = new AnomaliesPanel(new StudyLink(tracker), trans);
      app.shell.add(panel, 'right', { rank: 900, type: 'Anomalies' });
      restorer?.add(panel, panel.id);
    }
  }
};

export default plugin;
