/**
 * The study of the notebook in front, as its kernel tells it.
 *
 * A comm of our own, which the kernel registers without opening it: `comm_info` finds it after a reload, and a
 * page without this extension hears nothing of it. The kernel speaks only while somebody has said "hello".
 */

import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { type Study, studyOf, TARGET } from './messages.ts';

export type Status = 'no notebook' | 'no kernel' | 'no study' | 'restarted' | 'study';

export class StudyLink {
  readonly changed = new Signal<this, void>(this);
  status: Status = 'no notebook';
  study: Study | null = null;
  panel: NotebookPanel | null = null;
  private readonly client = UUID.uuid4();
  private comm: Kernel.IComm | null = null;
  private kernel: Kernel.IKernelConnection | null = null;
  private wasRestarted = false;
  private isWatched = false;

  constructor(tracker: INotebookTracker) {
    tracker.currentChanged.connect((_, panel) => this.follow(panel));
    NotebookActions.executed.connect((_, { notebook }) => {
      if (notebook === this.panel?.content) {
        void this.look();
      }
    });
    this.follow(tracker.currentWidget);
  }

  /** Whether somebody looks: nothing is asked of the kernel otherwise. */
  watch(isWatched: boolean): void {
    this.isWatched = isWatched;
    if (this.comm !== null) {
      this.send(isWatched ? 'hello' : 'bye');
    } else {
      void this.look();
    }
  }

  /** Zoom to an event, where it is shown. */
  go(start: number, stop: number): void {
    this.send('go', { start, stop });
  }

  /** Say what an event is; '' takes the verdict back. */
  judge(start: number, stop: number, verdict: string): void {
    this.send('judge', { start, stop, verdict });
  }

  private send(kind: string, more: Record<string, string | number> = {}): void {
    if (this.comm !== null && !this.comm.isDisposed) {
      this.comm.send({ kind, client: this.client, ...more });
    }
  }

  private follow(panel: NotebookPanel | null): void {
    if (this.panel !== null) {
      const before = this.panel.sessionContext;
      before.kernelChanged.disconnect(this.onKernel, this);
      before.statusChanged.disconnect(this.onStatus, this);
      before.connectionStatusChanged.disconnect(this.onConnection, this);
    }
    this.panel = panel;
    if (panel !== null) {
      panel.sessionContext.kernelChanged.connect(this.onKernel, this);
      panel.sessionContext.statusChanged.connect(this.onStatus, this);
      panel.sessionContext.connectionStatusChanged.connect(this.onConnection, this);
    }
    this.onKernel();
  }

  private onKernel(): void {
    this.wasRestarted = false;
    this.drop();
    this.kernel = this.panel?.sessionContext.session?.kernel ?? null;
    void this.look();
  }

  private onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this.wasRestarted = this.wasRestarted || this.study !== null;
      this.drop();
    } else if (status === 'dead' || status === 'terminating') {
      this.drop();
    }
    void this.look();
  }

  private onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected' && this.comm !== null && this.isWatched) {
      this.send('hello'); // what was said while the page was cut off is lost
    }
  }

  private drop(): void {
    if (this.isWatched) {
      this.send('bye');
    }
    this.comm?.dispose();
    this.comm = null;
    this.study = null;
  }

  /** Look for a study in the kernel, and say what there is. */
  private async look(): Promise<void> {
    const kernel = this.kernel;
    if (this.comm?.isDisposed) {
      this.drop();
    }
    this.say();
    if (kernel === null || kernel.isDisposed || !this.isWatched || this.comm !== null) {
      return;
    }
    if (!['idle', 'busy'].includes(kernel.status) || kernel.connectionStatus !== 'connected') {
      return;
    }
    const reply = await kernel.requestCommInfo({ target_name: TARGET }).catch(() => null);
    const comms = reply?.content.status === 'ok' ? Object.entries(reply.content.comms) : [];
    const id = comms.find(([, comm]) => comm.target_name === TARGET)?.[0];
    if (id === undefined || this.comm !== null || this.kernel !== kernel || kernel.hasComm(id)) {
      return;
    }
    this.comm = kernel.createComm(TARGET, id);
    this.comm.onMsg = message => {
      this.wasRestarted = false;
      this.study = studyOf(message.content.data);
      this.say();
    };
    this.send('hello');
  }

  private say(): void {
    this.status = this.statusNow();
    this.changed.emit();
  }

  private statusNow(): Status {
    const status = this.kernel?.status;
    if (this.panel === null) {
      return 'no notebook';
    }
    if (this.study !== null) {
      return 'study';
    }
    if (this.wasRestarted) {
      return 'restarted';
    }
    return this.kernel === null || status === 'dead' || status === 'terminating' ? 'no kernel' : 'no study';
  }
}
