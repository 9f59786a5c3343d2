/** What a person has chosen in JupyterLab's settings editor. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';

export class Settings {
  readonly changed = new Signal<this, void>(this);
  /** The short name of the threshold rule of new studies; '' for the default. */
  rule = '';
  /** Where the notebooks of the course go, from the top folder; '' for the current folder. */
  courseFolder = '';
  showInLauncher = true;

  /** Take over what is set, now and whenever it changes. */
  async follow(registry: ISettingRegistry, plugin: string): Promise<void> {
    const loaded = await registry.load(plugin);
    const take = (): void => {
      this.rule = loaded.get('thresholdRule').composite as string;
      this.courseFolder = (loaded.get('courseFolder').composite as string).trim().replace(/^\/+|\/+$/g, '');
      this.showInLauncher = loaded.get('showInLauncher').composite as boolean;
      this.changed.emit();
    };
    loaded.changed.connect(take);
    take();
  }
}
