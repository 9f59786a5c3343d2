/** The section "Anomaly detection" of the launcher. */

import type { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableSet } from '@lumino/disposable';
import { COMMANDS } from './commands.ts';
import type { Settings } from './settings.ts';
import { courseEntries } from './steps.ts';

/** Show the section as long as the settings want it. */
export function fillLauncher(launcher: ILauncher, settings: Settings, trans: TranslationBundle): void {
  let shown: DisposableSet | null = null;
  const follow = (): void => {
    if (settings.showInLauncher && shown === null) {
      const category = trans.__('Anomaly detection');
      const commands = [COMMANDS.newStudy, ...courseEntries(trans).map(entry => entry.id)];
      shown = new DisposableSet();
      commands.forEach((command, rank) => {
        shown?.add(launcher.add({ command, category, rank, args: { isLauncher: true } }));
      });
    } else if (!settings.showInLauncher) {
      shown?.dispose();
      shown = null;
    }
  };
  settings.changed.connect(follow);
  follow();
}
