/** The commands: in the palette and, through schema/plugin.json, in the menus and on the keyboard. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Course } from './course.ts';
import { freePath } from './disk.ts';
import { showDocs } from './docs.ts';
import type { FindAnomalies } from './filebrowser.ts';
import { ICONS, vaenbIcon } from './icons.ts';
import { kindOf } from './names.ts';
import type { Notebooks } from './notebooks.ts';
import type { Settings } from './settings.ts';
import { PANEL_ID } from './sidepanel.tsx';
import { courseEntries } from './steps.ts';
import { cellsOfNewStudy } from './template.ts';

export interface Rooms {
  app: JupyterFrontEnd;
  browser: IDefaultFileBrowser | null;
  course: Course;
  find: FindAnomalies;
  notebooks: Notebooks;
  rendermime: IRenderMimeRegistry;
  settings: Settings;
  trans: TranslationBundle;
}

/** All commands but those of the file browser's menu, for the palette. */
export const COMMANDS = {
  find: 'vaenb:find-anomalies',
  newStudy: 'vaenb:new-study',
  restart: 'vaenb:restart-course',
  docs: 'vaenb:documentation',
  panel: 'vaenb:show-panel'
};

/** Add all commands. */
export function addCommands(rooms: Rooms): void {
  const { app, browser, trans } = rooms;
  const current = (args: { cwd?: unknown }): string =>
    typeof args.cwd === 'string' ? args.cwd : (browser?.model.path ?? '');
  addFind(rooms, current);
  app.commands.addCommand(COMMANDS.newStudy, {
    label: trans.__('New study'),
    caption: trans.__('A notebook with a study of a series that comes with vaenb, ready for your own'),
    icon: ICONS.new_study,
    describedBy: WHERE,
    execute: args => newStudy(rooms, current(args))
  });
  addCourse(rooms, current);
  app.commands.addCommand(COMMANDS.docs, {
    label: trans.__('vaenb: documentation'),
    caption: trans.__('What vaenb is, with examples'),
    icon: vaenbIcon,
    describedBy: NOTHING,
    execute: () => showDocs(app, rooms.rendermime, trans)
  });
  app.commands.addCommand(COMMANDS.panel, {
    label: trans.__('Show the panel Anomalies'),
    caption: trans.__('The events of the study in the notebook in front'),
    icon: vaenbIcon,
    describedBy: NOTHING,
    execute: () => app.shell.activateById(PANEL_ID)
  });
}

const NOTHING = { args: { type: 'object', properties: {} } } as const;
const WHERE = {
  args: { type: 'object', properties: { cwd: { type: 'string', description: 'The folder.' } } }
} as const;
const FILE = {
  args: { type: 'object', properties: { path: { type: 'string', description: 'The file.' } } }
} as const;

function addFind(rooms: Rooms, current: (args: { cwd?: unknown }) => string): void {
  const { app, find, trans } = rooms;
  app.commands.addCommand(COMMANDS.find, {
    label: args => (args.isContext ? trans.__('Find anomalies') : trans.__('Find anomalies in a file…')),
    caption: trans.__('Open a notebook beside the file, with a study of it'),
    icon: vaenbIcon,
    describedBy: FILE,
    isVisible: args => !args.isContext || find.selected().length > 0,
    execute: async args => {
      const given =
        typeof args.path === 'string' && kindOf(args.path) !== null ? [args.path] : find.selected();
      const paths = given.length > 0 ? given : await find.choose(current(args));
      for (const path of paths) {
        await find.of(path);
      }
    }
  });
}

function addCourse(rooms: Rooms, current: (args: { cwd?: unknown }) => string): void {
  const { app, course, settings, trans } = rooms;
  for (const entry of courseEntries(trans)) {
    app.commands.addCommand(entry.id, {
      label: args => (args.isLauncher ? entry.label : trans.__('Course: %1', entry.label)),
      caption: entry.caption,
      icon: ICONS[entry.icon],
      describedBy: WHERE,
      execute: args => course.open(settings.courseFolder || current(args), entry.notebook)
    });
  }
  app.commands.addCommand(COMMANDS.restart, {
    label: trans.__('Restart the course'),
    caption: trans.__('Lay out fresh notebooks; yours move into a folder of their own'),
    icon: ICONS.tour,
    describedBy: WHERE,
    execute: args => course.restart(settings.courseFolder || current(args))
  });
}

async function newStudy(rooms: Rooms, folder: string): Promise<void> {
  try {
    await writeStudy(rooms, folder);
  } catch (error) {
    await showErrorMessage(rooms.trans.__('No notebook in “%1”', folder), error as Error);
  }
}

async function writeStudy(rooms: Rooms, folder: string): Promise<void> {
  const { notebooks, settings, trans } = rooms;
  const contents = notebooks.docManager.services.contents;
  const path = await freePath(contents, folder, 'study.ipynb');
  await notebooks.write(path, cellsOfNewStudy({ rule: settings.rule }, trans), null);
  const panel = notebooks.open(path);
  if (panel !== undefined) {
    void notebooks.run(panel);
  }
}

/** Put the commands into the palette. */
export function fillPalette(palette: ICommandPalette, trans: TranslationBundle): void {
  const category = trans.__('Anomaly detection');
  const all = [COMMANDS.find, COMMANDS.newStudy, ...courseEntries(trans).map(entry => entry.id)];
  for (const command of [...all, COMMANDS.restart, COMMANDS.panel, COMMANDS.docs]) {
    palette.addItem({ command, category });
  }
}
